"""Where a workspace is opened."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings.model import GatewaySettings

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared, not bound)


def gateway_url(settings: "GatewaySettings") -> str:
    """The address that people open, without a slash at its end."""
    if settings.base_url is not None:
        return settings.base_url
    host = _EVERY_ADDRESS.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def workspace_url(settings: "GatewaySettings", workspace: str) -> str:
    """A workspace's own address."""
    return f"{gateway_url(settings)}/w/{workspace}/"
