"""Methods for one variable: the minimum of f(x), x a number."""
