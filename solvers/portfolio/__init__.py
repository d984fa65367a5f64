"""A portfolio of searches that share one budget."""
