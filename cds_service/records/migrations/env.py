"""Runs the migrations on the connection that `cds_service.records.migrate` hands over. Knows no URL."""

from alembic import context

from cds_service.records.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
