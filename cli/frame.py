"""What the global options say, for every command: settings, colours, how much is told."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from settings.model import Settings

    S = TypeVar("S", bound=Settings)

Color = Literal["auto", "always", "never"]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The global options.

    Attributes:
        config: the settings file of `--config`.
        color: the choice of `--color`.
        verbose: whether log lines and tracebacks are shown.
        env: the environment.
    """

    config: Path | None = None
    color: Color = "auto"
    verbose: bool = False
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def load(self, settings_class: "type[S]") -> "S":
        """Read the settings.

        Raises:
            SettingsError: something is wrong with them.
        """
        from settings.load import load

        named = {"CODEHUB_CONFIG": str(self.config)} if self.config else {}
        return load(settings_class, env={**self.env, **named})

    def given(self, options: Mapping[str, str | None]) -> "Frame":
        """The frame with options of a command, which beat environment and file."""
        more = {name: value for name, value in options.items() if value is not None}
        return replace(self, env={**self.env, **more})

    def colored(self, stream: TextIO) -> bool:
        """Whether to colour what goes to a stream. A flag beats NO_COLOR and TERM."""
        if self.color != "auto":
            return self.color == "always"
        plain = self.env.get("NO_COLOR") or self.env.get("TERM") == "dumb"
        return not plain and stream.isatty()

    def configure_logs(self, settings: "Settings") -> None:
        """Log lines of a command that runs once: none but errors, unless more is asked for."""
        if not self.verbose:
            import logging

            logging.getLogger().setLevel(logging.ERROR)  # without structlog, which costs 0.1 s
            return
        from telemetry.logs import configure

        configure(settings.log_level, settings.log_format)


pass_frame = click.make_pass_decorator(Frame, ensure=True)


_entered: list[Frame] = []
"""The frame of the command that runs; kept here because errors are told after click forgot it."""


def enter(frame: Frame | None) -> None:
    """Begin a command: first with None, then with what its global options say."""
    _entered[:] = [frame] if frame else []


def current() -> Frame:
    """The frame of the command that runs, or the default one."""
    return _entered[0] if _entered else Frame()
