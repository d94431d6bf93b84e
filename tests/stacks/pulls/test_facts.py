"""What is looked at for a pull request makes nothing, and gives way to whoever wants the workspace."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spec import WorkspaceSpec
from stacks.bench import Bench as Judges
from stacks.demand import Demand
from stacks.engine import Kind
from stacks.errors import EngineUnavailableError
from stacks.pulls.facts import Looker
from stacks.review.compare import review
from stacks.review.model import Fleet, Review
from stacks.source import Snapshot
from state_index.models import utc_now
from state_index.phases import Phase
from tests.stacks.test_reconciler import UP, Bench, bench, spec_of
from tests.waiting import until

STANDS = (spec_of("aa"), spec_of("bb"), spec_of("cc"))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as found:
        found.power.networks.add("x-net")
        found.files(*STANDS)
        await found.queue.sweep(UP)
        found.engine.done.clear()
        yield found


def looker(one: Bench) -> Looker:
    queue = one.queue
    return Looker(
        board=queue._board,
        sight=queue._sight,
        work=queue._work,
        bench=Judges(queue._board, utc_now),
        gaps=queue.gaps,
        facts=queue._facts,
        prunes=True,
    )


def fleet(*specs: WorkspaceSpec) -> Fleet:
    return Fleet(specs={spec.id: spec for spec in specs})


def asked(*specs: WorkspaceSpec) -> tuple[Review, Snapshot]:
    """A pull request that leaves these files."""
    after = fleet(*specs)
    return review(fleet(*STANDS), after), Snapshot(specs=after.specs, commit="f" * 40)


async def test_only_what_stands_is_previewed_and_nothing_is_made(one: Bench) -> None:
    there = dict(one.power.containers)
    specs = (spec_of("aa", env={"A": "b"}), spec_of("bb"), spec_of("fresh", image="missing"))
    facts = {fact.id: fact for fact in await looker(one).look(*asked(*specs))}
    assert {id_: fact.change.action for id_, fact in facts.items() if fact.change} == {
        "aa": "replace",
        "cc": "delete",
        "fresh": "create",
    }
    assert [fact.asked for fact in facts.values()].count(True) == 1
    assert facts["aa"].asked
    assert one.engine.done == [(Kind.PREVIEW, "aa")]
    assert one.power.containers == there
    assert (facts["aa"].phase, facts["aa"].homes, facts["fresh"].phase) == (Phase.RUNNING, 1, None)
    assert one.index.workspace("fresh") is None
    assert one.row("aa").spec_json == STANDS[0].model_dump_json()


async def test_whoever_wants_the_workspace_does_not_wait_for_its_preview(one: Bench) -> None:
    await one.queue.submit("aa", Demand(cause="stop", asked=False))
    one.engine.going.clear()
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(
            looker(one).look(*asked(spec_of("aa", env={"A": "b"}), *STANDS[1:]))
        )
        await until(lambda: one.engine.running == ["aa"])
        started = one.queue.submit("aa", Demand(cause="start", asked=True))
        assert (await started).phase == Phase.RUNNING
        (fact,) = await looking
    assert (fact.asked, fact.change is not None) == (False, True)
    assert one.engine.running == []


async def test_a_look_of_the_runner_ends_no_preview(one: Bench) -> None:
    one.engine.going.clear()
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(
            looker(one).look(*asked(spec_of("aa", env={"A": "b"}), *STANDS[1:]))
        )
        await until(lambda: one.engine.running == ["aa"])
        looked = one.queue.submit("aa", Demand(cause="the files or the engine changed"))
        one.engine.going.set()
        (fact,) = await looking
        assert fact.asked
        assert (await looked).ok


async def test_an_engine_that_does_not_answer_is_told(one: Bench) -> None:
    one.power.failures["container"] = [EngineUnavailableError("no engine")]
    facts = await looker(one).look(*asked(spec_of("aa", env={"A": "b"}), spec_of("bb")))
    assert facts[0].problem == "no engine"
    assert [fact.problem for fact in facts].count("") == len(facts) - 1


async def test_what_is_there_tells_when_to_look_again(one: Bench) -> None:
    made, _ = asked(spec_of("aa", env={"A": "b"}), *STANDS[1:])
    found = looker(one)
    first = await found.print_of(made)
    assert await found.print_of(made) == first
    await one.queue.submit("bb", Demand(cause="stop", asked=False))
    assert await found.print_of(made) == first
    await one.queue.submit("aa", Demand(cause="stop", asked=False))
    assert await found.print_of(made) != first
