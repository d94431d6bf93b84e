"""The set-up's steps for what only the tests need: a browser, a database server, a forge, small programs."""

import os
import shutil
from pathlib import Path

from tools import apt, github_api
from tools.cache import Cache
from tools.deploying import Go
from tools.linked import GITEA
from tools.steps import Step

CHROMIUM = "chromium"
POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian puts PostgreSQL's programs, a folder a version."""


def steps(cache: Cache, go: Go) -> list[Step]:
    """What there is to do."""
    return [
        _browser_step(cache),
        _postgres_step(cache),
        *_small_steps(cache),
        _forge_step(cache, go),
        _github_step(cache),
    ]


def _forge_step(cache: Cache, go: Go) -> Step:
    return Step(
        name="gitea",
        title="Gitea, a forge for the tests",
        estimate=300,
        check=lambda: GITEA.ready(cache),
        run=lambda say: GITEA.install(cache, go(cache), say=say),
        needs=("go",),
    )


def _github_step(cache: Cache) -> Step:
    return Step(
        name="github-api",
        title="GitHub's description of its API, for the tests",
        estimate=20,
        check=lambda: github_api.description(cache).is_file(),
        run=lambda say: github_api.install(cache, say=say),
        needs=("node",),
    )


def _browser_step(cache: Cache) -> Step:
    return Step(
        name="browser",
        title="Chromium for the tests",
        estimate=40,
        check=lambda: shutil.which(CHROMIUM) is not None,
        run=lambda say: apt.install(
            [CHROMIUM], why="Chromium", log=cache.logs / "apt.log", say=say
        ),
    )


def _postgres_step(cache: Cache) -> Step:
    return Step(
        name="postgresql",
        title="PostgreSQL for the tests",
        estimate=25,
        check=lambda: any(POSTGRES.glob("*/bin/postgres")),
        run=lambda say: apt.install(
            ["postgresql"], why="PostgreSQL", log=cache.logs / "apt.log", say=say
        ),
    )


def _small_steps(cache: Cache) -> list[Step]:
    """The programs that Debian has in a small package."""

    def step(program: str, package: str, why: str) -> Step:
        place = f"{os.environ.get('PATH', '')}:/usr/sbin"
        return Step(
            name=package,
            title=f"{program}, {why}",
            estimate=8,
            check=lambda: shutil.which(program, path=place) is not None,
            run=lambda say: apt.install(
                [package], why=program, log=cache.logs / "apt.log", say=say
            ),
        )

    return [
        step("ip", "iproute2", "for networks of the tests' own"),
        step("systemd-analyze", "systemd", "which checks the units"),
        step("git", "git", "whose repositories are followed"),
        step("sshd", "openssh-server", "for repositories over ssh; it is not started"),
    ]
