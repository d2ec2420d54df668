"""Alembic's door: runs migrations on the connection that `service.jobs.migrating` hands in."""

from alembic import context

from service.jobs.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
