"""Methods that go from a point to one in its neighbourhood, and remember where they were: one solver a file."""
