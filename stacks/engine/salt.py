"""One salt for the keys of all new stacks, so that a key can be derived before its stack is known.

Pulumi derives each stack's key in a million rounds, from the passphrase and a salt of the stack's
own. Here a new stack gets the salt of the one before. A salt keeps one table of keys from serving
against many passphrases; ours is 256 bits of chance, against which there is no table.
"""

import hashlib
import json
import os
from pathlib import Path

KEY = "encryptionsalt: "


def settings_file(work: Path, stack: str) -> Path:
    """Give the path of a stack's settings, which the CLI writes with its first operation."""
    return work / f"Pulumi.{stack}.yaml"


def shared(work: Path) -> str:
    """Give the salt for new stacks, "" where there is none that goes with the passphrase."""
    try:
        kept = json.loads(_file(work).read_text())
        return str(kept["salt"]) if kept["passphrase"] == _fingerprint(work) else ""
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def give(work: Path, stack: str) -> None:
    """Give a new stack the shared salt, if there is one."""
    settings, salt = settings_file(work, stack), shared(work)
    if salt and not settings.exists():
        _write(settings, f"{KEY}{salt}\n")


def keep(work: Path, stack: str) -> None:
    """Keep the salt of a stack for those to come, unless one is kept."""
    if shared(work):
        return
    try:
        lines = settings_file(work, stack).read_text().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        if line.startswith(KEY):
            kept = {"salt": line.removeprefix(KEY).strip(), "passphrase": _fingerprint(work)}
            _write(_file(work), json.dumps(kept))


def _file(work: Path) -> Path:
    return work / "salt"


def _fingerprint(work: Path) -> str:
    return hashlib.sha256((work / "passphrase").read_bytes()).hexdigest()


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.chmod(0o600)
    beside.replace(path)
