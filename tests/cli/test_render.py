"""`codehub render`, and `codehub validate` and `codehub schema` of what is beside workspace files."""

import json
from pathlib import Path

import pytest

from spec import read_text
from tests.cli.conftest import Cli
from tests.stacks.git.repository import Repository

FILES = {
    "_defaults.yaml": "image: codehub/light\n",
    "_generators/class.yaml": (
        "id: class-{name}\neach:\n  - {name: alice}\n  - {name: bob}\n"
        'workspace:\n  owner: "{name}"\n  state: warm\n'
    ),
    "aa.yaml": "owner: alice\n",
}


@pytest.fixture
def folder(place: Path) -> Path:
    for name, text in FILES.items():
        path = place / "workspaces.d" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return place / "workspaces.d"


def test_a_workspace_written_out(cli: Cli, folder: Path) -> None:
    result = cli("render", "class-bob")
    assert result.exit_code == 0
    first, _, rest = result.stdout.partition("\n")
    assert first == "# class-bob, from workspaces.d/_generators/class.yaml:4"
    spec = read_text(rest.encode(), file="class-bob.yaml")
    assert (spec.owner, spec.image, spec.state) == ("bob", "codehub/light", "warm")
    commented = cli("render", "class-bob", "--origins").stdout.splitlines()
    assert "image: codehub/light # workspaces.d/_defaults.yaml:1" in commented
    assert "state: warm # workspaces.d/_generators/class.yaml:7" in commented
    assert "drift: heal # built in" in commented


def test_json_and_resources(cli: Cli, folder: Path) -> None:
    told = json.loads(cli("render", "aa", "-o", "json", "--origins").stdout)
    assert told["id"] == "aa"
    assert told["origin"] == {"file": "workspaces.d/aa.yaml", "line": 1, "generated": False}
    assert told["spec"]["image"] == "codehub/light"
    assert told["origins"]["image"] == {
        "file": "workspaces.d/_defaults.yaml",
        "line": 1,
        "generated": False,
    }
    assert "origins" not in json.loads(cli("render", "aa", "-o", "json").stdout)
    made = json.loads(cli("render", "aa", "--resources", "-o", "json").stdout)
    assert [each["name"] for each in made] == ["home", "container"]
    assert made[1]["properties"]["image"] == "codehub/light"
    assert "image: codehub/light" in cli("render", "aa", "--resources").stdout


def test_of_a_commit(cli: Cli, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit({f"w/{name}": text.encode() for name, text in FILES.items()})
    repository.commit({"w/_defaults.yaml": b"image: other\n"})
    at = ("--repository", "repository", "--path", "w", "--at")
    for ref, image in (("HEAD", "other"), ("HEAD~", "codehub/light")):
        told = json.loads(cli("render", "class-bob", *at, ref, "-o", "json").stdout)
        assert told["spec"]["image"] == image
        assert told["origin"]["file"] == "w/_generators/class.yaml"
    assert cli("render", "aa", *at, "nothing").exit_code == 2


def test_of_the_branch_that_is_followed(cli: Cli, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit({f"workspaces.d/{name}": text.encode() for name, text in FILES.items()})
    env = {"CODEHUB_REPO": repository.folder.as_uri(), "CODEHUB_REPO_BRANCH": "main"}
    told = json.loads(cli("render", "class-bob", "-o", "json", env=env).stdout)
    assert told["origin"]["file"] == "workspaces.d/_generators/class.yaml"


def test_what_can_not_be_rendered(cli: Cli, folder: Path) -> None:
    unknown = cli("render", "class-bbo")
    assert unknown.exit_code == 2
    assert "did you mean class-bob?" in unknown.stderr
    assert cli("render", "No").exit_code == 2
    assert cli("render", "aa", "--path", "x").exit_code == 2
    (folder / "aa.yaml").write_text("owner: 5\n")
    wrong = cli("render", "aa")
    assert (wrong.exit_code, wrong.stdout.splitlines()[0]) == (
        2,
        "workspaces.d/aa.yaml:1:8: owner: must be text, not a number",
    )


def test_files_beside_workspaces_are_validated(cli: Cli, folder: Path) -> None:
    assert cli("validate").stderr == "3 workspaces, no problems\n"
    for name in FILES:
        assert cli("validate", f"workspaces.d/{name}").exit_code == 0, name
    (folder / "_templates").mkdir()
    (folder / "_templates/new.yaml").write_text("state: cold\n")
    for what in ("workspaces.d", "workspaces.d/_templates/new.yaml"):
        told = cli("validate", what)
        assert told.exit_code == 2
        assert told.stdout.startswith("workspaces.d/_templates/new.yaml:1:8: state: `cold` is not")
    (folder / "_defaults.yaml").write_text("imge: x\n")
    told = cli("validate", "workspaces.d/aa.yaml")
    assert told.stdout.startswith("workspaces.d/_defaults.yaml:1:1: imge: ")


@pytest.mark.parametrize("kind", ["defaults", "generator", "template", "owners", "policies"])
def test_schemas_of_them_are_printed(cli: Cli, kind: str) -> None:
    committed = Path(__file__).parents[2] / "spec" / f"{kind}.schema.json"
    assert cli("schema", kind).stdout == committed.read_text(encoding="utf-8")
