"""What is seen, judged: each gap alone, and what is called neither open nor closed."""

from dataclasses import replace

import pytest

from settings.types import Gap
from stacks.isolation.remedies import REMEDIES, remedy, told
from stacks.isolation.verdict import (
    ANSWER_OF_OUR_RULE,
    Attempt,
    Finding,
    Seen,
    State,
    Verdict,
    judge,
)

ADDRESSES = {
    Gap.WORKSPACE_IPV4: "172.18.0.3:1",
    Gap.WORKSPACE_IPV6: "[fd00::3]:1",
    Gap.HOST_IPV4: "172.18.0.1:1",
    Gap.HOST_IPV6: "[fe80::1]:1",
}
METADATA = "169.254.169.254:80"
OWN = Attempt(address="/run/codehub/ide.sock", connected=True, said="HTTP/1.0 200 OK own")
ENGINE = "HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\n"


def closed(gap: Gap, address: str, failure: str = "timeout") -> Attempt:
    return Attempt(gap=gap, address=address, connected=False, failure=failure)


GOOD = Seen(
    dialled=(
        *(closed(gap, address) for gap, address in ADDRESSES.items()),
        closed(Gap.METADATA, METADATA, ANSWER_OF_OUR_RULE),
    ),
    sockets=(OWN,),
    reached=dict.fromkeys(ADDRESSES.values(), True),
    linked=True,
    ipv6=True,
    own="own",
    other="other",
    engine=ENGINE,
)


def states(seen: Seen) -> dict[Gap, State]:
    return {found.gap: found.state for found in judge(seen).findings}


CLOSED = dict.fromkeys(Gap, State.CLOSED)


def changed(gap: Gap, **change: object) -> tuple[Attempt, ...]:
    return tuple(
        replace(each, **change) if each.gap is gap else each  # type: ignore[arg-type]
        for each in GOOD.dialled
    )


def test_with_every_control_what_is_not_reached_is_closed() -> None:
    assert states(GOOD) == CLOSED
    assert judge(GOOD).unenforced() == ()
    assert judge(GOOD).named


@pytest.mark.parametrize("gap", [*ADDRESSES, Gap.METADATA])
def test_what_is_reached_is_open_whatever_the_controls_say(gap: Gap) -> None:
    seen = replace(GOOD, dialled=changed(gap, connected=True), reached={}, linked=False)
    assert states(seen)[gap] is State.OPEN
    assert states(replace(GOOD, dialled=changed(gap, connected=True))) == CLOSED | {gap: State.OPEN}


@pytest.mark.parametrize("gap", ADDRESSES)
def test_a_listener_that_nobody_reaches_proves_nothing(gap: Gap) -> None:
    seen = replace(GOOD, reached={**GOOD.reached, ADDRESSES[gap]: False})
    assert states(seen) == CLOSED | {gap: State.UNPROVEN}
    gone = replace(GOOD, dialled=tuple(each for each in GOOD.dialled if each.gap is not gap))
    assert states(gone) == CLOSED | {gap: State.UNPROVEN}


def test_a_probe_without_a_network_proves_nothing() -> None:
    assert states(replace(GOOD, linked=False)) == CLOSED | dict.fromkeys(ADDRESSES, State.UNPROVEN)


def test_without_ipv6_there_is_no_way_by_it() -> None:
    ipv6 = (Gap.WORKSPACE_IPV6, Gap.HOST_IPV6)
    kept = tuple(each for each in GOOD.dialled if each.gap not in ipv6)
    seen = replace(GOOD, dialled=kept, ipv6=False)
    assert states(seen) == CLOSED | dict.fromkeys(ipv6, State.ABSENT)
    assert judge(seen).unenforced() == ()


