"""A workspace written out says what its file, the defaults and a generator say together."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings

from spec import InvalidSpecError, Origin, WorkspaceSpec, read_text
from spec.errors import UnknownIdError
from spec.files import File
from spec.whole import Whole, plain, text, whole
from tests.spec.test_model import specs, written
from tests.spec.test_shared_files import CLASS, CLASSES, DEFAULTS


def found(files: Mapping[str, str], id_: str) -> Whole:
    return whole([File(name=name, raw=raw.encode()) for name, raw in files.items()], id_, label="w")


FILES = {
    DEFAULTS: "# what all say\nimage: one\nenv: {TZ: x, A: shared}\nresources: {cpu: 1}\n",
    CLASSES: CLASS.replace("  image: one\n", ""),
    "aa.yaml": "owner: alice\nenv:\n  A: own\n",
}


def test_each_value_has_the_line_where_it_is_written() -> None:
    own = found(FILES, "aa")
    assert own.origin == Origin("w/aa.yaml", 1)
    assert own.places == {
        "owner": Origin("w/aa.yaml", 1),
        "image": Origin("w/_defaults.yaml", 2),
        "env.A": Origin("w/aa.yaml", 3),
        "env.TZ": Origin("w/_defaults.yaml", 3),
        "resources.cpu": Origin("w/_defaults.yaml", 4),
    }
    made = found(FILES, "class-bob")
    assert made.origin == Origin("w/_generators/class.yaml", 4, generated=True)
    assert made.places["owner"] == Origin("w/_generators/class.yaml", 4)
    assert made.places["resources.memory"] == Origin("w/_generators/class.yaml", 4)
    assert made.places["image"] == Origin("w/_defaults.yaml", 2)


def test_as_yaml_with_comments() -> None:
    assert text(found(FILES, "aa"), origins=True) == (
        "owner: alice # w/aa.yaml:1\n"
        "image: one # w/_defaults.yaml:2\n"
        "resources:\n"
        "  cpu: 1 # w/_defaults.yaml:4\n"
        "  memory: 4Gi # built in\n"
        "  pids: 4096 # built in\n"
        "env:\n"
        "  A: own # w/aa.yaml:3\n"
        "  TZ: x # w/_defaults.yaml:3\n"
        "state: auto # built in\n"
        "drift: heal # built in\n"
    )


def test_a_file_that_is_all_there_is() -> None:
    alone = found({"aa.yaml": "owner: alice\nimage: one\nresources: {cpu: 0.5}\n"}, "aa")
    assert plain(alone.spec)["resources"]["cpu"] == 0.5
    assert set(alone.places) == {"owner", "image", "resources.cpu"}


@settings(max_examples=40)
@given(specs)
def test_written_out_and_read_again_it_is_the_same(spec: WorkspaceSpec) -> None:
    name = f"{spec.id}.yaml"
    one = found({name: written(spec)}, spec.id)
    assert one.spec == spec
    for origins in (False, True):
        assert read_text(text(one, origins=origins).encode(), file=name) == spec


@pytest.mark.parametrize("code", [9, 10, 13, 0x1B, 0x7F, 0x85, 0x9F, 0xA0, 0x2028, 0x2029, 0xFEFF])
@pytest.mark.parametrize("form", ["a{0}b", "{0}", "a: {0} {0}b"])
def test_what_files_may_not_hold_as_it_is_is_escaped(form: str, code: int) -> None:
    value = form.format(chr(code))
    one = found({"aa.yaml": f'owner: alice\nimage: one\nenv: {{A: "{value_of(value)}"}}\n'}, "aa")
    assert one.spec.env == {"A": value}
    assert read_text(text(one).encode(), file="aa.yaml") == one.spec
    assert read_text(text(one, origins=True).encode(), file="aa.yaml") == one.spec


def value_of(value: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in value)


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(InvalidSpecError) as caught:
        found({**FILES, "aa.yaml": "owner: 5\n"}, "aa")
    assert [problem.key for problem in caught.value.problems] == ["owner"]


def test_what_no_file_makes() -> None:
    with pytest.raises(UnknownIdError) as caught:
        found(FILES, "class-bbo")
    assert caught.value.message == "no file makes a workspace class-bbo"
    assert caught.value.hint == "did you mean class-bob?"
    with pytest.raises(UnknownIdError, match="codehub validate"):
        found(FILES, "zz")
    with pytest.raises(UnknownIdError, match="can't be read whole"):
        found({"aa.yaml": FILES["aa.yaml"], DEFAULTS: "image: one\n", CLASSES: ""}, "zz")
