"""The schema's history, run by `handlers.store.migrate`."""
