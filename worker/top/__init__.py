"""`maintenworks top`: the overview in a terminal."""
