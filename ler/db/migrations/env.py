"""Run by Alembic: migrates over the connection that `ler.db.migrate` opened, inside its transaction."""

from alembic import context

from ler.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="migration",
    version_table_schema=metadata.schema,
)
context.run_migrations()
