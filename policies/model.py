"""What the plan rules speak of: workspaces, owners, teams, quotas, exemptions. Plain frozen values.

Whoever reads files (`spec`) or asks an engine (`stacks`) fills them in; nothing here does. Numbers
are exact: CPU in thousandths of a core, memory in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from policies.windows import Window
from policies.words import Level


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A workspace as a file asks for it, or as it stands.

    Attributes:
        id: Its id.
        owner: Whose it is.
        image: Its image.
        millicores: CPU in thousandths of a core.
        memory: Bytes.
        digest: All else that its file says, in any form that differs when that does.
    """

    id: str
    owner: str
    image: str = ""
    millicores: int = 0
    memory: int = 0
    digest: str = ""

    @property
    def amount(self) -> "Amount":
        """What it takes of a quota."""
        return Amount(self.millicores, self.memory, 1)


class Amount(NamedTuple):
    """What is used, in the order of `Quota.limits`."""

    millicores: int = 0
    memory: int = 0
    workspaces: int = 0

    def plus(self, other: "Amount") -> "Amount":
        """Add."""
        return Amount(*(one + two for one, two in zip(self, other, strict=True)))

    def minus(self, other: "Amount") -> "Amount":
        """Take away."""
        return Amount(*(one - two for one, two in zip(self, other, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Quota:
    """The most that someone's workspaces may take together; None is no limit."""

    millicores: int | None = None
    memory: int | None = None
    workspaces: int | None = None

    @property
    def limits(self) -> tuple[int | None, int | None, int | None]:
        """The limits, in the order of `Amount`."""
        return self.millicores, self.memory, self.workspaces

    def over(self, default: "Quota") -> "Quota":
        """Fill what is not limited here from another one."""
        mine = zip(self.limits, default.limits, strict=True)
        cores, memory, workspaces = (other if own is None else own for own, other in mine)
        return Quota(millicores=cores, memory=memory, workspaces=workspaces)


@dataclass(frozen=True, kw_only=True)
class Person:
    """An owner. `logins` are names at forges where they differ, by forge."""

    name: str
    logins: Mapping[str, str] = field(default_factory=dict)
    quota: Quota = field(default_factory=Quota)


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team: its members share a quota, its maintainers may edit its members' files."""

    name: str
    members: frozenset[str] = frozenset()
    maintainers: frozenset[str] = frozenset()
    quota: Quota = field(default_factory=Quota)


@dataclass(frozen=True, kw_only=True)
class Owners:
    """What `_owners.yaml` says.

    Attributes:
        people: Who may own workspaces, by name.
        teams: By name.
        approvers: Who may approve destructive changes, and edit anybody's files.
        admins: The same, and they may change the files of owners and rules.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    approvers: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()

    def teams_of(self, owner: str) -> tuple[str, ...]:
        """Name the teams that someone is a member of."""
        return tuple(name for name in sorted(self.teams) if owner in self.teams[name].members)

    def by_login(self, forge: str, login: str) -> str | None:
        """Tell who has a login at a forge; forges do not mind upper and lower case."""
        wanted = login.lower()
        for person in self.people.values():
            if person.logins.get(forge, person.name).lower() == wanted:
                return person.name
        return None


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """Workspaces that one rule does not hold, up to and with a day (UTC)."""

    rule: str
    workspaces: frozenset[str]
    reason: str
    until: date

    def covers(self, rule: str, workspace: str) -> bool:
        """Whether it is about this rule and workspace, expired or not."""
        return rule == self.rule and workspace in self.workspaces

    def is_over(self, today: date) -> bool:
        """Whether it counts no more."""
        return today > self.until


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What `_policies.yaml` says.

    Attributes:
        levels: Of rules, where they are set.
        images: Patterns of allowed images; None allows all.
        owner_quota: Of who has none in `_owners.yaml`, key by key.
        team_quota: Of teams, likewise.
        exemptions: In the order of the file.
        windows: When changes may be applied, in the order of the file.
    """

    levels: Mapping[str, Level] = field(default_factory=dict)
    images: tuple[str, ...] | None = None
    owner_quota: Quota = field(default_factory=Quota)
    team_quota: Quota = field(default_factory=Quota)
    exemptions: tuple[Exemption, ...] = ()
    windows: tuple[Window, ...] = ()

    def exemption(self, rule: str, workspace: str, today: date) -> Exemption | None:
        """Give the exemption that holds today; of several, the one that holds longest."""
        return self.in_force(today).get((rule, workspace))

    def in_force(self, today: date) -> dict[tuple[str, str], Exemption]:
        """Give all that hold today, by rule and workspace; of several, the one that holds longest."""
        found = [each for each in self.exemptions if not each.is_over(today)]
        return {
            (each.rule, workspace): each
            for each in sorted(found, key=lambda each: each.until)
            for workspace in each.workspaces
        }

    def ended(self, rule: str, workspace: str, today: date) -> Exemption | None:
        """Give the exemption that held last, where none holds any more."""
        found = self._about(rule, workspace)
        if any(not each.is_over(today) for each in found):
            return None
        return max(found, key=lambda each: each.until, default=None)

    def expired(self, today: date) -> tuple[Exemption, ...]:
        """Give those that count no more, in the order of the file."""
        return tuple(each for each in self.exemptions if each.is_over(today))

    def _about(self, rule: str, workspace: str) -> list[Exemption]:
        return [each for each in self.exemptions if each.covers(rule, workspace)]
