"""The demonstration: simulated plants whose systems post to a real `up`, and the balance of what became of it."""
