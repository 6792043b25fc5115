"""What alembic runs to take steps; it acts when it is imported because alembic wants it so."""

from alembic import context

from server.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
