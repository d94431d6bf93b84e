"""Turns what Pulumi and its plugins say about a failure into our errors. Pure; the only seam.

Texts are those of Pulumi 3.256, its Docker plugin 5.2 and the Docker engine; a test provokes each.
"""

import re
import signal
from collections.abc import Callable, Iterable, Sequence

from stacks import errors
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
    Violation,
)
from telemetry.redact import redact_text
from telemetry.words import harmless, plain

MOST_TEXT = 600

Make = Callable[..., StacksError]

# The first that matches wins: the narrow ones come first.
_TEXTS: tuple[tuple[str, Make], ...] = (
    # Of an engine that went away the plugin says that it lacks the image, and then why.
    ((r"Cannot connect to the Docker daemon|error during connect"
     r"|unable to list Docker images: (?!Error response from daemon)"), EngineUnavailableError),
    (r"unable to list Docker images|error looking up local image|unable to inspect image",
     EngineRefusedError),
    (r"Unable to create container with image|No such image", ImageMissingError),
    (r"is already in use by container|network with name \S+ already exists", NameTakenError),
    (r"network \S+ not found", NetworkMissingError),
    (r"unable to set memory limit", MemoryInUseError),
    (r"cannot be deleted[^.]*protected|is protected|because it is protected", HomeProtectedError),
    (r"Preview failed: resource '[^']*' does not exist|resource '[^']*' does not exist", HomeMissingError),
    # A plugin that was killed before the CLI reached it.
    (r"did not begin responding to RPC", OperationKilledError),
    (r"Error pinging|failed to create Docker client|connect: connection refused|docker\.sock",
     EngineUnavailableError),
    (r"python inline source runtime error", ProgramError),
    # What serves the policies was killed before it named its port.
    (r"policy pack.*failed to start: could not read plugin.*EOF", OperationKilledError),
    # A plugin that was killed as it began, before it named its port.
    (r"plugin.*(?:exit status -1\b|signal: killed)", OperationKilledError),
    (r"no resource plugin|plugin.*not found|could not (?:load|read) plugin|failed to load plugin",
     ToolchainError),
    ((r"transport is closing|error reading from server|connection reset|code = Unavailable|broken pipe"
     r"|plugin.*(?:exited|crashed|killed)|resource monitor has terminated"), OperationKilledError),
)  # fmt: skip


def classify(result: Result) -> StacksError | None:
    """Give the error of a finished operation, None when it ended well."""
    if result.settle is not None:
        return errors.from_json(result.settle)
    if result.exit_code == 0:
        return None
    mandatory = tuple(item for item in violations(result) if item.mandatory)
    if mandatory:
        return PolicyViolationError(mandatory, step="policies")
    if result.exit_code in {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}:
        name = signal.Signals(-result.exit_code).name
        return OperationKilledError(f"the Pulumi CLI was ended by {name}")
    return _by_text(result)


def violations(result: Result) -> tuple[Violation, ...]:
    """Give what the policies said."""
    return tuple(Violation(**item) for item in result.policies)


def _by_text(result: Result) -> StacksError:
    told = [(resource, _clean(text)) for resource, text in result.errors]
    told.append(("", _clean(result.stderr)))
    for pattern, make in _TEXTS:
        for resource, text in told:
            if re.search(pattern, text):
                return make(text[:MOST_TEXT], step=resource)
    return OperationFailedError(_summary(told, result.exit_code), step=_first(r for r, _ in told))


# Around what the engine said: where in the plugin it was heard, and how errors are listed and sent.
_FRAMES = re.compile(
    r"\s*\*?\s*\d+ errors? occurred:\s*\*?\s*|sdk-v2/\S+\s*(?:sdk\.helper_schema:\s*)?"
    r"|(?:\s*: unknown)?: provider=\w+@\S+|\s*: unknown$"
)


def _clean(text: str) -> str:
    """Take what is only frame out of a message, and what steers a terminal."""
    lines = [line.strip() for line in plain(redact_text(text)).splitlines()]
    joined = " ".join(line for line in lines if line and not line.startswith("update failed"))
    # An address of the engine may hold credentials.
    return harmless(redact_text(_FRAMES.sub(" ", joined).strip()))


def _summary(told: Sequence[tuple[str, str]], code: int) -> str:
    text = _first(text for _, text in told)
    return text[:MOST_TEXT] or f"the Pulumi CLI ended with {code} and said nothing"


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
