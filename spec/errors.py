"""What this room raises. Foreign errors (YAML, pydantic, the file system) never leave it.

    SpecError
    ├── InvalidSpecError        a file breaks the format; carries every `Problem` of it
    ├── InvalidIdError          a name can't be a workspace's id
    ├── UnknownIdError          no file makes such a workspace
    └── SourceUnreadableError   the folder itself can't be listed: nothing is known about any file

`RuleError` and `WrongTypeError` are how one value's rule says no. Inside a file they become
problems with a position; code that builds a model by hand sees them in pydantic's own error.
"""

from collections.abc import Sequence

from spec.problems import Problem


class SpecError(Exception):
    """Base of what this room raises."""


class InvalidSpecError(SpecError):
    """A workspace file breaks the format.

    Attributes:
        problems: everything that is wrong with it, in the order of the file.
        owner: whom it names as the owner, if that much can be read: whom to show the problems.
    """

    def __init__(self, problems: Sequence[Problem], *, owner: str = "") -> None:
        self.problems = tuple(problems)
        self.owner = owner
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidIdError(SpecError):
    """A name can't be a workspace's id.

    Attributes:
        message: what is wrong with it.
        hint: what would do instead.
    """

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} ({hint})")


class UnknownIdError(SpecError):
    """No file makes such a workspace.

    Attributes:
        message: which.
        hint: the nearest one that there is, or why it may be there all the same.
    """

    def __init__(self, workspace: str, near: str, *, doubt: str = "") -> None:
        self.message = f"no file makes a workspace {workspace}"
        self.hint = doubt or (
            f"did you mean {near}?" if near else "codehub validate -o json lists all"
        )
        super().__init__(f"{self.message} ({self.hint})")


class SourceUnreadableError(SpecError):
    """The folder of workspace files is missing or can't be listed.

    It says nothing about any workspace: whoever catches it must delete nothing.
    """

    def __init__(self, folder: str, message: str, hint: str) -> None:
        self.folder = folder
        self.message = message
        self.hint = hint
        super().__init__(f"{folder}: {message} ({hint})")


class RuleError(ValueError):
    """One value breaks its key's rule."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} ({hint})")


class WrongTypeError(ValueError):
    """One value is of the wrong YAML type; the reader words it, for it knows what was written."""

    def __init__(self, wanted: str, example: str) -> None:
        self.wanted = wanted
        self.example = example
        super().__init__(f"must be {wanted}, for example {example}")
