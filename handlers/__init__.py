"""What it means and what it does."""
