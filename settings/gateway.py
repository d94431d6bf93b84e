"""The settings of the gateway."""

from typing import ClassVar

from settings.common import database
from settings.forge import ForgeSettings
from settings.types import Duration, Networks, setting

# Hosts beyond ASCII are written as browsers send them: xn--...


class GatewaySettings(ForgeSettings):
    """What `codehub gateway` and `codehub user` need besides."""

    title: ClassVar[str] = "Gateway"

    host: str = setting(
        "127.0.0.1",
        description="Address to listen on.",
        why="Nobody outside gets in before TLS stands in front.",
        example="0.0.0.0",  # noqa: S104
        unit="address",
        min_length=1,
    )
    port: int = setting(
        8000,
        description="Port to listen on; 0 takes a free one.",
        why="Needs no root.",
        example="8080",
        unit="port",
        ge=0,
        le=65535,
    )
    trusted_proxies: Networks = setting(
        (),
        description="Networks of proxies whose forwarded headers count; with commas between.",
        why="Anybody can write such headers, so nobody is believed unless named.",
        example="127.0.0.1/32,10.0.0.0/8",
        unit="CIDR networks",
    )
    hide_existence: bool = setting(
        default=False,
        description="Whether somebody else's workspace looks like one that does not exist.",
        why="Within one team, to read that it is not yours (403) helps more than to hide ids.",
        example="true",
    )
    store_url: str = setting(
        default_factory=database("gateway.db"),
        description="Database of users and sessions: SQLite or PostgreSQL.",
        why="SQLite in the data folder needs no server.",
        example="sqlite:////var/lib/codehub/gateway.db",
        unit="SQLAlchemy URL",
        shown="`gateway.db` in the data folder",
        secret=True,
    )
    session_idle: Duration = setting(
        43200.0,
        description="How long a login lasts without a request.",
        why="Covers a working day with its breaks.",
        example="2h",
        unit="duration",
        gt=0,
    )
    session_max: Duration = setting(
        604800.0,
        description="How long a login lasts at most.",
        why="A week: a stolen cookie ends with it.",
        example="1d",
        unit="duration",
        gt=0,
    )
    login_attempts: int = setting(
        10,
        description="Failed logins per user and per address in one window before further ones wait.",
        why="A person errs a few times, a program hundreds.",
        example="5",
        unit="attempts",
        ge=1,
    )
    login_window: Duration = setting(
        300.0,
        description="The window in which failed logins count.",
        why="Short enough that a person who locked herself out waits for it.",
        example="15m",
        unit="duration",
        gt=0,
    )
    audit_keep: Duration = setting(
        7776000.0,
        description="How long the audit log keeps what was done and refused.",
        why="Long enough to look into what is noticed late, short enough that the file stays small.",
        example="365d",
        unit="duration",
        gt=0,
    )
    upstream_timeout: Duration = setting(
        30.0,
        description="How long a workspace or the runner may take to begin an answer.",
        why="A page that takes longer is reported (504) better than left blank.",
        example="1m",
        unit="duration",
        gt=0,
    )