@pytest.mark.parametrize(
    ("failure", "reached", "linked", "state"),
    [
        (ANSWER_OF_OUR_RULE, False, True, State.CLOSED),
        ("timeout", True, True, State.CLOSED),
        ("timeout", True, False, State.UNPROVEN),
        ("timeout", False, True, State.UNPROVEN),
        ("no route to host", False, True, State.UNPROVEN),
    ],
)
def test_metadata_is_closed_by_our_rules_answer_or_by_comparison(
    failure: str, reached: bool, linked: bool, state: State
) -> None:
    seen = replace(
        GOOD,
        dialled=changed(Gap.METADATA, failure=failure),
        reached={**GOOD.reached, METADATA: reached},
        linked=linked,
    )
    assert states(seen)[Gap.METADATA] is state


@pytest.mark.parametrize(
    ("sockets", "gap", "state"),
    [
        ((OWN, Attempt(address="/srv/a.sock", connected=True, said="other")), "workspace", "open"),
        ((OWN, Attempt(address="/srv/a.sock", connected=True)), "workspace", "open"),
        ((OWN, Attempt(address="/srv/d.sock", connected=True, said=ENGINE)), "engine", "open"),
        # A proxy before it may write names of headers small.
        ((OWN, Attempt(address="/e", connected=True, said=ENGINE.lower())), "engine", "open"),
        ((OWN, Attempt(address="/srv/d.sock", connected=False, said="")), "engine", "closed"),
    ],
)
def test_sockets_are_known_by_what_they_say(
    sockets: tuple[Attempt, ...], gap: str, state: str
) -> None:
    expected = CLOSED | {Gap(f"{gap}-socket"): State(state)}
    assert states(replace(GOOD, sockets=sockets)) == expected


def test_a_probe_that_does_not_find_its_own_socket_proves_nothing() -> None:
    blind = CLOSED | dict.fromkeys((Gap.WORKSPACE_SOCKET, Gap.ENGINE_SOCKET), State.UNPROVEN)
    assert states(replace(GOOD, sockets=())) == blind
    assert states(replace(GOOD, sockets=(replace(OWN, connected=False, said=""),))) == blind


def test_an_engine_that_does_not_answer_as_one_could_not_be_told() -> None:
    expected = CLOSED | {Gap.ENGINE_SOCKET: State.UNPROVEN}
    assert states(replace(GOOD, engine="")) == expected


def test_an_engine_is_also_tried_where_it_listens() -> None:
    reached = Attempt(gap=Gap.ENGINE_SOCKET, address="192.0.2.1:2375", connected=True)
    seen = replace(GOOD, dialled=(*GOOD.dialled, reached))
    assert states(seen) == CLOSED | {Gap.ENGINE_SOCKET: State.OPEN}


def test_what_could_not_be_told_is_worth_another_try_unless_something_is_open() -> None:
    unproven = replace(GOOD, linked=False)
    assert judge(unproven).unclear
    assert not judge(GOOD).unclear
    assert not judge(replace(unproven, run_open=True)).unclear


def test_a_run_folder_that_is_open_is_a_gap() -> None:
    assert states(replace(GOOD, run_open=True)) == CLOSED | {Gap.WORKSPACE_SOCKET: State.OPEN}


def test_what_is_allowed_is_left_out_and_every_gap_has_a_remedy() -> None:
    findings = tuple(Finding(gap=gap, state=State.OPEN, detail="x") for gap in Gap)
    verdict = Verdict(findings=findings)
    assert [each.gap for each in verdict.unenforced({Gap.METADATA})] == [
        gap for gap in Gap if gap is not Gap.METADATA
    ]
    said = remedy(findings)
    assert said.count("codehub isolation rules") == 2  # once alone, once with a sysctl
    assert said.endswith(f"Or accept it: CODEHUB_ALLOW_UNENFORCED={','.join(Gap)}")
    assert set(REMEDIES) == set(Gap)
    assert told(findings[:1]).endswith("is not enforced: workspace-ipv4 (open: x)")


def test_a_verdict_is_the_same_after_it_was_written_down() -> None:
    assert Verdict.from_json(judge(GOOD).to_json()) == judge(GOOD)
