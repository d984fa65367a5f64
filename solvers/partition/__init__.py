"""Methods that divide the box."""
