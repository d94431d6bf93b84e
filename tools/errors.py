"""Errors of the tools room.

ToolError                     every error of this room; has a remedy for the person at the keyboard
├── MissingToolError          something is not on this machine and we may not install it
├── CommandFailedError        a program we ran failed; carries the end of its output
├── DownloadError             an official download does not answer or its checksum is wrong
├── BuildError                a build ended, but not with what it should have made
├── EngineUnreachableError    no Docker engine answers
├── EngineRequestError        the engine answered a request with an error
└── StepFailedError           a set-up step failed; names it, its cause is chained
"""


class ToolError(Exception):
    """Something about this machine's tools; `remedy` says what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.remedy}" if self.remedy else self.message


class MissingToolError(ToolError):
    """Something is not on this machine and we may not install it."""


class CommandFailedError(ToolError):
    """A program we ran failed; `tail` is the end of its output."""

    def __init__(self, argv0: str, code: int, tail: str, *, remedy: str = "") -> None:
        super().__init__(f"{argv0} ended with {code}:\n{tail}", remedy=remedy)
        self.code = code
        self.tail = tail


class DownloadError(ToolError):
    """An official download does not answer, or what came is not what was published."""


class BuildError(ToolError):
    """A build ended, but not with what it should have made."""


class EngineUnreachableError(ToolError):
    """No Docker engine answers at the address."""


class EngineRequestError(ToolError):
    """The engine answered a request with an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the Docker engine answered {status}: {message}")
        self.status = status


class StepFailedError(ToolError):
    """A set-up step failed; the cause is chained."""

    def __init__(self, name: str, cause: ToolError) -> None:
        super().__init__(f"step '{name}' failed: {cause.message}", remedy=cause.remedy)
        self.name = name
