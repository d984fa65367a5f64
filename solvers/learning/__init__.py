"""Methods for sums over rows of data, and for linear models, one a file."""
