"""Random numbers, elementary functions, ranks."""
