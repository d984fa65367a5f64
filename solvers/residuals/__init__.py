"""Methods of residuals, which minimise 1/2 |r(x)|^2: one a file. Their doors are `least_squares` and `curve_fit`."""
