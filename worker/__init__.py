"""It will be done, or you will know."""
