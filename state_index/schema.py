"""The tables of the index as SQLAlchemy Core metadata, for SQLite and PostgreSQL alike.

Only definitions: who reads and writes them is in `index.py`, `intents.py` and `runner.py`; how
they come into a database that is there is in `migrations/`. A test compares both. What a partial index of PostgreSQL
holds stands there alone: naming it here would load that dialect for whoever has SQLite.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

HEAD = "0008"
"""The newest migration; kept here so that opening an up-to-date index needs no Alembic (a test compares)."""

VERSION_TABLE = "state_index_version"
"""Alembic's table, named so that the gateway's tables can share a database with ours."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps no zone, so it is put back when read."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Write UTC."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Read UTC."""
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


clock = sa.Table(
    "index_clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("generation", sa.BigInteger, nullable=False),
)
"""One row: the generation of the whole index."""

workspaces = sa.Table(
    "workspaces",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("sync", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("retry_at", UtcDateTime),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("desired_hash", sa.String(128), nullable=False),
    sa.Column("applied_hash", sa.String(128), nullable=False),
    sa.Column("image", sa.Text, nullable=False),
    sa.Column("upstream", sa.Text, nullable=False),
    sa.Column("pinned", sa.String(16), nullable=False),
    sa.Column("problems", sa.JSON, nullable=False),
    sa.Column("spec_json", sa.Text, nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("removed_at", UtcDateTime),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("grace_end", sa.BigInteger),
    sa.Column("removal", sa.String(32)),
    sa.Column("drift", sa.JSON),
    sa.Index(None, "owner"),
)
"""What the runner publishes, a row a workspace."""

intents = sa.Table(
    "intents",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("workspace_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.CheckConstraint("status IN ('open', 'taken', 'done', 'failed')", name="status"),
    sa.Index(None, "workspace_id", "number"),
    sa.Index(
        "uq_intents_one_open",
        "workspace_id",
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
    ),
)
"""Requests of users. No foreign key: an operation stays readable when its workspace is forgotten."""

edits = sa.Table(
    "edits",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("workspace_id", sa.String(64), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("base", sa.String(64), nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("admin", sa.Boolean, nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, server_default="open"),
    sa.Column("code", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("error", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("commit", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("url", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.CheckConstraint("status IN ('open', 'taken', 'done', 'failed')", name="status"),
    sa.Index(None, "workspace_id", "number"),
    sa.Index(
        "uq_edits_one_pending",
        "workspace_id",
        unique=True,
        sqlite_where=sa.text("status IN ('open', 'taken')"),
    ),
)
"""Changes of workspace files that users ask for. No foreign key: a file may be asked for before its row is.

What comes of one has defaults of the database, so that who asks needs no right to write these columns.
"""

history = sa.Table(
    "history",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("workspace_id", sa.String(64), nullable=False),
    sa.Column("from_phase", sa.String(16)),
    sa.Column("to_phase", sa.String(16)),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("revision", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index(None, "workspace_id", "number"),
    sa.Index(None, "at"),
)
"""Changes of phase, bounded per workspace."""

runner = sa.Table(
    "runner",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("heartbeat", sa.BigInteger, nullable=False),
)
"""One row: who runs, and that it lives."""

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("heartbeat", sa.BigInteger, nullable=False),
)
"""One row: which runner may act; its holder is empty when none does."""

grace_clock = sa.Table(
    "grace_clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("watched", sa.BigInteger, nullable=False),
)
"""One row: milliseconds that runners watched, over all runs."""

prunes = sa.Table(
    "prunes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("workspace_id", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Workspaces that were removed of late because their files were gone."""

repository = sa.Table(
    "repository",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("branch", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("head_at", UtcDateTime),
    sa.Column("attempted", sa.String(64), nullable=False),
    sa.Column("attempted_at", UtcDateTime),
    sa.Column("applied", sa.String(64), nullable=False),
    sa.Column("applied_at", UtcDateTime),
    sa.Column("base", sa.String(64), nullable=False),
    sa.Column("waiting", sa.JSON, nullable=False),
    sa.Column("failures", sa.JSON, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("error_since", UtcDateTime),
)
"""One row: what the runner says of the git repository that it follows."""

repository_wishes = sa.Table(
    "repository_wishes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("paused_at", UtcDateTime),
    sa.Column("paused_by", sa.String(128), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
"""One row, from the first migration on: what is asked about that repository, by anyone."""

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("base", sa.String(64), nullable=False),
    sa.Column("change_set", sa.JSON, nullable=False),
    sa.Column("posted", sa.String(64), nullable=False),
    sa.Column("trailer", sa.Boolean, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""What the runner said of pull requests, a row each: of its newest commit that was reviewed."""

review_holds = sa.Table(
    "review_holds",
    metadata,
    sa.Column("workspace_id", sa.String(64), primary_key=True),
    sa.Column("base", sa.String(64), nullable=False),
    sa.Column("commit", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(80), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("passing", sa.Boolean, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
)
"""Workspaces that stay as they are, as a commit does more to them than was reviewed."""

review_base = sa.Table(
    "review_base",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.CheckConstraint("id = 1", name="single"),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("commit", sa.String(64), nullable=False),
)
"""One row: up to which commit of which branch it was judged what is held back."""

review_approvals = sa.Table(
    "review_approvals",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("commit", sa.String(64), nullable=False),
    sa.Column("workspace_id", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(80), nullable=False),
    sa.Column("who", sa.String(128), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index(None, "workspace_id", "number"),
)
"""What was allowed all the same: one change of one workspace, by whom and why."""

review_told = sa.Table(
    "review_told",
    metadata,
    sa.Column("commit", sa.String(64), primary_key=True),
    sa.Column("words", sa.String(64), nullable=False),
    sa.Column("workspaces", sa.JSON, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Commits of which the forge was told that something is held back, until it is told that nothing is."""

FIRST_ROWS: dict[sa.Table, dict[str, int | str]] = {
    clock: {"id": 1, "generation": 0},
    lease: {"id": 1, "holder": "", "token": 0, "heartbeat": 0},
    grace_clock: {"id": 1, "watched": 0},
    repository_wishes: {"id": 1, "asked": 0, "paused_by": "", "reason": ""},
}
"""What stands in a new index: tables of one row, which is only ever changed."""

GENERATION = sa.select(clock.c.generation)
"""The index's generation."""
