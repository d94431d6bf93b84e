"""What is said and asked about the git repository that is followed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repository",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_repository_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository")),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("head_at", sa.DateTime(timezone=True)),
        sa.Column("attempted", sa.String(64), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True)),
        sa.Column("applied", sa.String(64), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("waiting", sa.JSON(), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_since", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "repository_wishes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_repository_wishes_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository_wishes")),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("paused_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    # So that whoever asks needs the right to change it only.
    op.execute("INSERT INTO repository_wishes (id, asked, paused_by, reason) VALUES (1, 0, '', '')")
