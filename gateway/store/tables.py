"""The tables as SQLAlchemy sees them; `migrations/` makes them, and a test compares the two.

Times are seconds since 1970 in UTC.
"""

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Holds the metadata of the gateway's database."""

    metadata = MetaData(naming_convention=NAMING)


class UserRow(Base):
    """An account."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    admin: Mapped[bool] = mapped_column(Boolean)
    disabled: Mapped[bool] = mapped_column(Boolean)
    created: Mapped[float] = mapped_column(Float)


class SessionRow(Base):
    """A login; the browser holds the id, this row only its SHA-256 as `key`."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created: Mapped[float] = mapped_column(Float)
    last_seen: Mapped[float] = mapped_column(Float)
    expires: Mapped[float] = mapped_column(Float)
    user_agent: Mapped[str] = mapped_column(String(120))


class AuditRow(Base):
    """Something that somebody did or was refused. Rows are added, never changed, removed by age."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Float)
    event: Mapped[str] = mapped_column(String(32))
    user: Mapped[str] = mapped_column(String(64))
    workspace: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(200))
    request_id: Mapped[str] = mapped_column(String(64))


class DeliveryRow(Base):
    """A webhook that was taken: its id, or the hash of its body. Removed by age."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_at", "at"),)

    mark: Mapped[str] = mapped_column(String(160), primary_key=True)
    at: Mapped[float] = mapped_column(Float)
