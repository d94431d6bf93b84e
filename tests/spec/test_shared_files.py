"""Defaults and generators of one folder: what counts, what is told, and that nothing looks removed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spec import Origin, WorkspaceSpec, generated, quick, read_folder
from spec.defaults import NONE, UNKNOWN, read_defaults
from spec.files import File, FolderRead, read_files, read_plain, read_whole
from spec.reader import read
from spec.shared import MOST_FILES, is_shared, most_bytes
from spec.templates import check_template

OWN = "owner: alice\nimage: one\n"
CLASS = """\
id: class-{name}
each:
  - {name: alice}
  - {name: bob, memory: 8Gi}
default: {memory: 2Gi}
workspace:
  owner: "{name}"
  image: one
  resources: {memory: "{memory}"}
"""
DEFAULTS = "_defaults.yaml"
CLASSES = "_generators/class.yaml"


def folder(files: Mapping[str, str], label: str = "w") -> FolderRead:
    return read_files(
        [File(name=name, raw=raw.encode()) for name, raw in files.items()], label=label
    )


def told(found: FolderRead) -> list[str]:
    return [f"{it.file}:{it.line}:{it.column} {it.key} {it.message}" for it in found.problems]


def test_a_file_is_filled_up() -> None:
    shared = "image: two\nresources: {memory: 1Gi}\nenv: {TZ: Asia/Seoul, A: shared}\n"
    found = folder({DEFAULTS: shared, "aa.yaml": "owner: alice\nenv: {A: own}\n"})
    assert (found.problems, found.doubt) == ([], "")
    spec = found.specs["aa"]
    assert (spec.image, spec.resources.memory, spec.resources.cpu) == ("two", 1 << 30, 2.0)
    assert spec.env == {"A": "own", "TZ": "Asia/Seoul"}


KEYS: dict[str, st.SearchStrategy[Any]] = {
    "image": st.sampled_from(["one", "two:1"]),
    "state": st.sampled_from(["auto", "warm"]),
    "drift": st.sampled_from(["heal", "report"]),
    "resources": st.fixed_dictionaries(
        {}, optional={"cpu": st.integers(1, 9), "memory": st.sampled_from(["1Gi", "512Mi"]), "pids": st.just(99)}
    ),
    "env": st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from(["x", "y z", "7", ""])),
}  # fmt: skip
SAID = st.fixed_dictionaries({}, optional=KEYS)
WRONG = st.sampled_from([{"env": "text"}, {"resources": {"cpu": 0}}, {"state": "cold"}, {"x": 1}])


def written(values: Mapping[str, Any], *, plain: bool) -> str:
    """The quick reader takes lines of `key: value`; JSON is YAML that it leaves to the other one."""
    if not plain:
        return json.dumps(values)
    lines = []
    for key, value in values.items():
        shown = value
        if isinstance(value, dict):
            items = ", ".join(f"{name}: {json.dumps(inner)}" for name, inner in value.items())
            shown = f"{{{items}}}"
        lines.append(f"{key}: {shown}")
    return "\n".join(lines) + "\n"


def by_hand(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**shared, **own}
    for key in ("env", "resources"):
        if key in own and key in shared:
            whole[key] = {**shared[key], **own[key]}
    return whole


@settings(max_examples=100)
@given(SAID, SAID, st.booleans())
def test_filled_up_is_as_written_out_by_hand(
    own: dict[str, Any], shared: dict[str, Any], plain: bool
) -> None:
    own = {"owner": "alice", **own}
    defaults = read_defaults(json.dumps(shared).encode(), file=DEFAULTS)
    assert defaults.problems == ()
    raw = written(own, plain=plain).encode()
    file = File(name="aa.yaml", raw=raw)
    whole = read(json.dumps(by_hand(own, shared)).encode(), file="aa.yaml")
    slow = read_whole(file, label="", defaults=defaults)
    assert slow.reading.spec == whole.spec
    assert bool(slow.reading.problems) == bool(whole.problems)
    quickly = read_plain(file, label="", defaults=defaults)
    if quickly is not None:
        assert quickly == slow
        assert quickly.reading.spec is not None
        assert slow.reading.spec is not None
        assert quickly.reading.spec.model_dump_json() == slow.reading.spec.model_dump_json()
    elif plain and whole.spec is not None:
        raise AssertionError("a plain file that is right is read quickly")


@given(SAID, WRONG, SAID)
def test_what_is_wrong_is_the_file_s_own(
    own: dict[str, Any], wrong: dict[str, Any], shared: dict[str, Any]
) -> None:
    values = {"owner": "alice", **own, **wrong}
    raw = written(values, plain=True).encode()
    defaults = read_defaults(json.dumps(shared).encode(), file=DEFAULTS)
    assert quick.read(raw, file="aa.yaml", defaults=defaults.values) is None
    problems = read(raw, file="aa.yaml", defaults=defaults).problems
    assert problems
    lines = raw.decode().splitlines()
    for problem in problems:
        if problem.key != "image":
            assert lines[problem.line - 1].startswith(problem.key.split(".")[0])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "w/_defaults.yaml:1:1  the file is empty"),
        ("owner: alice\n", "w/_defaults.yaml:1:1 owner is not for all workspaces"),
        ("state: warm\nformerly: old\n", "w/_defaults.yaml:2:1 formerly is not for all workspaces"),
        ("image: 5\n", "w/_defaults.yaml:1:8 image must be text, not a number"),
        ("imge: x\n", "w/_defaults.yaml:1:1 imge `imge` is not a key"),
        ("resources:\n  cpu: 0\n", "w/_defaults.yaml:2:8 resources.cpu 0 cores is out of range"),
        ("env: *x\n", "w/_defaults.yaml:1:6  an alias, such as *name, is not defined"),
    ],
)
def test_wrong_defaults_leave_every_workspace_as_it_is(text: str, problem: str) -> None:
    found = folder({DEFAULTS: text, "aa.yaml": OWN, "bb.yaml": "owner: bob\n", CLASSES: CLASS})
    assert told(found) == [problem]
    assert found.specs == {}
    assert set(found.invalid) == {"aa", "bb", "class-alice", "class-bob"}
    assert {tuple(each) for each in found.invalid.values()} == {tuple(found.problems)}
    assert found.owners == {"aa": "alice", "bb": "bob", "class-alice": "alice", "class-bob": "bob"}
    assert found.doubt.startswith("w/_defaults.yaml can't be read whole: ")


def test_former_ids_are_known_though_the_defaults_are_wrong() -> None:
    found = folder({DEFAULTS: "x: y\n", "aa.yaml": f"{OWN}formerly: old\n", "cc.yml": OWN})
    assert found.formerly == {"aa": "old"}
    assert told(found)[1:] == ["w/cc.yml:1:1  the name must end in .yaml"]


def test_a_generator_makes_workspaces_as_files_would() -> None:
    files = {
        "class-alice.yaml": "owner: alice\nimage: one\nresources: {memory: 2Gi}\n",
        "class-bob.yaml": "owner: bob\nimage: one\nresources: {memory: 8Gi}\n",
    }
    shared = {DEFAULTS: "env: {TZ: x}\n"}
    made, alone = folder({CLASSES: CLASS, **shared}), folder({**files, **shared})
    assert (made.problems, made.doubt) == ([], "")
    assert made.specs == alone.specs
    assert made.origins == {
        "class-alice": Origin("w/_generators/class.yaml", 3, generated=True),
        "class-bob": Origin("w/_generators/class.yaml", 4, generated=True),
    }
    assert alone.origins["class-bob"] == Origin("w/class-bob.yaml", 1, generated=False)
    assert set(made.revisions) == {"class-alice", "class-bob"}
    assert made.generator("class-bob") == "w/_generators/class.yaml"
    assert (alone.generator("class-bob"), alone.generator("zz")) == ("", "")


def test_a_problem_is_told_once_with_whom_it_concerns() -> None:
    names = "".join(f"  - {{name: n{number}}}\n" for number in range(5))
    text = f'id: a-{{name}}\neach:\n{names}workspace:\n  owner: "{{name}}"\n  image: one\n  state: cold\n'
    found = folder({"_generators/a.yaml": text})
    (only,) = told(found)
    assert only == (
        "w/_generators/a.yaml:11:10 state `cold` is not supported yet (of a-n0, a-n1, a-n2 and 2 more)"
    )
    assert {id_: [it.message for it in each] for id_, each in found.invalid.items()} == {
        f"a-n{number}": ["`cold` is not supported yet"] for number in range(5)
    }
    assert found.doubt == ""


def test_one_wrong_entry_stops_its_own_workspace() -> None:
    found = folder({CLASSES: CLASS.replace("8Gi", "8"), "aa.yaml": OWN})
    assert set(found.specs) == {"aa", "class-alice"}
    assert told(found) == [
        "w/_generators/class.yaml:4:25 resources.memory 8 has no unit (of class-bob)"
    ]
    assert found.doubt == ""


@pytest.mark.parametrize("entry", ["{nme: bob}", "bob", "{name: [bob]}", "{name: Bob}", "*x"])
def test_an_entry_without_an_id_lets_nothing_be_removed(entry: str) -> None:
    found = folder({CLASSES: CLASS.replace("{name: bob, memory: 8Gi}", entry), "aa.yaml": OWN})
    assert found.problems
    assert "class-bob" not in {*found.specs, *found.invalid}
    assert found.doubt.startswith("w/_generators/class.yaml can't be read whole: ")
    assert list(found.unread) == ["w/_generators/class.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("id: [\n", "a value is missing"),
        ("id: a-{name}\n", "`each` is missing"),
        (CLASS.replace("each:", "eech:"), "`each` is missing"),
        (f"#{'x' * (256 << 10)}\n{CLASS}", "the file has more than 256 KiB"),
    ],
)
def test_a_generator_that_can_not_be_read_lets_nothing_be_removed(text: str, message: str) -> None:
    found = folder({CLASSES: text, "aa.yaml": OWN})
    assert set(found.specs) == {"aa"}
    assert message in [problem.message for problem in found.problems]
    assert found.doubt


def test_what_is_wrong_with_all_of_it_stops_all_of_its_workspaces_and_no_other() -> None:
    found = folder({CLASSES: f"{CLASS}for: x\n", "aa.yaml": OWN})
    assert set(found.specs) == {"aa"}
    assert told(found) == ["w/_generators/class.yaml:10:1 for `for` is not a key of a generator"]
    assert set(found.invalid) == {"class-alice", "class-bob"}
    assert found.doubt == ""


def test_wrong_words_for_all_are_told_once() -> None:
    found = folder({CLASSES: CLASS.replace("default: {memory: 2Gi}", "default: {memory: []}")})
    assert [problem.key for problem in found.problems] == ["default.memory"]
    assert set(found.invalid) == {"class-alice", "class-bob"}


def test_twins_in_one_generator_are_one_that_is_wrong() -> None:
    found = folder({CLASSES: CLASS.replace("name: bob", "name: alice")})
    assert (set(found.specs), set(found.invalid)) == (set(), {"class-alice"})
    assert [problem.line for problem in found.problems] == [3, 4]
    assert found.doubt == ""


def test_a_workspace_that_is_written_twice_is_wrong_at_both_places() -> None:
    found = folder({CLASSES: CLASS, "class-bob.yaml": OWN, "class-alice.yml": OWN})
    assert found.specs == {}
    assert told(found) == [
        "w/class-alice.yml:1:1  w/_generators/class.yaml:3 makes `class-alice` too",
        "w/class-bob.yaml:1:1  w/_generators/class.yaml:4 makes `class-bob` too",
        "w/_generators/class.yaml:3:5  w/class-alice.yml:1 makes `class-alice` too",
        "w/_generators/class.yaml:4:5  w/class-bob.yaml:1 makes `class-bob` too",
    ]
    assert len(found.invalid["class-bob"]) == 2
    assert found.owners == {}  # two say different ones


def test_two_generators_of_one_workspace() -> None:
    found = folder({CLASSES: CLASS, "_generators/other.yaml": CLASS})
    assert found.specs == {}
    assert len(found.problems) == 4
    assert found.owners == {"class-alice": "alice", "class-bob": "bob"}


def test_former_ids_of_generated_workspaces_count_as_those_of_files() -> None:
    text = CLASS.replace("image: one", 'image: one\n  formerly: "{name}-old"')
    found = folder({CLASSES: text, "aa.yaml": f"{OWN}formerly: bob-old\n"})
    assert set(found.specs) == {"class-alice"}
    assert found.formerly == {"class-alice": "alice-old", "class-bob": "bob-old", "aa": "bob-old"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("_defaults.yml", "the name must be _defaults.yaml"),
        ("_Defaults.yaml", "the name must be _defaults.yaml"),
        ("_default.yaml", "the name must be _defaults.yaml"),
        ("_generator/class.yaml", "the name must be _generators"),
        ("_Generators", "the name must be _generators"),
        ("_generators.yaml", "the name must be _generators"),
        ("_generators", "must be a folder"),
        ("_generators/class.yml", "the name must end in .yaml"),
    ],
)
def test_names_that_are_almost_right_are_told(name: str, message: str) -> None:
    assert is_shared(name)
    found = folder({name: CLASS, "aa.yaml": OWN})
    assert [problem.message for problem in found.problems] == [message]
    assert found.doubt


MUCH = "env:\n" + "".join(f"  A{number}: {'x' * 100}\n" for number in range(250))


def many(stem: str, number: int) -> str:
    entries = ", ".join(f"{{name: a{index}}}" for index in range(number))
    return f"id: {stem}-{{name}}\neach: [{entries}]\nworkspace: {{owner: x1, image: one}}\n"


def test_what_defaults_add_counts_as_made() -> None:
    """A generator of a kilobyte would fill gigabytes by defaults that are added to each workspace."""
    alone = folder({CLASSES: many("a", 90), "aa.yaml": OWN})
    assert len(alone.specs) == 91
    found = folder({CLASSES: many("a", 90), "aa.yaml": OWN, DEFAULTS: MUCH})
    assert told(found) == [
        "w/_generators/class.yaml:2:7 each makes more than 100000 values or 2 MiB of text"
    ]
    assert (set(found.specs), bool(found.doubt)) == ({"aa"}, True)


def test_there_is_an_end_to_what_generators_make_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "TOGETHER", 1)
    files = {f"_generators/{stem}.yaml": many(stem, 50) for stem in ("aa", "bb", "cc")}
    assert len(folder(files).specs) == 150
    found = folder({**files, DEFAULTS: MUCH})
    message = "makes, with those before it, more than 1 times what one may"
    assert told(found) == [f"w/_generators/{stem}.yaml:1:1  {message}" for stem in ("bb", "cc")]
    assert len(found.specs) == 50
    assert list(found.unread) == ["w/_generators/bb.yaml", "w/_generators/cc.yaml"]


def test_there_is_an_end_to_how_many_generators_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "MAX_EACH", 5)
    files = {f"_generators/{stem}.yaml": many(stem, 20) for stem in ("aa", "bb", "cc")}
    found = folder(files)
    assert len(found.specs) == 40
    assert list(found.unread) == ["w/_generators/cc.yaml"]


def test_other_names_are_nobody_s() -> None:
    for name in (
        "_owners.yaml",
        "_other.yaml",
        "defaults.yaml",
        "aa.yaml",
        ".x",
        "generators/a.yaml",
    ):
        assert not is_shared(name)
    assert (most_bytes("_generators/a.yaml"), most_bytes("_templates/a.yaml")) == (
        256 << 10,
        64 << 10,
    )


def test_templates_are_checked_and_are_no_workspaces() -> None:
    files = {
        "_templates/good.yaml": "image: one\n",
        "_templates/filled.yaml": "state: warm\n",
        "_templates/owned.yaml": "owner: alice\nimage: one\nstate: cold\n",
        "_templates/No_Name.yaml": "image: one\n",
        "_templates/late.yml": "image: one\n",
        "_templates/empty.yaml": "",
    }
    expected = [
        "w/_templates/No_Name.yaml:1:1  `No_Name` is no name of a template",
        "w/_templates/empty.yaml:1:1  the file is empty",
        "w/_templates/late.yml:1:1  the name must end in .yaml",
        "w/_templates/owned.yaml:1:1 owner is not for a template to say",
        "w/_templates/owned.yaml:3:8 state `cold` is not supported yet",
    ]
    found = folder({**files, DEFAULTS: "image: two\n", "aa.yaml": OWN})
    assert told(found) == expected
    assert (set(found.specs), found.invalid, found.doubt) == ({"aa"}, {}, "")
    alone = folder({"_templates/filled.yaml": "state: warm\n"})
    assert told(alone) == ["w/_templates/filled.yaml:1:1 image `image` is missing"]
    broken = folder({"_templates/filled.yaml": "state: warm\n", DEFAULTS: ""})
    assert [problem.file for problem in broken.problems] == ["w/_defaults.yaml"]


def test_what_did_not_change_is_not_read_again() -> None:
    """A folder is read at each commit, and twice for an edit; a long file takes seconds."""
    read_defaults.cache_clear()
    check_template.cache_clear()
    files = {
        DEFAULTS: "image: one\n",
        "_templates/t.yaml": "state: warm\n",
        "aa.yaml": "owner: a1\n",
    }
    for _ in range(3):
        assert told(folder(files)) == []
    assert (read_defaults.cache_info().misses, check_template.cache_info().misses) == (1, 1)
    # By other defaults the same template is another one.
    assert told(folder({**files, DEFAULTS: "env: {A: b}\n", "aa.yaml": OWN})) == [
        "w/_templates/t.yaml:1:1 image `image` is missing"
    ]
    assert told(folder({**files, "_templates/t.yaml": "state: cold\n"})) == [
        "w/_templates/t.yaml:1:8 state `cold` is not supported yet"
    ]


def test_a_folder_on_disk_is_read_as_its_files(tmp_path: Path) -> None:
    files = {
        DEFAULTS: "state: warm\n",
        CLASSES: CLASS,
        "_templates/t.yaml": "image: one\n",
        "aa.yaml": OWN,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("README.md", "_draft.yaml", ".hidden.yaml"):
        (tmp_path / "_generators" / name).write_text("x")
    assert read_folder(tmp_path, label="w") == folder(files)
    assert all(isinstance(found, WorkspaceSpec) for found in read_folder(tmp_path).specs.values())


def _link(place: Path) -> None:
    (place / "_generators").symlink_to(place)


def _file(place: Path) -> None:
    (place / "_generators").write_text(CLASS)


def _folder_inside(place: Path) -> None:
    (place / "_generators" / "inner").mkdir(parents=True)


def _link_inside(place: Path) -> None:
    (place / "_generators").mkdir()
    (place / "_generators" / "a.yaml").symlink_to(place / "aa.yaml")


def _pipe_inside(place: Path) -> None:
    (place / "_generators").mkdir()
    os.mkfifo(place / "_generators" / "a.yaml")


def _many(place: Path) -> None:
    (place / "_generators").mkdir()
    for number in range(MOST_FILES + 1):
        (place / "_generators" / f"g{number}.yaml").write_text("")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_link, "w/_generators:1:1  is a symbolic link"),
        (_file, "w/_generators:1:1  must be a folder"),
        (_folder_inside, "w/_generators/inner:1:1  a folder inside the folder is not read"),
        (_link_inside, "w/_generators/a.yaml:1:1  is a symbolic link"),
        (_pipe_inside, "w/_generators/a.yaml:1:1  is not a regular file"),
        (_many, "w/_generators:1:1  holds more than 64 files"),
    ],
)
def test_what_is_no_folder_of_generators_lets_nothing_be_removed(
    tmp_path: Path, spoil: Any, problem: str
) -> None:
    (tmp_path / "aa.yaml").write_text(OWN)
    spoil(tmp_path)
    found = read_folder(tmp_path, label="w")
    assert told(found) == [problem]
    assert set(found.specs) == {"aa"}
    assert found.doubt


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_defaults_that_are_no_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "aa.yaml").write_text(OWN)
    if kind == "link":
        (tmp_path / DEFAULTS).symlink_to(tmp_path / "aa.yaml")
    else:
        (tmp_path / DEFAULTS).mkdir()
    found = read_folder(tmp_path, label="w")
    assert told(found) == [
        f"w/_defaults.yaml:1:1  is a {'symbolic link' if kind == 'link' else kind}"
    ]
    assert set(found.invalid) == {"aa"}


def test_where_the_defaults_are_not_known_an_image_may_be_missing() -> None:
    """As in the gateway, which reads no folder; everything else is told all the same."""
    assert read(b"owner: alice\n", file="aa.yaml", defaults=UNKNOWN).problems == ()
    told = read(b"owner: alice\nstate: cold\n", file="aa.yaml", defaults=UNKNOWN).problems
    assert [problem.key for problem in told] == ["state"]
    assert UNKNOWN not in (NONE, read_defaults(b"image: codehub/code-server\n", file=""))


PIECES = st.sampled_from(
    ["", "{", "}", "{{", "{name}", "{nme}", "[", "]", ": ", "- ", "\n", " ", "&a ", "*a", "!x ", "'", '"',
     "name", "each", "id: x\n", "default: {a: 1}\n", "\t", "\u00e9", "<<: ", "~", "0", "#", "class-alice"]
)  # fmt: skip


@settings(max_examples=150)
@given(st.integers(0, len(CLASS)), st.integers(0, 12), PIECES, st.booleans())
def test_a_spoilt_generator_says_what_is_wrong_and_loses_no_workspace_in_silence(
    place: int, cut: int, piece: str, broken: bool
) -> None:
    text = CLASS[:place] + piece + CLASS[place + cut :]
    files = {CLASSES: text, "aa.yaml": OWN, DEFAULTS: "image: 5\n" if broken else "state: warm\n"}
    found = folder(files)
    assert set(found.origins) == {*found.specs, *found.invalid}
    assert all(found.invalid.values())
    assert bool(found.problems) or not (found.doubt or found.invalid)
    assert all(problem.line <= text.count("\n") + 1 for problem in found.problems)
    made = {id_ for id_, origin in found.origins.items() if origin.generated}
    if len(made) < 2 and not found.problems:
        # It is a right file that says something else: one entry, which YAML made of two.
        assert made
    assert broken or "aa" in found.specs or "aa" in made
