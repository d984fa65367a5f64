"""Random numbers and elementary functions."""
