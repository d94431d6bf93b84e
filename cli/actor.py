"""Who is at the command line, for the history."""

import getpass
import os


def actor() -> str:
    """The system's user: another kind of name than the portal's users."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"  # a container's user without a name
