"""Caddy is built once per version and sources, and found by a stable link."""

from pathlib import Path

from tools import caddy
from tools.cache import Cache
from tools.commands import output
from tools.pins import CADDY_VERSION


def test_the_one_of_this_machine_is_the_pinned_one() -> None:
    cache = Cache.from_env()
    assert caddy.ready(cache)
    assert (output([cache.caddy, "list-modules"]) or "").count("http.handlers.log_append") == 1
    assert f"caddy/v2 v{CADDY_VERSION}\n" in (caddy.SOURCES / "go.mod").read_text()


def test_what_is_in_the_cache_is_linked_and_not_built_again(cache: Cache) -> None:
    assert not caddy.ready(cache)
    built = cache.root / "caddy" / caddy.key() / "caddy"
    built.parent.mkdir(parents=True)
    built.write_text("built")
    caddy.install(cache, Path("/no/go"))
    assert cache.caddy.resolve() == built
    assert caddy.ready(cache)


def test_another_versions_build_is_not_ready(cache: Cache) -> None:
    old = cache.root / "caddy" / "2.0.0-0123456789ab" / "caddy"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    cache.link(cache.caddy, old)
    assert not caddy.ready(cache)
