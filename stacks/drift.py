"""Compares a container with what its workspace's program would make. Pure.

The wanted side is rendered from the same inputs as Pulumi's (`stacks.programs.shape`), not read from
Pulumi's state: its refresh never reads variables and labels back. A difference names no values of
variables, nor of labels that are not ours: they may be secrets, and it is shown, logged and kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from stacks.observed import NONE, OWN_VOLUME, Observed, cores, logs, mount, size
from stacks.programs import shape
from stacks.programs.inputs import HOME_PATH, RUN_PATH, USER, WorkspaceInputs
from telemetry.words import printable

IN_PLACE = frozenset({"memory", "memory and swap", "pids", "restart"})
"""What an `up` sets right on a living container; for all else but `is_detached`, it is made anew."""

_APART = frozenset({"pids", "restart"})
"""Of these what needs no Pulumi. The limit of memory and swap is never below memory's: it waits with it."""

STATE = "state"
CONTAINER = "container"
IDENTITY = "container id"

SHOWN = 6
"""Most differences that are told in words."""
LONGEST = 60
"""Most characters of a value that are told."""
SHORT_ID = 12

_IMAGES = ("env.", "label.", "mount.", "command", "entrypoint", "working folder")
"""Keys whose value may come from the image."""


LOGS = "logs"
"""How its output is kept: the driver and its options."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as it was made.

    Attributes:
        field: What: ``memory``, ``env.TZ``, ``network``, ``state``, ...
        wanted: How it should be, in words.
        found: How it is.
        stays: Whether it was so right after our own `up`: the engine does it, and nothing heals it.
    """

    field: str
    wanted: str
    found: str
    stays: bool = False

    def __str__(self) -> str:
        return f"{printable(self.field)} {self.wanted} → {self.found}"

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "field": self.field,
            "wanted": self.wanted,
            "found": self.found,
            "stays": self.stays,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave."""
        return cls(**data)


def wanted(inputs: WorkspaceInputs, image: Mapping[str, str] | None) -> dict[str, str]:
    """Give what a container has right after an `up`, by the keys of `Observed`."""
    memory = size(shape.memory(inputs) * shape.MIB)
    return {
        **(image or {}),
        "image": inputs.image,
        "memory": memory,
        "memory and swap": memory,
        "cpu": cores(round(inputs.cpu * 1e9)),
        "pids": str(inputs.pids),
        "cpu quota": NONE,
        "cpu shares": NONE,
        "cpus": NONE,
        "user": USER,
        "restart": shape.RESTART,
        "network": inputs.network,
        "privileged": "no",
        "capabilities dropped": shape.DROPPED,
        "capabilities added": NONE,
        "security options": shape.SECURITY,
        "shares with the host": NONE,
        "devices": NONE,
        "ports": NONE,
        "removes itself": "no",
        LOGS: logs(shape.LOG_DRIVER, shape.LOG_OPTIONS),
        f"mount.{HOME_PATH}": mount("volume", inputs.volume),
        f"mount.{RUN_PATH}": mount("bind", inputs.run_folder),
        **{f"env.{name}": value for name, value in shape.environment(inputs).items()},
        **{f"label.{name}": value for name, value in shape.labels(inputs).items()},
    }


def compare(inputs: WorkspaceInputs, observed: Observed) -> tuple[Difference, ...]:
    """Give all that is not as it was made, as far as can be seen."""
    should, found = wanted(inputs, observed.image), observed.values
    keys = [*should, *sorted(found.keys() - should.keys())]
    if not observed.complete:
        # What else it shows may come from the image.
        keys = [key for key in should if is_listed(key)]
    elif observed.image is None:
        keys = [key for key in keys if key in should or not _is_the_images(key, found[key])]
    return tuple(
        _difference(key, should.get(key), found.get(key))
        for key in keys
        if should.get(key) != found.get(key)
    )


def is_listed(key: str) -> bool:
    """Whether the list of containers shows it."""
    return key in {"network", STATE, CONTAINER} or key.startswith("label.codehub.")


def _is_the_images(key: str, value: str) -> bool:
    """Whether it may have come from an image that is not there any more."""
    return value == OWN_VOLUME if key.startswith("mount.") else key.startswith(_IMAGES)


def _difference(key: str, should: str | None, is_: str | None) -> Difference:
    if key == LOGS:
        return _logs(should, is_)
    if not _is_hidden(key):
        return Difference(field=key, wanted=_told(should), found=_told(is_))
    return Difference(
        field=key,
        wanted="not set" if should is None else "set",
        found="not set" if is_ is None else "set" if should is None else "another value",
    )


def _logs(should: str | None, is_: str | None) -> Difference:
    """Tell the drivers alone: what some are given is a password for where they write to."""
    wanted, found = (_told(value).split(" ", 1)[0] for value in (should, is_))
    if wanted == found:
        found = f"{found} with other options"
    return Difference(field=LOGS, wanted=wanted, found=found)


def _is_hidden(key: str) -> bool:
    ours = key.startswith("label.codehub.")
    return not ours and key.startswith(("env.", "label.", "command", "entrypoint"))


def _told(value: str | None) -> str:
    text = printable(" ".join((value or NONE).split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def is_detached(difference: Difference) -> bool:
    """Whether it was taken off its network, and put on no other: it can be put back as it is."""
    return (difference.field, difference.found) == ("network", NONE)


def is_apart(difference: Difference) -> bool:
    """Whether it can be set right on a living container without a word on its memory."""
    return difference.field in _APART or is_detached(difference)


def stopped(state: str) -> Difference:
    """Say that it was stopped by another hand."""
    return Difference(field=STATE, wanted="running", found=state)


def gone() -> Difference:
    """Say that it was removed by another hand."""
    return Difference(field=CONTAINER, wanted="there", found="gone")


def replaced(ours: str, found: str) -> Difference:
    """Say that another one has its name."""
    return Difference(field=IDENTITY, wanted=ours[:SHORT_ID], found=found[:SHORT_ID])


def standing(found: Iterable[Difference], before: Iterable[Difference]) -> tuple[Difference, ...]:
    """Mark those that are known to stay."""
    stays = {each for each in before if each.stays}
    marked = ((each, replace(each, stays=True)) for each in found)
    return tuple(kept if kept in stays else each for each, kept in marked)


def words(differences: Iterable[Difference]) -> str:
    """Tell differences on one line."""
    told = [str(each) for each in differences]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return ", ".join(told[:SHOWN]) + more


def read(plain: Iterable[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """Take what a row has."""
    return tuple(map(Difference.from_json, plain))


def plain(differences: Iterable[Difference]) -> tuple[dict[str, Any], ...]:
    """Give what a row takes."""
    return tuple(each.to_json() for each in differences)
