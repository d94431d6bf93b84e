"""Judges what a probe saw: each gap is closed, open, or not shown to be either. Pure.

A probe that reaches nothing proves nothing by itself, so *closed* also wants the control: the same
listener was reached by a way that is allowed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from settings.types import Gap

ANSWER_OF_OUR_RULE = "ENOPROTOOPT"
"""How the rule for metadata shows at who asks; see `rules`."""

ENGINE_SIGN = "api-version:"
"""What a container engine's answer to a ping holds, in any case: a proxy may stand before it."""


class State(StrEnum):
    """What is known of one gap."""

    CLOSED = "closed"
    OPEN = "open"
    UNPROVEN = "unproven"
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One thing that the probe tried from inside.

    Attributes:
        gap: What it is about.
        address: What was tried.
        connected: Whether a connection was made.
        said: What came over it.
        failure: Why there was none.
    """

    gap: Gap | None = None
    address: str
    connected: bool
    said: str = ""
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All that one probe saw.

    Attributes:
        dialled: From inside, over the network.
        sockets: From inside, in the files.
        reached: Whether the address was reached by an allowed way, for each that was dialled.
        linked: Whether the one that tried was itself reached over the network.
        ipv6: Whether it has an IPv6 address at all.
        own: What its own socket answers with.
        other: What the other's socket answers with; it was reached by the allowed way.
        engine: What the engine answers us.
        run_open: Whether the parent of the run folders is open to any user of this machine.
        named: Whether it could resolve a name on its network.
    """

    dialled: tuple[Attempt, ...]
    sockets: tuple[Attempt, ...]
    reached: Mapping[str, bool]
    linked: bool
    ipv6: bool
    own: str
    other: str
    engine: str
    run_open: bool = False
    named: bool = True


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is known of one gap, and how."""

    gap: Gap
    state: State
    detail: str

    @property
    def enforced(self) -> bool:
        """Whether nothing has to be said about it."""
        return self.state in {State.CLOSED, State.ABSENT}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of all gaps.

    Attributes:
        findings: One for each gap.
        named: Whether names are resolved inside, which isolation must not break.
    """

    findings: tuple[Finding, ...] = field(default_factory=tuple)
    named: bool = True

    @property
    def unclear(self) -> bool:
        """Whether something could not be told, and nothing is known to be open."""
        states = {each.state for each in self.findings}
        return State.UNPROVEN in states and State.OPEN not in states

    def unenforced(self, allowed: Iterable[Gap] = ()) -> tuple[Finding, ...]:
        """Give what is not enforced, without what is allowed to be."""
        spared = frozenset(allowed)
        return tuple(f for f in self.findings if not f.enforced and f.gap not in spared)

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {"findings": [asdict(each) for each in self.findings], "named": self.named}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Take what `to_json` gave.

        Raises:
            ValueError, KeyError, TypeError: It is something else, or does not tell of every gap.
        """
        findings = tuple(
            Finding(gap=Gap(each["gap"]), state=State(each["state"]), detail=str(each["detail"]))
            for each in data["findings"]
        )
        if sorted(each.gap for each in findings) != sorted(Gap):
            raise ValueError("a verdict tells of every gap once")
        return cls(findings=findings, named=bool(data["named"]))


def judge(seen: Seen) -> Verdict:
    """Judge all that was seen."""
    dialled = (
        Gap.WORKSPACE_IPV4,
        Gap.WORKSPACE_IPV6,
        Gap.HOST_IPV4,
        Gap.HOST_IPV6,
    )
    return Verdict(
        findings=(
            *(_dialled(gap, seen) for gap in dialled),
            _metadata(seen),
            _others_socket(seen),
            _engines_socket(seen),
        ),
        named=seen.named,
    )


def _of(gap: Gap, seen: Seen) -> tuple[Attempt, ...]:
    return tuple(attempt for attempt in seen.dialled if attempt.gap is gap)


def _dialled(gap: Gap, seen: Seen) -> Finding:
    tried = _of(gap, seen)
    if found := [each.address for each in tried if each.connected]:
        return _found(gap, State.OPEN, f"reached {', '.join(found)}")
    if not seen.ipv6 and gap in {Gap.WORKSPACE_IPV6, Gap.HOST_IPV6}:
        return _found(gap, State.ABSENT, "workspaces have no IPv6 here")
    if not tried:
        return _found(gap, State.UNPROVEN, "there was nothing to try")
    if not seen.linked:
        return _found(gap, State.UNPROVEN, "the probe itself was not reached over the network")
    if deaf := [each.address for each in tried if not seen.reached.get(each.address)]:
        told = f"{', '.join(deaf)} was not reached by the allowed way either"
        return _found(gap, State.UNPROVEN, told)
    return _found(gap, State.CLOSED, ", ".join(f"{a.address}: {a.failure}" for a in tried))


def _metadata(seen: Seen) -> Finding:
    tried = _of(Gap.METADATA, seen)
    if found := [each.address for each in tried if each.connected]:
        return _found(Gap.METADATA, State.OPEN, f"reached {', '.join(found)}")
    if tried and all(each.failure == ANSWER_OF_OUR_RULE for each in tried):
        return _found(Gap.METADATA, State.CLOSED, "our rule answered")
    if tried and seen.linked and all(seen.reached.get(each.address) for each in tried):
        return _found(Gap.METADATA, State.CLOSED, "this machine reaches it, the workspace does not")
    told = "our rule did not answer, and there is no service here to compare with"
    return _found(Gap.METADATA, State.UNPROVEN, told)


def _others_socket(seen: Seen) -> Finding:
    gap = Gap.WORKSPACE_SOCKET
    foreign = [
        each.address
        for each in seen.sockets
        if each.connected and seen.own not in each.said and not _is_engine(each.said)
    ]
    if foreign:
        return _found(gap, State.OPEN, f"reached {', '.join(foreign)}")
    if seen.run_open:
        told = "the parent of the run folders is open to every user of this machine"
        return _found(gap, State.OPEN, told)
    if not _found_own(seen):
        return _found(gap, State.UNPROVEN, "the probe did not find its own socket")
    return _found(gap, State.CLOSED, "of all sockets in its files it reached its own only")


def _engines_socket(seen: Seen) -> Finding:
    gap = Gap.ENGINE_SOCKET
    answered = [each for each in seen.sockets if each.connected and _is_engine(each.said)]
    answered += [each for each in _of(gap, seen) if each.connected]
    if answered:
        return _found(gap, State.OPEN, f"reached {', '.join(each.address for each in answered)}")
    if not _found_own(seen):
        return _found(gap, State.UNPROVEN, "the probe did not find its own socket")
    if not _is_engine(seen.engine):
        return _found(gap, State.UNPROVEN, "the engine did not answer us as an engine does")
    return _found(gap, State.CLOSED, "no socket in its files is the engine's")


def _is_engine(said: str) -> bool:
    return ENGINE_SIGN in said.lower()


def _found_own(seen: Seen) -> bool:
    return any(each.connected and seen.own in each.said for each in seen.sockets)


def _found(gap: Gap, state: State, detail: str) -> Finding:
    return Finding(gap=gap, state=state, detail=detail)
