"""Runs the steps of a workflow file as a forge's runner does: each a shell, with the environment it gives.

Only what our workflow files use is understood: any other expression is an error.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parents[3] / "deploy" / "workflows"
FILES = sorted(FOLDER.glob("*/*.yaml"))
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""How GitHub runs `shell: bash`."""


def load(path: Path) -> dict[str, Any]:
    """The file's content; `on` is a word in YAML 1.2."""
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found


def job(path: Path) -> dict[str, Any]:
    """The one job of a workflow."""
    (found,) = load(path)["jobs"].values()
    made: dict[str, Any] = found
    return made


@dataclass
class Ran:
    """What the steps came to.

    Attributes:
        code: exit code of the last one that ran.
        log: what they wrote.
    """

    code: int = 0
    log: str = ""


@dataclass
class Machine:
    """Where a job runs.

    Attributes:
        folder: an empty place.
        contexts: what expressions stand for, by their text.
        env: environment of each step, as the forge and the machine set it.
        instead: what stands in the place of a step's own variables.
    """

    folder: Path
    contexts: Mapping[str, str]
    env: Mapping[str, str]
    instead: Mapping[str, str] = field(default_factory=dict)

    def run(self, path: Path) -> Ran:
        """Run the steps until one fails."""
        ran = Ran()
        work, temp = self.folder / "work", self.folder / "temp"
        work.mkdir()
        temp.mkdir()
        for step in job(path)["steps"]:
            done = subprocess.run(
                [*SHELL, "-c", step["run"]],
                cwd=work,
                env=self._environment(step, temp),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            ran.code, ran.log = done.returncode, ran.log + done.stdout
            if ran.code:
                break
        return ran

    def _environment(self, step: Mapping[str, Any], temp: Path) -> dict[str, str]:
        contexts = {**self.contexts, "runner.temp": str(temp)}
        own = {
            name: EXPRESSION.sub(lambda found: contexts[found[1]], str(value))
            for name, value in step.get("env", {}).items()
        }
        given = {
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "RUNNER_TEMP": str(temp),
            "GITHUB_PATH": str(self.folder / "path"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
        }
        more = {name: value for name, value in self.instead.items() if name in own}
        return {"PATH": os.environ["PATH"], **given, **self.env, **own, **more}
