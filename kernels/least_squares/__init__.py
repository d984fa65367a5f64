"""Arithmetic of least squares: losses, the damped problem, steps inside a box."""
