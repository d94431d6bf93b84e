"""Which removal a tombstone is of: the ledger of graces knows the same one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("removal", sa.String(32)))
