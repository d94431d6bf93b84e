"""The layers that import-linter checks, tried with a module that breaks them."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "imported"),
    [("api", "pulumi"), ("newcomer", "pulumi_docker"), ("engine/newcomer", "pulumi_docker")],
)
def test_a_module_of_the_runner_may_not_import_pulumi(
    tmp_path: Path, module: str, imported: str
) -> None:
    config = ROOT / "pyproject.toml"
    shutil.copy(config, tmp_path)
    for room in tomllib.loads(config.read_text())["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "stacks" / f"{module}.py").open("a") as file:
        file.write(f"\nimport {imported}\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"stacks.{module.replace('/', '.')} -> {imported}" in done.stdout
