"""People told of what they should know, by webhook and by mail, without a monitoring system."""
