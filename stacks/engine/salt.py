"""One salt for the keys of all new stacks, so that a key can be derived before its stack is known.

Pulumi derives each stack's key in a million rounds, from the passphrase and a salt of the stack's
own. Here a new stack gets the salt of the one before. A salt keeps one table of keys from serving
against many passphrases; ours is 256 bits of chance, against which there is no table.
"""

import contextlib
import hashlib
import json
import tempfile
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
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def give(work: Path, stack: str) -> bool:
    """Give a new stack the shared salt, if there is one; whether the stack is new.

    What cannot be written is left to the CLI, which then makes a salt of the stack's own.
    """
    settings, salt = settings_file(work, stack), shared(work)
    if settings.exists():
        return False
    if salt:
        _write(settings, f"{KEY}{salt}\n")
    return True


def keep(work: Path, stack: str) -> None:
    """Keep the salt of a stack that was made just now for those to come, unless one is kept.

    An older one's may go with another passphrase: a CLI that waited knows its key all the same.
    """
    if shared(work):
        return
    with contextlib.suppress(OSError, ValueError):
        for line in settings_file(work, stack).read_text().splitlines():
            if line.startswith(KEY):
                kept = {"salt": line.removeprefix(KEY).strip(), "passphrase": _fingerprint(work)}
                _write(_file(work), json.dumps(kept))


def _file(work: Path) -> Path:
    return work / "salt"


def _fingerprint(work: Path) -> str:
    return hashlib.sha256((work / "passphrase").read_bytes()).hexdigest()


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        number, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(number, "w") as stream:  # noqa: PTH123  # it is open already
                stream.write(text)
            Path(beside).replace(path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
