"""Steps run once, in order, side by side where they may, and go on after an interruption."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.commands import Say
from tools.errors import BuildError, MissingToolError, StepFailedError, ToolError
from tools.steps import Step, run_steps


class Recorder:
    """Notes what a display is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, step: Step) -> None:
        self.told.append(f"begin {step.name}")

    def line(self, step: Step, text: str) -> None:
        self.told.append(f"{step.name}: {text}")

    def end(self, step: Step, seconds: float, error: ToolError | None) -> None:
        assert seconds >= 0
        self.told.append(f"end {step.name}{' with an error' if error else ''}")


def make(folder: Path, name: str, *needs: str, run: Callable[[Say], object] | None = None) -> Step:
    """A step whose work is a file."""
    file = folder / name

    def write(say: Say) -> None:
        for need in needs:
            assert (folder / need).exists()
        say("working")
        file.touch()

    return Step(
        name=name, title=name, estimate=1, check=file.exists, run=run or write, needs=tuple(needs)
    )


def fail(_say: Say) -> None:
    raise MissingToolError("no compiler", remedy="get one")


def test_each_step_runs_after_what_it_needs(tmp_path: Path) -> None:
    display = Recorder()
    steps = [make(tmp_path, "c", "b"), make(tmp_path, "a"), make(tmp_path, "b", "a")]
    assert run_steps(steps, display) == ["a", "b", "c"]
    assert display.told[:3] == ["begin a", "a: working", "end a"]


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    steps = [make(tmp_path, "a"), make(tmp_path, "b", "a")]
    run_steps(steps, Recorder())
    display = Recorder()
    assert run_steps(steps, display) == []
    assert display.told == []


def test_a_failure_names_the_step_and_its_remedy_and_stops_what_follows(tmp_path: Path) -> None:
    display = Recorder()
    steps = [make(tmp_path, "a"), make(tmp_path, "b", "a", run=fail), make(tmp_path, "c", "b")]
    with pytest.raises(StepFailedError, match=r"step 'b' failed: no compiler\n.*get one") as caught:
        run_steps(steps, display)
    assert isinstance(caught.value.__cause__, MissingToolError)
    assert display.told[-1] == "end b with an error"
    assert not (tmp_path / "c").exists()


def test_after_a_failure_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(StepFailedError):
        run_steps([make(tmp_path, "a"), make(tmp_path, "b", "a", run=fail)], Recorder())
    steps = [make(tmp_path, "a"), make(tmp_path, "b", "a"), make(tmp_path, "c", "b")]
    assert run_steps(steps, Recorder()) == ["b", "c"]


def test_what_runs_beside_a_failure_ends_first(tmp_path: Path) -> None:
    failed = threading.Event()

    def slow(_say: Say) -> None:
        assert failed.wait(5)
        (tmp_path / "slow").touch()

    def fast(say: Say) -> None:
        failed.set()
        fail(say)

    steps = [make(tmp_path, "slow", run=slow), make(tmp_path, "fast", run=fast)]
    with pytest.raises(StepFailedError, match="fast"):
        run_steps([*steps, make(tmp_path, "later", "slow")], Recorder())
    assert (tmp_path / "slow").exists()
    assert not (tmp_path / "later").exists()


def test_independent_steps_run_side_by_side(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=5)

    def meet(name: str) -> Callable[[Say], object]:
        def work(_say: Say) -> None:
            both.wait()
            (tmp_path / name).touch()

        return work

    steps = [make(tmp_path, name, run=meet(name)) for name in ("a", "b")]
    assert sorted(run_steps(steps, Recorder())) == ["a", "b"]


def test_what_was_cleared_away_while_it_was_made_is_made_once_more(tmp_path: Path) -> None:
    ran: list[str] = []

    def work(_say: Say) -> None:
        ran.append("a")
        if len(ran) > 1:
            (tmp_path / "a").touch()

    assert run_steps([make(tmp_path, "a", run=work)], Recorder()) == ["a"]
    assert len(ran) == 2


def test_a_step_that_did_not_make_its_thing_failed(tmp_path: Path) -> None:
    with pytest.raises(StepFailedError, match="not there") as caught:
        run_steps([make(tmp_path, "a", run=lambda _say: None)], Recorder())
    assert isinstance(caught.value.__cause__, BuildError)


def test_a_slip_in_the_list_is_told() -> None:
    nowhere = Path("/nonexistent")
    with pytest.raises(ValueError, match="a"):
        run_steps([make(nowhere, "a", "missing")], Recorder())


def test_a_bug_in_a_step_is_not_dressed_up(tmp_path: Path) -> None:
    def bug(_say: Say) -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run_steps([make(tmp_path, "a", run=bug)], Recorder())
