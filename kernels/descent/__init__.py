"""Arithmetic of local methods."""
