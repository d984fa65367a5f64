"""How compiled code asks the user's function: arguments, adapters, what is said of a function that is wrong."""
