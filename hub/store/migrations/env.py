"""Alembic's entry: runs the migrations of the fixed tables on the connection that the store hands over."""

from alembic import context

from hub.store.fixed import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
