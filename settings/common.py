"""What the settings of every process have in common, and the fields that each has."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from settings.paths import DataPaths
from settings.types import Place, setting


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
