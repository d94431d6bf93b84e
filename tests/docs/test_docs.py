"""The documentation keeps its promises: links lead somewhere, commands exist, examples are valid."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

import spec
from cli.main import main
from spec.files import File
from spec.shared import shared_in

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "images").rglob("*.md")]
)
README_LINES = 150
# Assembled, so that this file does not hold what it forbids.
REGISTRY_HOSTS = "|".join(
    re.escape(host)
    for host in (
        "py" + "pi.org",
        "python" + "hosted.",
        "np" + "mjs.",
        "proxy.go" + "lang.",
        "sum.go" + "lang.",
        "deb.deb" + "ian.",
        "maven.apa" + "che.org/maven2",
    )
)


def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def walk(tree: list[Token]) -> Iterator[Token]:
    for token in tree:
        yield token
        yield from walk(token.children or [])


def slug(heading: str) -> str:
    """Return a heading's anchor, as the forges make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    tree = tokens(page)
    return {
        slug(tree[i + 1].content) for i, token in enumerate(tree) if token.type == "heading_open"
    }


def fenced(page: Path, *languages: str) -> list[str]:
    return [t.content for t in tokens(page) if t.type == "fence" and t.info.strip() in languages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_resolves(page: Path) -> None:
    broken = []
    for token in walk(tokens(page)):
        target = str(token.attrGet("href") or token.attrGet("src") or "")
        if not target or re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def commands(page: Path) -> Iterator[list[str]]:
    for block in fenced(page, "sh", "console", "bash"):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words and Path(words[0]).name == "codehub":
                yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists(page: Path) -> None:
    unknown = []
    for words in commands(page):
        group: click.Command = main
        for word in words:
            if not isinstance(group, click.Group) or word.startswith("-"):
                break
            found = group.get_command(click.Context(group), word)
            if found is None:
                unknown.append(" ".join(words))
                break
            group = found
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_workspace_file_shown_is_valid(page: Path) -> None:
    for block in fenced(page, "yaml"):
        first = block.splitlines()[0]
        if named := re.match(r"# workspaces\.d/(_(?:defaults\.|generators/|templates/).*)", first):
            files = [File(name=named[1], raw=block.encode())]
            assert not [p for p in shared_in(files, label="").problems if p.key != "image"]
        elif named := re.match(r"# workspaces\.d/(_[\w-]+\.yaml)", first):
            reader = {"_owners.yaml": spec.read_owners, "_policies.yaml": spec.read_policies}
            reader[named[1]](block.encode(), file=named[1])
        elif named := re.match(r"# workspaces\.d/([\w-]+\.yaml)", first):
            parsed = spec.read_text(block.encode(), file=named[1])
            assert parsed.id == named[1].removesuffix(".yaml")


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    pattern = rf"{REGISTRY_HOSTS}|(^|[^A-Za-z0-9_.-])/(wo" + r"rk|farm)/"
    found = subprocess.run(
        ["git", "grep", "-nIE", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
    assert found.returncode == 1, found.stderr


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=\[]", line)[0] for line in wanted}
    page = (ROOT / "docs/explanation/dependencies.md").read_text(encoding="utf-8")
    assert {name for name in names if f"| {name} |" not in page} == set()
