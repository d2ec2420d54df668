"""Migrations of the store, for Alembic; run by `service.jobs.migrating`."""
