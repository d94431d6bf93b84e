"""What is taken of Gitea's module, and what is left out."""

from pathlib import Path

import pytest

from tools.build import Workshop
from tools.commands import silent
from tools.errors import BuildError
from tools.gitea import DATA, LEFT_OUT, MODULE, unpack, unpack_from


def shop(folder: Path, go: str) -> Workshop:
    command = folder / "go"
    command.write_text(f"#!/bin/sh\n{go}\n")
    command.chmod(0o755)
    work, out = folder / "src", folder / "out"
    work.mkdir()
    return Workshop(go=command, work=work, out=out, log=folder / "log", say=silent)


def module_at(module: Path) -> None:
    migrations = module / "services" / "migrations"
    migrations.mkdir(parents=True)
    for name in (*LEFT_OUT, "git.go"):
        (migrations / name).write_text("package migrations\n")
    for name in DATA:
        (module / name).mkdir()
        (module / name / "one").write_text(name)
    for path in (*module.rglob("*"), module):
        path.chmod(0o555 if path.is_dir() else 0o444)  # as Go keeps modules


def test_sources_lose_two_files_and_data_lie_beside_the_program(tmp_path: Path) -> None:
    module_at(tmp_path / "module")
    made = shop(tmp_path, "exit 1")
    unpack_from(tmp_path / "module", made)
    left = made.work / "gitea" / "services" / "migrations"
    assert [path.name for path in left.iterdir()] == ["git.go"]
    assert {path.name: (path / "one").read_text() for path in made.out.iterdir()} == {
        name: name for name in DATA
    }


def test_go_is_asked_for_the_module_and_for_where_it_is(tmp_path: Path) -> None:
    module_at(tmp_path / MODULE)
    made = shop(tmp_path, f'echo "$@" >> {tmp_path}/asked; [ "$1" = mod ] || echo {tmp_path}')
    unpack(made)
    assert (tmp_path / "asked").read_text() == f"mod download {MODULE}\nenv GOMODCACHE\n"
    assert (made.out / DATA[0]).is_dir()


def test_a_go_that_keeps_modules_nowhere(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="GOMODCACHE"):
        unpack(shop(tmp_path, "exit 0"))
