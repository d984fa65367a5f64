"""How good predictions are: scikit-learn's metrics, compiled."""
