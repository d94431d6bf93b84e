"""Errors of the settings.

SettingsError            everything that is wrong with the settings, in one report
DataFolderError          the data folder can't be used as it is
└── CopiedTreeError      it is a copy of a data tree that is still there
UnitError                a duration or a size that can't be read (a ValueError, for pydantic)
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSetting:
    """One wrong setting.

    Attributes:
        name: as the user wrote it: `CODEHUB_PORT`, or `port in codehub.toml`.
        problem: what is wrong; never quotes a secret.
        example: a line that would be right, or a hint.
    """

    name: str
    problem: str
    example: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}" + (f" (e.g. {self.example})" if self.example else "")


class SettingsError(Exception):
    """Everything that is wrong with the settings.

    Attributes:
        wrong: each wrong setting.
    """

    def __init__(self, wrong: Sequence[WrongSetting]) -> None:
        self.wrong = tuple(wrong)
        lines = "\n".join(f"  {item}" for item in self.wrong)
        noun = "setting is" if len(self.wrong) == 1 else "settings are"
        super().__init__(f"{len(self.wrong)} {noun} wrong:\n{lines}")


class SecretFileError(Exception):
    """A file is not fit to hold a secret; nothing of what it holds is told."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class DataFolderError(Exception):
    """The data folder can't be used as it is; the message says what to do."""


class CopiedTreeError(DataFolderError):
    """The data tree is a copy of one that is still there; both would claim the same workspaces."""


class UnitError(ValueError):
    """A duration or a size that can't be read."""
