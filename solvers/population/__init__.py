"""Methods that hold a population: one solver a file."""
