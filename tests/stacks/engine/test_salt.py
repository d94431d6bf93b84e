"""One salt for all new stacks, so that their key can be derived ahead."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stacks.engine import salt
from tests.stacks.room import Room

SALT = "v1:c2FsdA==:v1:bm9uY2U=:dGV4dA=="


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text("one")
    salt.settings_file(tmp_path, "first").write_text(f"encryptionsalt: {SALT}\n")
    return tmp_path


def test_a_new_stack_gets_the_first_ones(work: Path) -> None:
    salt.keep(work, "first")
    salt.give(work, "second")
    first, second = (salt.settings_file(work, stack) for stack in ("first", "second"))
    assert second.read_text() == first.read_text()
    assert salt.shared(work) == SALT
    assert {path.stat().st_mode & 0o777 for path in (work / "salt", second)} == {0o600}


def test_a_stack_s_own_stays(work: Path) -> None:
    salt.keep(work, "first")
    own = salt.settings_file(work, "second")
    own.write_text("encryptionsalt: v1:other\n")
    salt.give(work, "second")
    salt.keep(work, "second")
    assert own.read_text() == "encryptionsalt: v1:other\n"
    assert salt.shared(work) == SALT


def test_nothing_is_given_before_there_is_one(work: Path) -> None:
    salt.keep(work, "absent")
    salt.give(work, "second")
    assert not salt.settings_file(work, "second").exists()


def test_it_goes_with_its_passphrase(work: Path) -> None:
    salt.keep(work, "first")
    (work / "passphrase").write_text("another")
    assert salt.shared(work) == ""


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', '{"salt": 1}'])
def test_a_broken_file_is_none(work: Path, text: str) -> None:
    (work / "salt").write_text(text)
    assert salt.shared(work) == ""
    salt.keep(work, "first")
    assert salt.shared(work) == SALT


def test_threads_may_keep_it_at_once(work: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            (work / "salt").unlink(missing_ok=True)
            list(pool.map(lambda _: salt.keep(work, "first"), range(8)))
            assert salt.shared(work) == SALT
    assert sorted(path.name for path in work.iterdir()) == [
        "Pulumi.first.yaml",
        "passphrase",
        "salt",
    ]


def test_what_can_not_be_written_or_read_is_left_to_the_cli(work: Path) -> None:
    salt.settings_file(work, "odd").write_bytes(b"\xff\xfe")
    salt.keep(work, "odd")
    assert salt.shared(work) == ""
    salt.keep(work, "first")
    assert salt.give(work, "no/folder")
    assert not salt.give(work, "odd")
    assert not [path for path in work.iterdir() if path.name.startswith(".")]


@pytest.mark.engine
async def test_a_stack_of_another_passphrase_gives_its_salt_to_none(room: Room) -> None:
    old, new = room.inputs(), room.inputs()
    (await room.up(old)).check()
    (room.config.work / "passphrase").write_text("another one entirely")
    assert not (await room.up(old)).ok
    (await room.up(new)).check()


@pytest.mark.engine
async def test_pulumi_takes_it(room: Room) -> None:
    first, second = room.inputs(), room.inputs()
    for inputs in (first, second):
        (await room.up(inputs)).check()
    texts = {salt.settings_file(room.config.work, item.id).read_text() for item in (first, second)}
    assert len(texts) == 1
    assert (await room.up(second)).check().changed == ()
    # Another passphrase opens no stack of the one before; a new stack gets a salt of its own.
    (room.config.work / "passphrase").write_text("another one entirely")
    third = room.inputs()
    (await room.up(third)).check()
    assert salt.settings_file(room.config.work, third.id).read_text() not in texts
