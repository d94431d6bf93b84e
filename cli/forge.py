"""The forge of the settings, for commands."""

from typing import TYPE_CHECKING

from cli.failures import InputError

if TYPE_CHECKING:
    from forges.forge import Forge
    from settings.forge import ForgeSettings

_HINT = "set CODEHUB_FORGE, CODEHUB_FORGE_REPOSITORY and CODEHUB_FORGE_TOKEN_FILE: see docs/how-to/connect-a-forge.md"


def opened(settings: "ForgeSettings") -> "Forge":
    """The forge's repository; nothing is sent yet. Close it at the end.

    Raises:
        InputError: the settings name no forge, no repository or no token.
        SettingsError: the token can't be read.
        ForgeAddressError: its address or the repository's name can't be used.
    """
    from stacks.forge import connected

    if settings.forge is None or settings.forge_token_file is None or not settings.forge_repository:
        raise InputError("no forge is connected here", hint=_HINT)
    return connected(settings)
