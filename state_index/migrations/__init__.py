"""Alembic's migrations of the state index; `state_index.migrate` runs them."""
