"""Local methods: from one point downhill. One solver a file."""
