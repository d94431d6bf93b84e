"""What `deploy/` and the tests use is built once per version and sources, and found by a stable link."""

from pathlib import Path

import pytest

from tools.cache import Cache
from tools.commands import output
from tools.gitea import DATA, MODULE
from tools.linked import CADDY, COMPOSE, COMPOSE_MODULE, GITEA, LinkedProgram
from tools.pins import CADDY_VERSION, COMPOSE_VERSION, GITEA_VERSION


def test_the_caddy_of_this_machine_is_the_pinned_one() -> None:
    cache = Cache.from_env()
    assert CADDY.ready(cache)
    modules = (output([cache.caddy, "list-modules"]) or "").split()
    assert {"http.handlers.log_append", "http.handlers.engine_body"} <= set(modules)
    assert f"caddy/v2 v{CADDY_VERSION}\n" in go_mod(CADDY)


def test_the_compose_command_of_this_machine_is_the_pinned_one() -> None:
    cache = Cache.from_env()
    assert COMPOSE.ready(cache)
    assert output([cache.compose, "version", "--short"]) == COMPOSE_VERSION
    assert f"{COMPOSE_MODULE} v{COMPOSE_VERSION}\n" in go_mod(COMPOSE)


def test_the_gitea_of_this_machine_is_the_pinned_one() -> None:
    cache = Cache.from_env()
    assert GITEA.ready(cache)
    assert (output([cache.gitea, "--version"]) or "").startswith(f"gitea version {GITEA_VERSION} ")
    assert f"gitea.dev v{GITEA_VERSION}\n" in go_mod(GITEA)
    go_sum = (GITEA.program.sources / "go.sum").read_text()
    assert f"{MODULE.replace('@', ' ')} h1:" in go_sum
    beside = cache.gitea.resolve().parent
    assert all((beside / name).is_dir() for name in DATA)


def go_mod(one: LinkedProgram) -> str:
    return (one.program.sources / "go.mod").read_text()


@pytest.mark.parametrize("one", [CADDY, COMPOSE, GITEA], ids=lambda one: one.builds)
def test_what_is_in_the_cache_is_linked_and_not_built_again(
    cache: Cache, one: LinkedProgram
) -> None:
    assert not one.ready(cache)
    built = cache.root / one.builds / one.key / one.program.binary
    built.parent.mkdir(parents=True)
    built.write_text("built")
    one.install(cache, Path("/no/go"))
    assert one.link(cache).resolve() == built
    assert one.ready(cache)


def test_the_links_are_where_others_look_for_them(cache: Cache) -> None:
    assert (CADDY.link(cache), COMPOSE.link(cache)) == (cache.caddy, cache.compose)
    assert GITEA.link(cache) == cache.gitea


def test_another_versions_build_is_not_ready(cache: Cache) -> None:
    old = cache.root / "caddy" / "2.0.0-0123456789ab" / "caddy"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    cache.link(cache.caddy, old)
    assert not CADDY.ready(cache)
