"""The versions of everything the set-up installs or builds. Python packages: requirements/*.txt; Go and Node: wheels/*.txt."""

PULUMI_VERSION = "3.256.0"
DOCKER_PLUGIN_VERSION = "5.2.0"
GO_MINIMUM = (1, 26, 4)
"""What Gitea asks for in its go.mod; the plugin's bridge does with 1.25.11."""
CADDY_VERSION = "2.10.2"
"""Engine proxy and TLS edge of deploy/; the same stands in caddy_server/go.mod."""
COMPOSE_VERSION = "5.0.1"
"""The command that reads deploy/compose.yaml; the same stands in compose_cli/go.mod."""
GITEA_VERSION = "1.27.3"
"""The forge of the tests; the same stands in gitea_server/go.mod."""
GITHUB_API_VERSION = "23.0.2"
"""GitHub's description of its API, for the tests; the same stands in github_api/package.json."""
CODE_SERVER_VERSION = "4.139.1"
ENGINE_API_MINIMUM = (1, 41)
"""Debian 12's engine, and the oldest we try against."""
DEBIAN_SUITE = "bookworm"
