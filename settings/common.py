"""What the settings of every process have in common, and the fields that each has."""

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from settings.paths import DataPaths
from settings.types import Place, setting

_ORIGIN = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/*",
    re.IGNORECASE,
)


def database(name: str) -> Any:
    """Give the default of a database in the data folder."""

    def url(values: dict[str, Any]) -> str:
        # In a URL, these two would not be part of the file's name.
        path = str(values["data"] / name).replace("%", "%25").replace("?", "%3F")
        return f"sqlite:///{path}"

    return url


class Settings(BaseSettings):
    """What every process needs."""

    title: ClassVar[str] = "Every process"

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    data: Place = setting(
        Path(".codehub"),
        description="Folder of everything that CodeHub keeps: index, users, Pulumi state, sockets.",
        why="A try needs no root and leaves one folder, which .gitignore names.",
        example="/var/lib/codehub",
        unit="path",
    )
    index_url: str = setting(
        default_factory=database("index.db"),
        description="Database of the state index, which runner and gateways share.",
        why="SQLite in the data folder needs no server.",
        example="sqlite:////var/lib/codehub/index.db",
        unit="SQLAlchemy URL",
        shown="`index.db` in the data folder",
        secret=True,
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info",
        description="The least severe log lines that are written.",
        why="Each change of phase is an info line; debug adds steps and calls.",
        example="debug",
    )
    log_format: Literal["console", "json"] = setting(
        "console",
        description="How log lines look on standard error: for people, or one JSON object a line.",
        why="The first reader is a person; services set json.",
        example="json",
    )

    base_url: str | None = setting(
        None,
        description="The origin that browsers see, when a TLS edge stands in front; decides on Secure cookies and the Origin check. Notices link to it, if it is set.",
        why="Without an edge it is what host and port say.",
        example="https://hub.example.org",
        unit="origin",
        shown="`http://<host>:<port>`",
    )

    @field_validator("base_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        found = _ORIGIN.fullmatch(value)
        if not found or not 0 < int(found["port"] or 1) < 2**16:
            message = "an origin is wanted: http:// or https://, a host, perhaps a port, no path"
            raise ValueError(message)
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` gives: it knows where each value came from and reports all at once."""
        return (init_settings,)

    @property
    def paths(self) -> DataPaths:
        """The data tree."""
        return DataPaths(self.data)
