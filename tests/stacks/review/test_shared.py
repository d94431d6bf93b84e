"""A change of what files say together, or of a generator, is shown as what it does to each workspace."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from spec.rule_files import read_rules
from stacks.review import commits, markdown, plain, text
from stacks.review.compare import review
from stacks.review.fleets import NAMED, notes
from stacks.review.model import Action, Review, Severity
from stacks.review.readings import Readings
from stacks.review.ruled import rules_of
from tests.stacks.git.repository import Repository

PATH = "workspaces.d"
CLASS = (
    "id: class-{name}\neach: [{name: alice}, {name: bob}]\n"
    'workspace: {owner: "{name}", env: {WHO: "{name}"}}\n'
)
BASE = {
    "_defaults.yaml": "image: one\nstate: auto\n",
    "_generators/class.yaml": CLASS,
    "own.yaml": "owner: carol\nimage: mine\n",
    "filled.yaml": "owner: carol\n",
}
OWNERS = b"people: {alice: {}, bob: {}, carol: {}, root: {}}\nadmins: [root]\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    commit(made, BASE)
    made.call("checkout", "-q", "-b", "pr")
    return made


def commit(repository: Repository, files: Mapping[str, str | None]) -> str:
    return repository.commit(
        {f"{PATH}/{name}": None if raw is None else raw.encode() for name, raw in files.items()}
    )


def reviewed(repository: Repository, *, author: str = "", cache: Path | None = None) -> Review:
    sides = commits.read(repository.git, base="main", head="pr", path=PATH, reader=Readings(cache))
    rules = rules_of(
        read_rules(OWNERS, None),
        today=date(2026, 1, 1),
        author=author,
        changed_rules=sides.changed_rules,
    )
    return review(sides.base, sides.head, rules=rules, moved=sides.moved, notes=sides.notes)


def actions(found: Review) -> dict[str, str]:
    return {each.id: each.action.value for each in found.workspaces}


def test_a_change_of_the_defaults_is_one_of_each_workspace(repository: Repository) -> None:
    commit(repository, {"_defaults.yaml": "image: two\nstate: warm\n"})
    found = reviewed(repository)
    assert actions(found) == {
        "class-alice": "replace",
        "class-bob": "replace",
        "filled": "replace",
        "own": "update",
    }
    assert found.notes == ("changes _defaults.yaml: what that does to each workspace is told here",)
    (own,) = [each for each in found.workspaces if each.id == "own"]
    assert [change.path for change in own.changes] == ["state"]


def test_many_files_are_kept_with_their_defaults(repository: Repository, tmp_path: Path) -> None:
    """On both sides the same blobs are other workspaces, also when they come from the cache."""
    repository.call("checkout", "-q", "main")
    commit(repository, {f"w{n}.yaml": "owner: carol\n" for n in range(120)})
    repository.call("checkout", "-q", "-B", "pr")
    commit(repository, {"_defaults.yaml": "image: two\n"})
    for _ in range(2):
        found = reviewed(repository, cache=tmp_path / "cache")
        assert len(found.workspaces) == 123
        images = {each.changes[0].after for each in found.workspaces}
        assert images == {'"two"'}
    commit(repository, {"_defaults.yaml": "image: one\nstate: auto\n"})
    assert reviewed(repository, cache=tmp_path / "cache").workspaces == ()


def test_entries_come_go_and_change(repository: Repository) -> None:
    changed = CLASS.replace("{name: bob}", "{name: dora}").replace('"{name}"}}', '"{name}", N: x}}')
    commit(repository, {"_generators/class.yaml": changed})
    found = reviewed(repository)
    assert actions(found) == {
        "class-bob": "delete",
        "class-alice": "replace",
        "class-dora": "create",
    }
    assert found.workspaces[0].severity is Severity.REMOVES
    assert not found.workspaces[0].held


def test_a_generator_that_goes_takes_its_workspaces(repository: Repository) -> None:
    commit(repository, {"_generators/class.yaml": None})
    assert actions(reviewed(repository)) == {"class-alice": "delete", "class-bob": "delete"}


def test_a_generator_becomes_files_and_nothing_changes(repository: Repository) -> None:
    commit(
        repository,
        {
            "_generators/class.yaml": None,
            "class-alice.yaml": "owner: alice\nenv: {WHO: alice}\n",
            "class-bob.yaml": "owner: bob\nenv: {WHO: bob}\n",
        },
    )
    assert reviewed(repository).workspaces == ()


@pytest.mark.parametrize(
    "broken",
    [
        "id: [",
        CLASS.replace("each:", "eech:"),
        CLASS.replace("{name: alice}, {name: bob}", "alice, bob"),
        f"#{'x' * (256 << 10)}",
    ],
)
def test_a_generator_that_can_not_be_read_deletes_nothing(
    repository: Repository, broken: str
) -> None:
    commit(repository, {"_generators/class.yaml": broken, "own.yaml": None})
    found = reviewed(repository)
    assert actions(found) == {
        "class-alice": "invalid",
        "class-bob": "invalid",
        "own": "delete",
    }
    (own,) = [each for each in found.workspaces if each.id == "own"]
    assert own.held
    assert "can't be read" in own.data
    assert found.invalid
    assert {each.owner for each in found.workspaces if not each.held} == {"alice", "bob"}
    assert any("nothing is deleted while" in note for note in found.notes)
    # The one that mends it says what it sets off.
    repository.call("checkout", "-q", "main")
    repository.call("merge", "-q", "pr")
    repository.call("checkout", "-q", "pr")
    commit(repository, {"_generators/class.yaml": CLASS})
    mended = reviewed(repository)
    assert set(actions(mended)) <= {"class-alice", "class-bob"}
    assert any(note.startswith("careful: while a generator") for note in mended.notes)


def test_one_wrong_entry_is_told_for_its_workspace(repository: Repository) -> None:
    commit(
        repository, {"_generators/class.yaml": CLASS.replace("{name: bob}", "{name: bob, X: 1}")}
    )
    found = reviewed(repository)
    assert actions(found) == {"class-bob": "invalid"}
    (bob,) = found.workspaces
    assert [problem.key for problem in bob.problems] == ["each.1.X"]
    assert [problem.message for problem in found.problems] == [
        "`X` is no name of a value (of class-bob)"
    ]


def test_wrong_defaults_leave_all_as_they_are(repository: Repository) -> None:
    commit(repository, {"_defaults.yaml": "imge: two\n", "own.yaml": None})
    found = reviewed(repository)
    assert actions(found) == {
        "class-alice": "invalid",
        "class-bob": "invalid",
        "filled": "invalid",
        "own": "delete",
    }
    assert [each.held for each in found.workspaces if each.action is Action.DELETE] == [True]
    (problem,) = found.problems
    assert (problem.file, problem.line) == ("workspaces.d/_defaults.yaml", 1)
    assert "`workspaces.d/_defaults.yaml:1:1`" in markdown.markdown(found)
    assert next(line for line in text.lines(found) if line.startswith("! workspaces.d/_defaults"))
    (told,) = plain.plain(found)["problems"]
    assert (told["file"], told["line"]) == ("workspaces.d/_defaults.yaml", 1)


def test_wrong_files_that_concern_no_workspace_are_wrong_all_the_same(
    repository: Repository,
) -> None:
    commit(repository, {"_templates/new.yaml": "owner: alice\nimage: one\n"})
    found = reviewed(repository)
    assert (found.workspaces, found.invalid) == ((), True)
    assert found.notes == (
        "changes _templates/new.yaml: for new workspaces; none that is there changes by that",
    )
    repository.call("checkout", "-q", "main")
    repository.call("merge", "-q", "pr")
    repository.call("checkout", "-q", "pr")
    commit(repository, {"own.yaml": "owner: carol\nimage: other\n"})
    assert reviewed(repository).problems == ()


def test_a_clash_is_told_at_both_places(repository: Repository) -> None:
    commit(repository, {"class-bob.yaml": "owner: bob\n"})
    (bob,) = reviewed(repository).workspaces
    assert (bob.id, bob.action) == ("class-bob", Action.INVALID)
    assert [problem.file for problem in bob.problems] == [
        "workspaces.d/class-bob.yaml",
        "workspaces.d/_generators/class.yaml",
    ]


@pytest.mark.parametrize(
    ("author", "files", "refused"),
    [
        ("alice", {"_defaults.yaml": "image: two\n"}, {"class-bob", "filled"}),
        ("carol", {"_defaults.yaml": "image: two\n"}, {"class-alice", "class-bob"}),
        ("root", {"_defaults.yaml": "image: two\n"}, set()),
        ("alice", {"_defaults.yaml": "x: y\n"}, {"class-bob", "filled", "own"}),
        ("alice", {"_defaults.yaml": "image: one\nstate: auto\nenv: {}\n"}, set()),
        ("alice", {"_generators/class.yaml": CLASS.replace(", {name: bob}", "")}, {"class-bob"}),
        ("alice", {"_generators/class.yaml": CLASS.replace("WHO", "ME")}, {"class-bob"}),
        ("bob", {"_generators/new.yaml": CLASS.replace("class-", "new-")}, {"new-alice"}),
        ("alice", {"_templates/new.yaml": "image: one\n"}, {"_templates/new.yaml"}),
        ("root", {"_templates/new.yaml": "image: one\n"}, set()),
    ],
)
def test_who_may_change_them_is_who_may_change_the_workspaces(
    repository: Repository, author: str, files: dict[str, str], refused: set[str]
) -> None:
    commit(repository, files)
    assert {each.workspace for each in reviewed(repository, author=author).rules} == refused


def test_what_both_changed_is_told(repository: Repository) -> None:
    commit(repository, {"_defaults.yaml": "image: two\n"})
    repository.call("checkout", "-q", "main")
    commit(repository, {"_defaults.yaml": "image: three\n", "own.yaml": "owner: carol\n"})
    found = reviewed(repository)
    assert found.notes[1] == (
        "base has changed _defaults.yaml too since the branch began: merge or rebase first"
    )
    # What merging makes: the branch's defaults, and base's own file.
    assert {each.changes[0].after for each in found.workspaces} == {'"two"'}
    assert "own" in actions(found)


def test_notes_name_a_few_files() -> None:
    names = [f"_generators/g{n}.yaml" for n in range(NAMED + 2)]
    (told,) = notes(names, ())
    assert told.startswith("changes _generators/g0.yaml, ")
    assert "g4.yaml and 2 more: what" in told
