"""What each key's value may be: one function a key, raw value in, checked value out.

Each raises `WrongTypeError` or `RuleError`. They are the validators of `spec.model`, so that
files, JSON and code that builds a model by hand all meet the same rules.
"""

import re
from difflib import get_close_matches
from typing import Final

from spec.errors import InvalidIdError, RuleError, WrongTypeError
from spec.ids import check_id
from spec.problems import cut, shown, shown_image
from spec.units import UNITS, format_size, parse_size

CPU_MIN: Final = 0.1
CPU_MAX: Final = 64
MEMORY_MIN: Final = 64 * UNITS["Mi"]
MEMORY_MAX: Final = 1 * UNITS["Ti"]
PIDS_MIN: Final = 64
PIDS_MAX: Final = 131_072
ENV_COUNT: Final = 256
ENV_BYTES: Final = 32 * 1024
"""Names and values together, in UTF-8: the kernel takes 128 KiB of one string, images add theirs."""
ENV_RESERVED: Final = "CODEHUB_"
STATES: Final = ("auto", "running", "warm")
DRIFTS: Final = ("heal", "report")

OWNER_PATTERN: Final = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"
ENV_NAME_PATTERN: Final = r"^(?!CODEHUB_)[A-Za-z_][A-Za-z0-9_]{0,127}$"

_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
IMAGE_PATTERN: Final = (
    rf"^(?:(?:{_DOMAIN}(?:\.{_DOMAIN})+(?::[0-9]{{1,5}})?|{_DOMAIN}:[0-9]{{1,5}}|localhost)/)?"
    rf"{_PART}(?:/{_PART})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$"
)
_IMAGE = re.compile(IMAGE_PATTERN)
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_OWNER = re.compile(OWNER_PATTERN)
_ENV_NAME = re.compile(ENV_NAME_PATTERN)
_IMAGE_LENGTH = 255
_MILLI = re.compile(r"([0-9]{1,6})m")
_BYTES_LIKELY = 1_000_000
"""A number from here on was meant in bytes, a smaller one in some unit."""
_STATE_SLIPS = {
    "start": "running", "started": "running", "on": "running", "up": "running", "run": "running",
    "true": "running", "yes": "running", "stop": "warm", "stopped": "warm", "off": "warm",
    "down": "warm", "false": "warm", "no": "warm", "sleep": "warm", "default": "auto",
}  # fmt: skip


def owner(value: object) -> str:
    """A user's name as the gateway knows it."""
    text = _text(value, "alice")
    if _OWNER.fullmatch(text) is None or text.endswith("\n"):
        near = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")
        hint = "1 to 63 of a-z, 0-9, `.`, `_` and `-`, from a letter or digit to another"
        raise RuleError(
            f"{shown(text)} can't be a user's name",
            f"did you mean {near}?" if _OWNER.fullmatch(near) else hint,
        )
    return text


def image(value: object) -> str:
    """A Docker image reference: `[host[:port]/]name[:tag][@sha256:...]`."""
    text = _text(value, "codehub/code-server")
    if len(text) > _IMAGE_LENGTH:
        raise RuleError("the image's name is too long", f"at most {_IMAGE_LENGTH} characters")
    if _IMAGE.fullmatch(text) is None or text.endswith("\n"):
        raise RuleError(f"{shown_image(text)} is not an image reference", _image_hint(text))
    if _IMAGE_ID.fullmatch(text):
        raise RuleError("an image id is not an image reference", "name the image: name@sha256:...")
    return text


