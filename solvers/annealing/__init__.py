"""Methods that walk at a falling temperature: one solver a file."""
