"""The operators' port: metrics, health and, later, pages."""
