"""Alembic runs this file: it migrates on the connection that `run.py` hands over."""

from alembic import context

from gateway.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
context.run_migrations()
