"""The only SQL: one file a noun, SQLAlchemy Core, the same statements on SQLite and PostgreSQL."""
