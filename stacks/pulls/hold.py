"""What a reading of the files says of a workspace that is not to follow its file yet. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why a workspace stays as it is.

    Attributes:
        message: Who, what and why, for a person.
        remedy: What helps.
        passing: Whether it ends by itself: it is not known yet what was reviewed.
    """

    message: str
    remedy: str
    passing: bool = False