def cpu(value: object) -> float:
    """Cores, in steps of a thousandth."""
    if isinstance(value, str):
        _refuse_milli(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongTypeError("a number", "2 or 0.5")
    if not CPU_MIN <= value <= CPU_MAX:
        raise RuleError(
            f"{_brief(value)} cores is out of range", f"give a number from {CPU_MIN} to {CPU_MAX}"
        )
    if round(value, 3) != value:
        raise RuleError(f"{value} is finer than a thousandth", f"write {round(value, 3)}")
    return float(value)


def memory(value: object) -> int:
    """Bytes: a size with its unit, or a plain number where no person wrote it."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise WrongTypeError("a size with a unit", "4Gi")
    size = parse_size(value) if isinstance(value, str) else value
    if not MEMORY_MIN <= size <= MEMORY_MAX:
        low, high = format_size(MEMORY_MIN), format_size(MEMORY_MAX)
        what = value if isinstance(value, str) else f"{_brief(value)} bytes"
        raise RuleError(f"{what} is out of range", f"give a size from {low} to {high}")
    return size


def written_memory(value: object) -> int:
    """`memory` as a file has it: a number without a unit is a mistake."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        hint = f"add a unit: {value}Gi or {value}Mi"
        raise RuleError(
            f"{_brief(value)} has no unit", hint if 0 < value < _BYTES_LIKELY else _bytes(value)
        )
    return memory(value)


def pids(value: object) -> int:
    """The highest number of processes and threads."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError("a whole number", "4096")
    if not PIDS_MIN <= value <= PIDS_MAX:
        raise RuleError(
            f"{_brief(value)} is out of range",
            f"give a whole number from {PIDS_MIN} to {PIDS_MAX}",
        )
    return value


def state(value: object) -> str:
    """`auto`, or the power state to pin."""
    if value == "cold":
        raise RuleError("`cold` is not supported yet", f"one of {', '.join(STATES)}")
    if isinstance(value, bool | int | float):
        value = str(value).lower()
    text = _text(value, "auto")
    if text not in STATES:
        near = _STATE_SLIPS.get(text.lower()) or _nearest_state(text)
        raise RuleError(
            f"{shown(text)} is not a state",
            f"did you mean {near}?" if near else f"one of {', '.join(STATES)}",
        )
    return text


def drift(value: object) -> str:
    """What is done about drift."""
    text = _text(value, "report")
    if text not in DRIFTS:
        near = next(iter(get_close_matches(text.lower(), DRIFTS, n=1)), None)
        raise RuleError(
            f"{shown(text)} is not a way to meet drift",
            f"did you mean {near}?" if near else f"one of {', '.join(DRIFTS)}",
        )
    return text


def formerly(value: object) -> str:
    """The id that a workspace had when its home was made."""
    text = _text(value, "alice-old")
    try:
        return check_id(text)
    except InvalidIdError as error:
        raise RuleError(error.message, error.hint) from error


def env_name(value: object) -> str:
    """The name of an environment variable."""
    text = _text(value, "TZ")
    if text.startswith(ENV_RESERVED):
        raise RuleError(f"{ENV_RESERVED}* is reserved", "choose another name")
    if _ENV_NAME.fullmatch(text) is None or text.endswith("\n"):
        near = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_").lstrip("0123456789")
        hint = "up to 128 of A-Z, a-z, 0-9 and _, not beginning with a digit"
        raise RuleError(
            f"{shown(text)} can't be a variable's name",
            f"did you mean {near}?" if _ENV_NAME.fullmatch(near) else hint,
        )
    return text


def env_value(value: object) -> str:
    """The value of an environment variable."""
    text = _text(value, '"8080"')
    if "\0" in text:
        raise RuleError("a variable can't hold a NUL character", "remove the \\0")
    return text


def env(value: dict[str, str]) -> dict[str, str]:
    """All variables together: neither too many nor too long."""
    if len(value) > ENV_COUNT:
        raise RuleError(f"{len(value)} variables are too many", f"at most {ENV_COUNT}")
    size = sum(len(f"{name}={text}".encode()) + 1 for name, text in value.items())
    if size > ENV_BYTES:
        raise RuleError(
            f"{size} bytes of variables are too many",
            f"at most {format_size(ENV_BYTES)}: put long texts in a file of the home",
        )
    return value


def _brief(value: object) -> str:
    """A number for a message; YAML has no limit on digits."""
    return cut(str(value))


def _text(value: object, example: str) -> str:
    if not isinstance(value, str):
        raise WrongTypeError("text", example)
    return value


def _refuse_milli(text: str) -> None:
    match = _MILLI.fullmatch(text)
    if match is not None:
        raise RuleError(f"{shown(text)} has a unit", f"write cores: {int(match.group(1)) / 1000:g}")


def _image_hint(text: str) -> str:
    if not text.strip():
        return "name an image, such as codehub/code-server"
    if text != text.strip() or re.search(r"\s", text):
        return "remove the spaces"
    if scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://", text):
        return f"leave out {shown(scheme[0])}"
    if _IMAGE.fullmatch(text.lower()):
        return f"write the name in lower case: {text.lower()}"
    if re.search(r"@(?!sha256:[0-9a-f]{64}$)", text):
        return "a digest is @sha256: and 64 of 0-9 and a-f"
    return "write name, name:tag or host/name:tag, such as codehub/code-server:1"


def _nearest_state(text: str) -> str | None:
    return next(iter(get_close_matches(text.lower(), STATES, n=1)), None)


def _bytes(value: float) -> str:
    if isinstance(value, int) and MEMORY_MIN <= value <= MEMORY_MAX:
        return f"write {format_size(value)}"
    return "write a number and a unit, such as 512Mi or 4Gi"
