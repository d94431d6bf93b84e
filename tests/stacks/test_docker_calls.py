"""What is read out of Docker's answers."""

from typing import Any

import pytest
from aiodocker.exceptions import DockerError

from stacks.docker_calls import (
    holds,
    may_be_broken,
    memory_used,
    quoted,
    refusal,
    unstartable,
    volumes_in_home,
)
from stacks.errors import EngineRefusedError, StaleContainerError

V1 = {"total_active_file": 10, "total_inactive_file": 20, "active_file": 1, "inactive_file": 2}
V2 = {"active_file": 10, "inactive_file": 20, "anon": 70}


@pytest.mark.parametrize(
    ("memory", "used"),
    [
        ({"usage": 100, "stats": V1}, 70),
        ({"usage": 100, "stats": V2}, 70),
        ({"usage": 100}, 100),
        ({"usage": 5, "stats": V2}, 0),
        ({}, 0),
        (None, 0),
    ],
    ids=["cgroup v1", "cgroup v2", "no details", "read at two moments", "ended", "nothing"],
)
def test_cached_files_are_not_in_use(memory: dict[str, Any] | None, used: int) -> None:
    assert memory_used({"memory_stats": memory}) == used


@pytest.mark.parametrize(
    ("declared", "inside"),
    [
        (None, ()),
        ({}, ()),
        ({"/home/coder": {}, "/home/coder/": {}, "/home": {}, "/": {}, "/home/coder2": {}}, ()),
        ({"/home/coder/../coder2": {}, "/home/coder/.": {}}, ()),
        ({"/home/coder/b": {}, "home//coder/a/": {}}, ("/home/coder/a", "/home/coder/b")),
        ({"//home/other/../coder/.x": {}}, ("/home/coder/.x",)),
        (
            {"../home/coder/a/../b//": {}, "/../home/./coder/c": {}},
            ("/home/coder/b", "/home/coder/c"),
        ),
    ],
)
def test_places_inside_the_home_are_told_however_they_are_written(
    declared: dict[str, Any] | None, inside: tuple[str, ...]
) -> None:
    assert volumes_in_home({"Config": {"Volumes": declared}}) == inside


PLACE = "/var/lib/docker/volumes/x-ws-home-1/_data"


@pytest.mark.parametrize(
    ("mount", "held"),
    [
        ({"Type": "volume", "Name": "x-ws-home-1"}, True),
        ({"Type": "volume", "Name": "x-ws-home-10"}, False),
        ({"Type": "bind", "Source": PLACE}, True),
        ({"Type": "bind", "Source": f"{PLACE}/src/"}, True),
        ({"Type": "bind", "Source": "/var/lib/docker/volumes/x-ws-home-1"}, True),
        ({"Type": "bind", "Source": f"{PLACE}/../../x-ws-home-1/_data"}, True),
        ({"Type": "bind", "Source": f"{PLACE}2"}, False),
        ({"Type": "bind", "Source": "/var/lib/docker/volumes"}, False),
        ({"Type": "bind", "Source": "/"}, False),
        ({"Type": "tmpfs", "Source": PLACE}, False),
    ],
)
def test_who_holds_a_home(mount: dict[str, str], held: bool) -> None:
    other = {"Type": "bind", "Source": "/srv"}
    assert holds({"Mounts": [other, mount]}, "x-ws-home-1", PLACE) is held


def test_what_is_not_known_of_a_volume_holds_nothing() -> None:
    bind = {"Type": "bind", "Source": PLACE}
    assert not holds({"Mounts": [bind]}, "x-ws-home-1", "")
    assert not holds({}, "x-ws-home-1", PLACE)
    driver = {"Type": "bind", "Source": "/mnt/a"}
    assert not holds({"Mounts": [driver]}, "x-ws-home-1", "/mnt/a/b"), "no folder of its own"


@pytest.mark.parametrize(
    ("status", "told", "broken"),
    [
        (404, "network 1f2e not found", True),
        (404, "No such container: x", False),
        (409, "task 2602230d46368f: already exists", True),
        (500, "failed to create task for container: task 26f: already exists", True),
    ],
)
def test_what_can_never_be_started_again_is_made_anew(
    status: int, told: str, *, broken: bool
) -> None:
    error = unstartable(DockerError(status, told))
    assert isinstance(error, StaleContainerError)
    assert error.broken is broken


@pytest.mark.parametrize(
    "told", ["endpoint x already exists in network y", "no space left on device"]
)
def test_what_else_the_engine_refuses_is_tried_again(told: str) -> None:
    error = unstartable(DockerError(500, told))
    assert isinstance(error, EngineRefusedError)
    assert told in error.message


TAKEN = "endpoint x already exists in network y"


def test_what_is_refused_again_is_supposed_to_be_broken() -> None:
    error = unstartable(DockerError(500, TAKEN), again=True)
    assert isinstance(error, StaleContainerError)
    assert (error.broken, error.supposed) == (True, True)
    known = unstartable(DockerError(500, "task 26f: already exists"), again=True)
    assert isinstance(known, StaleContainerError)
    assert (known.broken, known.supposed) == (True, False)


@pytest.mark.parametrize(
    ("status", "told", "may_be"),
    [
        (500, TAKEN, True),
        (409, TAKEN, True),
        (400, TAKEN, False),
        (404, "network 1f2e not found", False),
        (503, TAKEN, False),
        (900, TAKEN, False),
        (500, "code = Unavailable desc = dial containerd-shim/moby/1f2e/shim.sock", True),
        (500, "mkdir /x: no space left on device", False),
        (500, 'connection error: desc = "transport: dial unix:///run/containerd.sock"', False),
        (500, "failed to set up container networking: no available IPv4 addresses", False),
        (500, "task 26f: already exists", False),
    ],
)
def test_what_the_engine_lacks_is_no_fault_of_the_container(
    status: int, told: str, *, may_be: bool
) -> None:
    assert may_be_broken(DockerError(status, told)) is may_be


def test_what_a_container_said_is_one_line_that_steers_no_terminal() -> None:
    said = "\x1b]0;booting\n\x1b[31mERROR: port 8080:\tin use\x1b[0m\n\x1b]52;c;Y29weQ==\x07\x1b[2Jbye\x9b1m\n"
    assert quoted(said) == "ERROR: port 8080: in use bye?1m"
    assert quoted("a\fb\u2028c") == "a b c"
    assert quoted("\x1b[?25h\n") == "nothing"


@pytest.mark.parametrize("between", [" ", "\x85", "\u2028", "\v", "\x1b[1m ", "\n"])
def test_no_control_hides_a_secret_from_what_takes_them_out(between: str) -> None:
    assert (
        quoted(f"Authorization: Bearer{between}abcdefghijk") == "Authorization: Bearer [redacted]"
    )


def test_an_engine_that_says_nothing_is_quoted_so() -> None:
    assert refusal(DockerError(500, "\x1b[0m"), step="start").message == "the engine said: nothing"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Bearer hunter2\0swordfish", "Bearer [redacted]"),
        ("postgresql://u\x1b:hunter2@h/db", "postgresql://u[redacted]@h/db"),
    ],
)
def test_what_is_taken_out_of_a_quotation_hides_no_secret(said: str, told: str) -> None:
    assert quoted(said) == told
