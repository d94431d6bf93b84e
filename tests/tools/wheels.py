"""Small wheels for tests, which pip installs by their hash."""

import base64
import hashlib
import zipfile
from pathlib import Path


def add_wheel(folder: Path, name: str, requirements: str, files: dict[str, str]) -> None:
    """Make a wheel of some files and the requirements file that asks for it by its hash."""
    info = f"{name}-1.0.dist-info"
    records = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{name}-1.0-py3-none-any.whl"
    lines = []
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in records.items():
            entry = zipfile.ZipInfo(file)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
            hashed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            lines.append(f"{file},sha256={hashed.decode().rstrip('=')},{len(text)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,", ""]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / requirements).write_text(f"{name}==1.0 --hash=sha256:{digest}\n")
