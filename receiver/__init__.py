"""Is it really you? Then it is kept."""
