"""The compose command is built once per version and sources, and found by a stable link."""

from pathlib import Path

from tools import compose
from tools.cache import Cache
from tools.commands import output
from tools.pins import COMPOSE_VERSION


def test_the_one_of_this_machine_is_the_pinned_one() -> None:
    cache = Cache.from_env()
    assert compose.ready(cache)
    assert output([cache.compose, "version", "--short"]) == COMPOSE_VERSION
    assert f"{compose.MODULE} v{COMPOSE_VERSION}\n" in (compose.SOURCES / "go.mod").read_text()


def test_what_is_in_the_cache_is_linked_and_not_built_again(cache: Cache) -> None:
    assert not compose.ready(cache)
    built = cache.root / "compose" / compose.key() / "docker-compose"
    built.parent.mkdir(parents=True)
    built.write_text("built")
    compose.install(cache, Path("/no/go"))
    assert cache.compose.resolve() == built
    assert compose.ready(cache)
