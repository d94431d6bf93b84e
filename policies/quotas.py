"""Whose quotas there are, how large they are, and what is said of one that is not enough. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from policies.model import Amount, Owners, Policies, Quota

OWNER = "owner"
TEAM = "team"
MILLI = 1000
_UNITS = (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10))


class Holder(NamedTuple):
    """Whose quota: `kind` is ``owner`` or ``team``."""

    kind: str
    name: str

    def __str__(self) -> str:
        """As a sentence begins with it."""
        return f"team {self.name}" if self.kind == TEAM else self.name


def holders(owner: str, owners: Owners | None) -> tuple[Holder, ...]:
    """Tell of whose quotas a workspace takes: its owner's, and those of the owner's teams."""
    teams = owners.teams_of(owner) if owners else ()
    return Holder(OWNER, owner), *(Holder(TEAM, team) for team in teams)


def named(owners: Owners | None) -> set[Holder]:
    """Give all that `_owners.yaml` names."""
    if owners is None:
        return set()
    people = {Holder(OWNER, name) for name in owners.people}
    return people | {Holder(TEAM, name) for name in owners.teams}


def quota_of(holder: Holder, owners: Owners | None, policies: Policies) -> Quota:
    """Give a quota: what `_owners.yaml` says, else the default of `_policies.yaml`, key by key."""
    default = policies.team_quota if holder.kind == TEAM else policies.owner_quota
    if owners is None:
        return default
    listed = owners.teams if holder.kind == TEAM else owners.people
    found = listed.get(holder.name)
    return found.quota.over(default) if found else default


def beyond(
    holder: Holder, workspace: str, used: Amount, more: Amount, quota: Quota
) -> Iterator[str]:
    """Say what of a quota is not enough for a workspace that asks for more: used, asked, limit."""
    for index, (limit, name) in enumerate(zip(quota.limits, Amount._fields, strict=True)):
        has, asks = used[index], more[index]
        if limit is None or asks <= 0 or has + asks <= limit:
            continue
        if name == "workspaces":
            yield f"{holder} has {has} of {limit} workspaces, and {workspace} would be one more"
            continue
        what = "CPU" if name == "millicores" else "memory"
        told = f"{holder} uses {shown(name, has)} of {shown(name, limit)} {what}"
        yield f"{told}, and {workspace} asks for {shown(name, asks)} more"


def shown(name: str, number: int) -> str:
    """Write an amount as files do: cores, sizes with a unit, a count."""
    if name == "millicores":
        return f"{number / MILLI:g}"
    return size(number) if name == "memory" else str(number)


def size(number: int) -> str:
    """Write bytes with the largest unit that keeps them exact.

    >>> size(3 << 29)
    '1536Mi'
    """
    unit = next(((name, by) for name, by in _UNITS if number and number % by == 0), None)
    return f"{number // unit[1]}{unit[0]}" if unit else f"{number} bytes"
