"""Arithmetic of populations: what one row, or one generation, of a population method does."""
