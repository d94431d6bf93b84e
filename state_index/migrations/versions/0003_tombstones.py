"""When a kept home goes, the time that runners watched, and what was pruned lately."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("removed_at", "expires_at"):
        op.add_column("workspaces", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("workspaces", sa.Column("grace_end", sa.BigInteger()))
    op.create_table(
        "grace_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("watched", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_grace_clock_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grace_clock")),
    )
    op.execute("INSERT INTO grace_clock (id, watched) VALUES (1, 0)")
    op.create_table(
        "prunes",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workspace_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_prunes")),
    )
