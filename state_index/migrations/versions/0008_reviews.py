"""What was said of pull requests, what is held back for it, and what was approved all the same."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("change_set", sa.JSON(), nullable=False),
        sa.Column("posted", sa.String(length=64), nullable=False),
        sa.Column("trailer", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reviews")),
    )
    op.create_table(
        "review_holds",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("passing", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_review_holds")),
    )
    op.create_table(
        "review_base",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_review_base_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_base")),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
    )
    op.create_table(
        "review_approvals",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=80), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_review_approvals")),
    )
    op.create_index(
        op.f("ix_review_approvals_workspace_id_number"),
        "review_approvals",
        ["workspace_id", "number"],
    )
    op.create_table(
        "review_told",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=64), nullable=False),
        sa.Column("workspaces", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("commit", name=op.f("pk_review_told")),
    )
