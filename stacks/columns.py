"""A workspace in three columns: what its file says, what was applied, what the engine has. Pure.

What differs is told by `stacks.drift`, which compares for healing too; here it is only laid out.
Values of variables that look like secrets are not told, nor labels and commands that are not ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from spec import WorkspaceSpec
from stacks import drift, drifting
from stacks.looks import Comparison, Line
from stacks.observed import Observed
from stacks.planned import GONE, Change, Known
from stacks.programs.inputs import LABEL_OWNER, LABEL_PIDS, LABEL_SPEC_HASH, HomeInputs
from stacks.rendering import Facts, render
from stacks.secrecy import looks_secret, repeated
from state_index.models import Published
from state_index.phases import Sync
from telemetry.words import printable

LONGEST = 200
"""Most characters of a value that are told."""

HIDDEN = "(hidden)"
HIDDEN_OTHER = "(hidden, another one)"

_FOLLOWS = frozenset({f"label.{LABEL_SPEC_HASH}", f"label.{LABEL_PIDS}"})
"""Labels that say no more than what they are made of."""
_NAMES = {f"label.{LABEL_OWNER}": "owner"}
_OURS = "label.codehub."


@dataclass(frozen=True)
class _Columns:
    """The values of each side, by key; None for a side that is not there."""

    file: Mapping[str, str] | None
    applied: Mapping[str, str] | None
    engine: Mapping[str, str] | None

    @property
    def secrets(self) -> frozenset[str]:
        """The values of variables that look like secrets, on any side."""
        sides = [side for side in (self.file, self.applied, self.engine) if side]
        return frozenset(
            value for side in sides for key, value in side.items() if looks_secret(key, value)
        )

    def of(self, key: str) -> tuple[str | None, str | None, str | None]:
        sides = (self.file, self.applied, self.engine)
        file, applied, engine = (None if side is None else side.get(key) for side in sides)
        return file, applied, engine


def compare(change: Change, *, facts: Facts, message: str = "") -> Comparison:
    """Lay a workspace out.

    Args:
        change: What the plan says of it, made from what was just seen.
        facts: What is the same for all workspaces.
        message: What is wrong with its file.
    """
    known = change.known
    row, spec, before = known.row, known.spec, applied_spec(known.row)
    seen = known.container.observed if known.container else None
    home = change.inputs.home if change.inputs else _home(known, spec or before)
    inputs = [render(each, facts=facts, home=home) if each else None for each in (spec, before)]
    image = seen.image if seen else None
    file, applied = (drift.wanted(each, image) if each else None for each in inputs)
    fields = {it.field for each in inputs if each and seen for it in drift.compare(each, seen)}
    fields |= _unlike(file, applied)
    columns = _Columns(file, applied, seen.values if seen else None)
    stays = {it.field for it in drifting.before(known) if it.stays}
    secrets = columns.secrets
    lines = [
        _line(key, columns, secrets, differs=key in fields, stays=stays)
        for key in _keys(columns, seen)
    ]
    told = message or (change.error.message if change.error else row.message if row else "")
    return Comparison(
        id=known.id,
        phase=str(row.phase) if row else "",
        sync=str(row.sync if row else Sync.OUT_OF_SYNC),
        message=told,
        lines=tuple(_without_echoes([*_own(known, spec, before), *lines])),
    )


def applied_spec(row: Published | None) -> WorkspaceSpec | None:
    """Give the file that was applied last, or was tried; None where there is none that is known."""
    if row is None or row.phase in GONE or not row.spec_json:
        return None
    try:
        return WorkspaceSpec.model_validate_json(row.spec_json)
    except ValidationError:
        return None  # of an older or newer release


def _home(known: Known, spec: WorkspaceSpec | None) -> HomeInputs:
    """Give the home that is there, also where the plan would not go by it."""
    if not known.homes:
        return HomeInputs(number=1, owner=spec.owner if spec else "")
    home = known.homes[-1]
    of = home.workspace if home.workspace != known.id else ""
    return HomeInputs(number=home.number, owner=home.owner, exists=True, workspace=of)


def _unlike(one: Mapping[str, str] | None, two: Mapping[str, str] | None) -> set[str]:
    if one is None or two is None:
        return set()
    return {key for key in one.keys() | two.keys() if one.get(key) != two.get(key)}


def _keys(columns: _Columns, seen: Observed | None) -> list[str]:
    """The keys in a stable order; of an image that is gone nobody knows what came from it."""
    ours = [*(columns.file or {}), *(columns.applied or {})]
    more = sorted(columns.engine or {}) if seen and seen.image is not None else ()
    return list(dict.fromkeys([*ours, *more]))


def _line(
    key: str, columns: _Columns, secrets: frozenset[str], *, differs: bool, stays: set[str]
) -> Line:
    file, applied, engine = _told(key, columns.of(key), secrets)
    return Line(
        key=_NAMES.get(key, key),
        file=file if columns.file is not None else None,
        applied=applied if columns.applied is not None else None,
        engine=engine if columns.engine is not None else None,
        differs=differs,
        stays=key in stays,
    )


def _told(
    key: str, values: tuple[str | None, str | None, str | None], secrets: frozenset[str]
) -> tuple[str | None, str | None, str | None]:
    """Write values for people; of what may be a secret only which are the same."""
    if key == drift.LOGS:
        # Some drivers are given a password for where they write to.
        file, applied, engine = (None if it is None else it.split(" ", 1)[0] for it in values)
        return file, applied, engine
    if not any(_is_hidden(key, value, secrets) for value in values if value is not None):
        file, applied, engine = (None if value is None else _clean(value) for value in values)
        return file, applied, engine
    first = next(value for value in values if value is not None)
    file, applied, engine = (
        None if value is None else HIDDEN if value == first else HIDDEN_OTHER for value in values
    )
    return file, applied, engine


def _is_hidden(key: str, value: str, secrets: frozenset[str]) -> bool:
    if key.startswith(("command", "entrypoint")):
        return True
    if key.startswith("label."):
        return not key.startswith(_OURS)
    return looks_secret(key, value) or (key.startswith("env.") and repeated(value, secrets))


def _clean(value: str) -> str:
    text = printable(" ".join(value.split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _own(known: Known, spec: WorkspaceSpec | None, before: WorkspaceSpec | None) -> list[Line]:
    """What is said of the workspace, and is on no container."""
    container = known.container
    lines = [
        Line(
            key=drift.CONTAINER,
            file="there" if spec else None,
            applied="there" if before else None,
            engine="there" if container else "gone",
            differs=(container is None) is not (spec is None),
        ),
        Line(
            key=drift.STATE,
            file=spec.state if spec else None,
            applied=before.state if before else None,
            engine=container.state if container else None,
            differs=_is_switched(known, spec)
            or bool(spec and before and spec.state != before.state),
        ),
    ]
    drifts = [it.drift if it else None for it in (spec, before)]
    differs = None not in drifts and drifts[0] != drifts[1]
    return [*lines, Line(key="drift", file=drifts[0], applied=drifts[1], differs=differs)]


def _is_switched(known: Known, spec: WorkspaceSpec | None) -> bool:
    """Whether it is on or off against its file, or by another hand."""
    if any(it.field == drift.STATE for it in drifting.before(known)):
        return True
    pinned = spec.state if spec and known.container else "auto"
    return pinned != "auto" and (pinned == "running") is not known.running


def _without_echoes(lines: list[Line]) -> list[Line]:
    """Leave out that labels differ which only say what other lines say."""
    echoes = {line.key for line in lines} & _FOLLOWS
    if not any(line.differs and line.key not in echoes for line in lines):
        return lines
    return [replace(line, differs=False) if line.key in echoes else line for line in lines]
