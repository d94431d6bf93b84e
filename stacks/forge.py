"""The forge of the settings."""

from typing import TYPE_CHECKING

from settings.forge import ForgeFields, read_secret

if TYPE_CHECKING:
    from forges.forge import Forge


def connected(settings: ForgeFields) -> "Forge":
    """Make a way to the forge; nothing is sent yet. Close it at the end.

    Its token is read anew each time, so that it can be renewed.

    Args:
        settings: Name a forge, a repository and a token's file.

    Raises:
        SettingsError: The token can't be read.
        ForgeError: Address, repository or token can't be used.
    """
    # Brings an HTTP client.
    from forges.connect import connect  # noqa: PLC0415
    from forges.forge import Kind  # noqa: PLC0415

    assert settings.forge is not None, "asked only where a forge is named"
    assert settings.forge_token_file is not None, "asked only where there is a token"
    return connect(
        Kind(settings.forge),
        repository=settings.forge_repository,
        token=read_secret(settings.forge_token_file, setting_name="forge_token_file"),
        url=settings.forge_url,
        login=settings.forge_login,
    )
