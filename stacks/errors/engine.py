"""Errors of the Docker engine, and of what is on it beside homes."""

from stacks.errors.base import PermanentError, TemporaryError


class EngineUnavailableError(TemporaryError):
    """The Docker engine does not answer."""

    reason = "ENGINE_UNAVAILABLE"
    default_remedy = "Start the Docker engine; `codehub doctor` shows how it is reached."


class EngineRefusedError(TemporaryError):
    """The Docker engine answered with an error that has no kind of its own."""

    reason = "ENGINE_REFUSED"
    default_remedy = "It is tried again; the message is the engine's own."


class IsolationUnenforcedError(TemporaryError):
    """From inside a workspace something can be reached that must not be; nothing is started.

    A passing error: once somebody closed the gap, the next attempt sees it.
    """

    reason = "ISOLATION_UNENFORCED"
    default_remedy = "`codehub isolation check` shows what was tried, and what closes it."


class StaleContainerError(TemporaryError):
    """The container is not there, or was made from another spec: only `up` helps.

    Attributes:
        broken: Whether it is there but can never be started again: its network is gone, or
            the engine forgot that it runs.
        supposed: Whether that is only concluded from its being refused twice.
    """

    reason = "STALE_CONTAINER"
    default_remedy = "Run `codehub up` for this workspace."
    broken = False
    supposed = False


class NetworkMissingError(TemporaryError):
    """The shared network is not on the engine."""

    reason = "NETWORK_MISSING"
    default_remedy = "The next `up` makes it again; nothing of the workspace was changed."


class ImageMissingError(PermanentError):
    """The engine does not have the image."""

    reason = "IMAGE_MISSING"
    default_remedy = "Build or pull the image on this engine, or change `image:` in the file."


class ImageUnfitError(PermanentError):
    """The image declares a volume inside the home: what is written there would go with a container."""

    reason = "IMAGE_UNFIT"
    default_remedy = (
        "Build the image without that VOLUME line (an image inherits those of the one it is built "
        "on), or name another in the file. All below the home is kept without it."
    )


class MemoryInUseError(PermanentError):
    """The file asks for less memory than the running workspace uses; it goes on with what it had."""

    reason = "MEMORY_IN_USE"
    default_remedy = (
        "The workspace uses more than that now and goes on as it was: stop it first, or ask for "
        "more memory in the file."
    )


class NameTakenError(PermanentError):
    """An object of that name is there and does not carry our labels."""

    reason = "NAME_TAKEN"
    default_remedy = "Remove or rename that object, or change CODEHUB_NAME_PREFIX."


class OtherTreeError(NameTakenError):
    """An object of that name was made by another data tree, which alone may touch it."""

    reason = "OTHER_TREE"

    @classmethod
    def of(cls, kind: str, name: str, tree: str, *, file: str) -> "OtherTreeError":
        """Say whose it is and what helps.

        Args:
            kind: ``container`` or ``volume``.
            name: Its name.
            tree: Id of that data tree, "" when the object does not say.
            file: This data tree's file of ids.
        """
        told = f"is that of another data tree, {tree}" if tree else "does not say whose it is"
        return cls(
            f"the {kind} {name} {told}: it is left alone",
            step=f"{kind} {name}",
            remedy="Give this data tree a CODEHUB_NAME_PREFIX of its own: two on one engine need "
            "two. Only if the folder of that other data tree is deleted, append the line "
            f"{tree or 'none'} to {file}, and what it made is this one's.",
        )


class RulesRefusedError(PermanentError):
    """Our table of rules could not be changed."""

    reason = "RULES_REFUSED"
    default_remedy = "Run it as root on the engine's machine, with nft installed."


class StartFailedError(PermanentError):
    """The container was started, but its IDE ended or did not answer in time."""

    reason = "START_FAILED"
    default_remedy = "Read `codehub logs`; correct the image or raise CODEHUB_START_TIMEOUT."


class RunFolderError(PermanentError):
    """A run folder cannot be made, or something else stands in its place."""

    reason = "RUN_FOLDER"
    default_remedy = "Run as root or as uid 1000, and keep hands off the data tree's `run`."
