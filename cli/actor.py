"""Who is at the command line, for the history."""

import getpass
import os
import pwd


def actor() -> str:
    """The system's user: another kind of name than the portal's users."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"  # a container's user without a name


def login() -> str:
    """The system's user as the process has it, whatever the environment says; for what needs a right."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())  # a container's user without a name
