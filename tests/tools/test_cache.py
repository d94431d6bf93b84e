"""Keys name a build by its sources; what is in the cache is whole."""

from pathlib import Path

import pytest

from tools.cache import (
    Cache,
    cli_key,
    plugin_key,
    pulumi_cli,
    pulumi_home,
    source_key,
    text_key,
)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "sub").mkdir(parents=True)
    (folder / "main.go").write_text("package main")
    (folder / "sub" / "x").write_text("1")
    return folder


def test_a_key_names_the_version_and_stays(sources: Path) -> None:
    key = source_key(sources, version="1.2")
    assert key.startswith("1.2-")
    assert len(key) == len("1.2-") + 12
    assert key == source_key(sources, version="1.2")


def test_a_key_changes_with_content_name_version_and_flags(sources: Path) -> None:
    keys = {source_key(sources, version="1")}
    keys.add(source_key(sources, version="2"))
    keys.add(source_key(sources, version="1", extra=("-tags=x",)))
    (sources / "sub" / "x").write_text("2")
    keys.add(source_key(sources, version="1"))
    (sources / "sub" / "x").rename(sources / "sub" / "y")
    keys.add(source_key(sources, version="1"))
    assert len(keys) == 5


def test_hidden_files_and_byte_code_do_not_count(sources: Path) -> None:
    before = source_key(sources, version="1")
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "a.pyc").write_text("x")
    (sources / ".swp").write_text("x")
    assert source_key(sources, version="1") == before


def test_a_text_key_tells_its_parts_apart() -> None:
    assert text_key("ab", "c", version="1") != text_key("a", "bc", version="1")


@pytest.mark.parametrize(
    ("env", "root"),
    [
        ({"CODEHUB_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/codehub"),
        ({"HOME": "/h"}, "/h/.cache/codehub"),
    ],
)
def test_the_root_comes_from_the_environment(env: dict[str, str], root: str) -> None:
    assert Cache.from_env(env).root == Path(root)


def test_settings_and_tools_agree_on_the_stable_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from settings.load import load
    from settings.model import RunnerSettings

    monkeypatch.setenv("CODEHUB_CACHE", str(tmp_path))
    settings = load(RunnerSettings)
    assert settings.pulumi == pulumi_cli()
    assert settings.pulumi_home == pulumi_home()


def test_install_renames_and_keeps_an_equal_key(cache: Cache) -> None:
    for text in ("first", "second"):
        with cache.scratch("x") as scratch:
            (scratch / "out").mkdir()
            (scratch / "out" / "f").write_text(text)
            cache.install(scratch / "out", cache.root / "x" / "key")
    assert (cache.root / "x" / "key" / "f").read_text() == "first"
    assert list((cache.root / "tmp").iterdir()) == []


def test_scratch_is_removed_after_an_error(cache: Cache) -> None:
    def interrupted() -> None:
        with cache.scratch("x") as scratch:
            (scratch / "half").write_text("")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert list((cache.root / "tmp").iterdir()) == []


def test_a_link_is_relative_and_can_be_pointed_elsewhere(cache: Cache) -> None:
    for name in ("a", "b"):
        target = cache.root / "builds" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(name)
        cache.link(cache.pulumi_cli, target)
        assert cache.pulumi_cli.read_text() == name
        assert not cache.pulumi_cli.readlink().is_absolute()


def test_write_replaces_whole_files_with_a_mode(cache: Cache) -> None:
    cache.write(cache.root / "d" / "f", "x", mode=0o755)
    cache.write(cache.root / "d" / "f", "y", mode=0o600)
    assert (cache.root / "d" / "f").read_text() == "y"
    assert (cache.root / "d" / "f").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in (cache.root / "d").iterdir()] == ["f"]


def test_the_versions_are_in_the_keys() -> None:
    assert cli_key().startswith("3.256.0-")
    assert plugin_key().startswith("5.2.0-")
