"""What Pulumi says about a failure, as our errors."""

import signal

import pytest

from stacks.engine.failures import classify
from stacks.engine.wire import Result
from stacks.errors import (
    EngineRefusedError,
    EngineUnavailableError,
    HomeMissingError,
    HomeProtectedError,
    ImageMissingError,
    MemoryInUseError,
    NameTakenError,
    NetworkMissingError,
    OperationFailedError,
    OperationKilledError,
    PolicyViolationError,
    ProgramError,
    StacksError,
    ToolchainError,
)

CREATE = "Unable to create container with image a"
TEXTS: list[tuple[str, type[StacksError]]] = [
    ("Unable to create container with image nope:1: unable to pull image", ImageMissingError),
    (
        "Unable to create container with image a: unable to pull image a: connect: connection refused",
        ImageMissingError,
    ),
    (
        "Unable to create container with image a: Cannot connect to the Docker daemon at unix:///x",
        EngineUnavailableError,
    ),
    (
        "Unable to create container with image a: unable to list Docker images: unexpected EOF",
        EngineUnavailableError,
    ),
    (
        f"{CREATE}: unable to list Docker images: Error response from daemon: no such layer",
        EngineRefusedError,
    ),
    (
        f"{CREATE}: error looking up local image: unable to inspect image a: unexpected EOF",
        EngineRefusedError,
    ),
    ('Conflict. The container name "/x" is already in use by container "abc"', NameTakenError),
    ("Unable to create network: network with name x already exists", NameTakenError),
    ("Error response from daemon: network codehub-net not found", NetworkMissingError),
    ('resource "urn:x" cannot be deleted\nbecause it is protected.', HomeProtectedError),
    ("Preview failed: resource 'x-home-1' does not exist", HomeMissingError),
    ("Cannot connect to the Docker daemon at unix:///x.sock", EngineUnavailableError),
    ("Error pinging Docker server: dial unix /x: no such file", EngineUnavailableError),
    ("python inline source runtime error: boom", ProgramError),
    ("no resource plugin 'pulumi-resource-docker' found", ToolchainError),
    ("could not read plugin [/p/pulumi-resource-docker]: exit status 1", ToolchainError),
    (
        'policy pack "/d/work/policy-pack" failed to start: could not read plugin [./policy-pack]: EOF',
        OperationKilledError,
    ),
    ("could not read plugin [/p/pulumi-resource-docker]: exit status -1", OperationKilledError),
    ("could not start plugin [/p/pulumi-resource-docker]: signal: killed", OperationKilledError),
    (
        "docker (resource) plugin [docker] did not begin responding to RPC connections",
        OperationKilledError,
    ),
    ("rpc error: code = Unavailable desc = error reading from server: EOF", OperationKilledError),
    ("Cannot update container x: unable to set memory limit to 67108864", MemoryInUseError),
    ("something that we do not know", OperationFailedError),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_texts_are_placed(text: str, kind: type[StacksError]) -> None:
    error = classify(Result(exit_code=255, errors=[("container", text)]))
    assert type(error) is kind
    assert error.step == "container"
    assert error.message


def test_what_the_cli_itself_says_is_placed_too() -> None:
    error = classify(Result(exit_code=255, stderr="error: no resource plugin 'x' found\n"))
    assert isinstance(error, ToolchainError)
    assert error.step == ""


def test_a_good_end_is_no_error() -> None:
    assert classify(Result(exit_code=0, errors=[("x", "told, but went on")])) is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_cli_ended_by_a_signal_was_killed(number: signal.Signals) -> None:
    error = classify(Result(exit_code=-number))
    assert isinstance(error, OperationKilledError)
    assert number.name in error.message


def test_mandatory_policies_win_and_advisory_ones_stop_nothing() -> None:
    found = [
        {"rule": "a", "resource": "container", "message": "no", "mandatory": True},
        {"rule": "b", "resource": "container", "message": "hm", "mandatory": False},
    ]
    error = classify(Result(exit_code=255, policies=found, errors=[("", "policy failed")]))
    assert isinstance(error, PolicyViolationError)
    assert [item.rule for item in error.violations] == ["a"]
    assert classify(Result(exit_code=0, policies=found[1:])) is None


def test_a_failed_last_part_is_the_error() -> None:
    told = EngineUnavailableError("gone", step="pids").to_json()
    error = classify(Result(exit_code=0, settle=told))
    assert isinstance(error, EngineUnavailableError)
    assert (error.message, error.step) == ("gone", "pids")


def test_nothing_said_is_told_with_the_exit_code() -> None:
    error = classify(Result(exit_code=3))
    assert isinstance(error, OperationFailedError)
    assert "3" in error.message


def test_what_the_engine_said_is_kept_without_its_frames() -> None:
    text = (
        "sdk-v2/provider2.go:571: sdk.helper_schema: Unable to do it: Error response from daemon: "
        "it said no (1 of 2)\n: unknown: provider=docker@5.2.0"
    )
    error = classify(Result(exit_code=255, errors=[("container", text)]))
    assert error is not None
    assert error.message == "Unable to do it: Error response from daemon: it said no (1 of 2)"


def test_frames_and_repeats_are_taken_out_and_long_texts_are_cut() -> None:
    text = (
        "  sdk-v2/provider2.go:572: sdk.helper_schema: Unable to do it\n"
        "update failed\n1 error occurred:\n\t* Unable to do it: " + "x" * 5000
    )
    error = classify(Result(exit_code=255, errors=[("container", text)]))
    assert isinstance(error, OperationFailedError)
    assert "sdk-v2" not in error.message
    assert len(error.message) <= 600


@pytest.mark.parametrize("between", [" ", "\x1f", "\x85", "\u2028", "\v", "\x1b[1m "])
def test_what_the_engine_said_steers_no_terminal(between: str) -> None:
    text = f"it said \x1b]52;c;Y29weQ==\x07\x1b[2J\x9b2J Bearer{between}abcdefghijk"
    error = classify(Result(exit_code=255, errors=[("container", text)]))
    assert error is not None
    gap = "?" if between == "\x1f" else " "
    assert error.message == f"it said ?2J Bearer{gap}[redacted]"
