"""Changes of workspace files that users ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edits",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("base", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False, server_default="open"),
        sa.Column("code", sa.String(length=64), nullable=False, server_default=sa.text("''")),
        sa.Column("error", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("commit", sa.String(length=64), nullable=False, server_default=sa.text("''")),
        sa.Column("url", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.CheckConstraint(
            "status IN ('open', 'taken', 'done', 'failed')", name=op.f("ck_edits_status")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_edits")),
        sa.UniqueConstraint("id", name=op.f("uq_edits_id")),
    )
    op.create_index(
        op.f("ix_edits_workspace_id_number"), "edits", ["workspace_id", "number"], unique=False
    )
    op.create_index(
        "uq_edits_one_pending",
        "edits",
        ["workspace_id"],
        unique=True,
        sqlite_where=sa.text("status IN ('open', 'taken')"),
        postgresql_where=sa.text("status IN ('open', 'taken')"),
    )
