"""Arithmetic over the rows of data: designs, losses, passes, factorisation."""
