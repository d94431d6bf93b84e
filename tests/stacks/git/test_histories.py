"""Random histories of a branch, with faults: every workspace ends at its last good file, none is lost.

A model says what each reading may do: a commit's files count, a bad one leaves what was, and only a
commit that was had, has a valid file and comes after the last one may remove.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from stacks.board import Board, Context
from stacks.git.commits import Commits
from stacks.git.mirror import Mirror
from stacks.git.place import Place
from stacks.git.remote import Remote
from stacks.git.source import GitSource
from state_index.index import Index
from state_index.models import Changes
from tests.stacks.fakes import FakePower
from tests.stacks.git.repository import Repository

IDS = ("aa", "bb", "cc", "dd")
BAD = "bad"

Files = dict[str, str]
"""By id: a marker that the image's name has, or BAD."""

contents = st.sampled_from(["one", "two", "three", BAD])
files = st.dictionaries(st.sampled_from(IDS), contents, max_size=4)
steps: st.SearchStrategy[tuple[str, Files | str]] = st.one_of(
    st.tuples(st.just("push"), files),
    st.tuples(st.just("rewrite"), files),
    st.tuples(st.just("fault"), st.sampled_from(["away", "branch", "copy", ""])),
    st.tuples(st.just("read"), st.just({})),
    st.tuples(st.just("restart"), st.just({})),
)
histories = st.lists(steps, min_size=1, max_size=14)


@dataclass
class World:
    """A repository, what follows it, and the model of both."""

    folder: Path
    index: Index
    parents: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Files] = field(default_factory=dict)
    head: str = ""
    base: str = ""
    fault: str = ""
    fetched: str = ""
    """The commit that the copy has; "" when there is no good copy."""
    there: Files = field(default_factory=dict)
    """The workspaces that there are, by the model, each with its last good content."""
    seen: Files = field(default_factory=dict)
    """The same, by what the readings said."""

    def __post_init__(self) -> None:
        self.repository = Repository(self.folder / "team")
        self.board = Board(self.index)
        self.source = self.new_source()

    def new_source(self) -> GitSource:
        url = f"file://{self.folder}/team"
        mirror = Mirror(self.folder / "mirror.git", Remote(url=url, branch="main"), timeout=30)
        place = Place(url, "main", "ws")
        return GitSource(
            mirror,
            self.board,
            place=place,
            poll=60,
            look_every=60,
            nudges=self.folder / "nudge",
            there=FakePower().inventory,
        )

    def push(self, tree: Files, *, parent: str) -> None:
        call = self.repository.call
        listed = ""
        for id_, content in tree.items():
            text = "owner: [" if content == BAD else f"owner: alice\nimage: codehub/{content}\n"
            blob = call("hash-object", "-w", "--stdin", stdin=text.encode())
            listed += f"100644 blob {blob}\t{id_}.yaml\n"
        inner = call("mktree", stdin=listed.encode())
        outer = call("mktree", stdin=f"040000 tree {inner}\tws\n".encode())
        parents = ("-p", parent) if parent else ()
        message = f"commit {len(self.trees)}"
        self.head = call("commit-tree", *parents, "-m", message, outer)
        self.parents[self.head], self.trees[self.head] = parent, tree
        if self.fault != "branch":
            call("update-ref", "refs/heads/main", self.head)

    def comes_after(self, commit: str, base: str) -> bool:
        while commit and commit != base:
            commit = self.parents[commit]
        return bool(commit)

    def set_fault(self, fault: str) -> None:
        call, away = self.repository.call, self.folder / "away"
        if away.exists():
            away.rename(self.repository.folder)
        if self.head:
            call("update-ref", "refs/heads/main", self.head)
        self.fault = fault
        if fault == "away":
            self.repository.folder.rename(away)
        elif fault == "branch" and self.head:
            call("update-ref", "-d", "refs/heads/main")
        elif fault == "copy":
            for pack in (self.folder / "mirror.git").glob("objects/pack/*"):
                pack.unlink()

    async def read(self, *, allow: bool = False) -> None:
        """Read as a runner does, do what the reading says, and compare with the model."""
        if allow:
            await self.source.allow()
        snapshot = await self.source.read()
        await Commits(self.board, prunes=True).begun(snapshot)
        gone = set(self.seen) - snapshot.ids if snapshot.complete else set()
        for id_ in gone:
            del self.seen[id_]
            await self.board.forget(id_, "test")
        for id_, spec in snapshot.specs.items():
            self.seen[id_] = spec.image.removeprefix("codehub/")
            await self.board.say(id_, Context(cause="test"), changes=Changes(owner="alice"))
        self._expect(allow=allow)
        note(f"{snapshot.commit[:7]} {snapshot.error} {self.seen}")
        assert self.seen == self.there

    def _expect(self, *, allow: bool) -> None:
        if self.fault in {"away", "branch"} or not self.head:
            return
        tree = self.trees[self.head]
        good = {id_: content for id_, content in tree.items() if content != BAD}
        lacking = self.there.keys() - tree.keys()
        known = bool(self.base) and self.comes_after(self.head, self.base)
        if good and (known or allow or not lacking):
            self.base = self.head
            self.there = {id_: it for id_, it in self.there.items() if id_ in tree}
        self.there = {**self.there, **good}


async def play(world: World, history: list[tuple[str, Files | str]]) -> None:
    for name, given_ in history:
        if name == "push" and isinstance(given_, dict) and world.fault != "away":
            world.push(given_, parent=world.head)
        elif name == "rewrite" and isinstance(given_, dict) and world.fault != "away":
            world.push(given_, parent=world.parents.get(world.head, ""))
        elif name == "fault" and isinstance(given_, str):
            world.set_fault(given_)
        elif name == "restart":
            world.source = world.new_source()
        elif name == "read":
            await world.read()
    world.set_fault("")
    world.push({"aa": "one"}, parent=world.head)
    await world.read(allow=True)
    assert world.seen == {"aa": "one"}


def run(history: list[tuple[str, Files | str]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with Index.open(f"sqlite:///{folder}/index.db") as index:
            asyncio.run(play(World(folder, index), history))


EACH_GUARD: list[tuple[str, Files | str]] = [
    ("push", {"aa": "one", "bb": "two"}),
    ("read", {}),
    ("push", {"aa": BAD, "bb": "two"}),
    ("read", {}),
    ("fault", "away"),
    ("read", {}),
    ("fault", ""),
    ("rewrite", {"bb": "three"}),
    ("restart", {}),
    ("read", {}),
    ("push", {}),
    ("read", {}),
    ("fault", "copy"),
    ("push", {"aa": "one", "bb": BAD}),
    ("read", {}),
]

quiet = [HealthCheck.too_slow]


@settings(max_examples=8, suppress_health_check=quiet)
@example(history=EACH_GUARD)
@given(history=histories)
def test_a_few_histories(history: list[tuple[str, Files | str]]) -> None:
    run(history)


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=250, suppress_health_check=quiet)
@given(history=histories)
def test_many_histories(history: list[tuple[str, Files | str]]) -> None:
    run(history)
