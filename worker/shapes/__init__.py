"""What is kept, as JSON: the same members on the command line and in the read API."""
