"""The version of this CodeHub."""

import tomllib
from importlib import metadata
from pathlib import Path


def version() -> str:
    """As installed; in a checkout that is not, as its pyproject.toml says."""
    try:
        return metadata.version("codehub")
    except metadata.PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
