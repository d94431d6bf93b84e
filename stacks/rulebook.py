"""Workspaces, owners and rules as the room `policies` takes them: from files, and from what stands. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from pydantic import ValidationError

from policies import model
from policies.model import Policies, Workspace
from policies.rules import IMAGE_ALLOWED
from policies.windows import DAY, Window
from policies.words import Level
from spec import OwnersFile, PoliciesFile, RuleFiles, WorkspaceSpec
from spec import owners as owners_file
from spec.window_values import DAYS
from spec.windows import SyncWindow
from stacks.planned import GONE
from stacks.source import Snapshot
from state_index.models import Published
from state_index.phases import Phase

MOST_PARSED = 16_384
"""Workspaces whose last file is kept in parsed form: all are looked at for each one that changes."""

_MILLI = 1000


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """What one reading of the files asks for, and by which rules: the same for every look at it.

    Attributes:
        files: The files of owners and rules.
        desired: What valid workspace files ask for, by id.
        owners: What `_owners.yaml` says.
        policies: What `_policies.yaml` says.
    """

    files: RuleFiles
    desired: Mapping[str, Workspace] = field(default_factory=dict)
    owners: model.Owners | None = None
    policies: Policies | None = None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Take it from a reading."""
        files = snapshot.rules
        if not files.any:
            return cls(files=files)
        return cls(
            files=files,
            desired={id_: workspace(found) for id_, found in snapshot.specs.items()},
            owners=owners_of(files.owners),
            policies=policies_of(files.policies),
        )


def standing(
    snapshot: Snapshot,
    rows: Mapping[str, Published],
    containers: Collection[str],
    *,
    prunes: bool,
) -> dict[str, Workspace]:
    """Give what stands: as it was last worked on, whether or not its file is there still.

    Not of one that goes for its file being gone, or that is another one now. Of one that an index knows nothing of any more the file is believed: that it grew cannot be told.
    """
    found: dict[str, Workspace] = {}
    for id_ in snapshot.ids:
        row, spec = rows.get(id_), snapshot.specs.get(id_)
        before = _last(row)
        if before is not None:
            found[id_] = before
        elif spec is not None and (id_ in containers or _has_stood(row)):
            found[id_] = workspace(spec)
    if not (prunes and snapshot.complete):
        found |= _without_file(snapshot, rows, containers)
    return found


def _without_file(
    snapshot: Snapshot, rows: Mapping[str, Published], containers: Collection[str]
) -> dict[str, Workspace]:
    found: dict[str, Workspace] = {}
    for id_ in rows.keys() - snapshot.ids - snapshot.heirs.keys():
        row = rows[id_]
        last, is_made = _last(row), _has_stood(row) or id_ in containers
        if last is not None and is_made and row.phase is not Phase.DELETING:
            found[id_] = last
    return found


def _last(row: Published | None) -> Workspace | None:
    if row is None or row.phase in GONE or not row.spec_json:
        return None
    return _parsed(row.spec_json)


@lru_cache(maxsize=MOST_PARSED)
def _parsed(spec_json: str) -> Workspace | None:
    try:
        return workspace(WorkspaceSpec.model_validate_json(spec_json))
    except ValidationError:
        return None  # of an older or newer release


def _has_stood(row: Published | None) -> bool:
    return row is not None and bool(row.applied_hash) and row.phase not in GONE


def workspace(spec: WorkspaceSpec) -> Workspace:
    """Give a workspace as the rules see it."""
    return Workspace(
        id=spec.id,
        owner=spec.owner,
        image=spec.image,
        millicores=round(spec.resources.cpu * _MILLI),
        memory=spec.resources.memory,
        digest=spec.model_dump_json(),
    )


def owners_of(file: OwnersFile | None) -> model.Owners | None:
    """Give owners as the rules see them."""
    if file is None:
        return None
    return model.Owners(
        people={
            name: model.Person(name=name, logins=dict(found.logins), quota=quota_of(found.quota))
            for name, found in file.people.items()
        },
        teams={
            name: model.Team(
                name=name,
                members=frozenset(found.members),
                maintainers=frozenset(found.maintainers),
                quota=quota_of(found.quota),
            )
            for name, found in file.teams.items()
        },
        approvers=frozenset(file.approvers),
        admins=frozenset(file.admins),
    )


def policies_of(file: PoliciesFile | None) -> Policies | None:
    """Give policies as the rules see them."""
    if file is None:
        return None
    rules = file.rules
    levels = {"owner-listed": rules.owner_listed, "quota-owner": rules.quota_owner}
    levels["quota-team"] = rules.quota_team
    if rules.image_allowed is not None:
        levels[IMAGE_ALLOWED] = rules.image_allowed
    return Policies(
        levels={id_: Level(found.level) for id_, found in levels.items()},
        images=tuple(rules.image_allowed.images) if rules.image_allowed else None,
        owner_quota=quota_of(file.quotas.owner),
        team_quota=quota_of(file.quotas.team),
        exemptions=tuple(
            model.Exemption(
                rule=found.rule,
                workspaces=frozenset(found.workspaces),
                reason=found.reason,
                until=found.until,
            )
            for found in file.exemptions
        ),
        windows=tuple(map(window_of, file.windows)),
    )


def window_of(file: SyncWindow) -> Window:
    """Give a sync window as the rules see it."""
    return Window(
        allows=file.kind == "allow",
        days=frozenset(map(DAYS.index, file.days)),
        begin=_minutes(file.begin),
        end=_minutes(file.end),
        zone=file.zone,
        workspaces=tuple(file.workspaces),
        reason=file.reason or "",
    )


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * (DAY // 24) + int(minutes)


def quota_of(file: owners_file.Quota) -> model.Quota:
    """Give a quota as the rules see it."""
    return model.Quota(
        millicores=None if file.cpu is None else round(file.cpu * _MILLI),
        memory=file.memory,
        workspaces=file.workspaces,
    )
