"""Style sheet, scripts and icon, read once. Their paths change with their content.

The digest is of all files together, because the scripts import each other by relative path.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file, and the digest in their paths."""

    files: dict[str, Asset]
    digest: str

    @classmethod
    def load(cls) -> Self:
        """Read the files; those of other types are left out."""
        files = {
            path.name: Asset(path.read_bytes(), _TYPES[path.suffix])
            for path in sorted(_FOLDER.iterdir())
            if path.suffix in _TYPES
        }
        whole = hashlib.sha256()
        for name, asset in files.items():
            whole.update(f"{name} {len(asset.body)} ".encode() + asset.body)
        return cls(files, whole.hexdigest()[:16])

    def url(self, name: str) -> str:
        """Return the path of a file on this origin; the file must exist."""
        assert name in self.files, name
        return f"/static/{self.digest}/{name}"
