"""What alembic runs: one step after another on the connection that `handlers.store.migrate` holds locked."""

from alembic import context

from handlers.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
