"""What each value of `_owners.yaml` and `_policies.yaml` may be: raw value in, checked value out.

As `spec.rules` for workspace files; each function raises `WrongTypeError` or `RuleError`.
"""

import re
from datetime import date
from difflib import get_close_matches
from typing import Final

from spec.errors import InvalidIdError, RuleError, WrongTypeError
from spec.ids import check_id
from spec.problems import shown, shown_image
from spec.units import UNITS, format_size, parse_size

FORGES: Final = ("github", "gitea", "gitlab")
LEVELS: Final = ("mandatory", "advisory", "off")
CPU_MAX: Final = 1_000_000
MEMORY_MAX: Final = 1024 * UNITS["Ti"]
WORKSPACES_MAX: Final = 1_000_000
REASON_LENGTH: Final = 500

LOGIN_PATTERN: Final = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9_])?$"
IMAGE_PATTERN: Final = r"^[A-Za-z0-9*?][A-Za-z0-9*?._/:-]*(@[A-Za-z0-9*?:]+)?$"
DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_LENGTH = 255


def login(value: object) -> str:
    """A user's name at a forge."""
    text = text_of(value, "alice-gh")
    if re.fullmatch(LOGIN_PATTERN, text) is None or text.endswith("\n"):
        hint = "write it without @, as the forge's address of the user ends"
        raise RuleError(f"{shown(text)} can't be a login", hint)
    return text


def forge(value: object) -> str:
    """A kind of forge."""
    return one_of(value, FORGES, "a forge")


def level(value: object) -> str:
    """What a finding of a rule does."""
    if value is False:
        return "off"  # YAML 1.1's `off`, which some editors write as false
    return one_of(value, LEVELS, "a level")


def cpu(value: object) -> float:
    """Cores of all of someone's workspaces."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongTypeError("a number", "8 or 0.5")
    if not 0 <= value <= CPU_MAX:
        raise RuleError(f"{_brief(value)} cores is out of range", f"from 0 to {CPU_MAX}")
    if round(value, 3) != value:
        raise RuleError(f"{value} is finer than a thousandth", f"write {round(value, 3)}")
    return float(value)


def memory(value: object) -> int:
    """Bytes of all of someone's workspaces, from a size with its unit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise RuleError(f"{_brief(value)} has no unit", f"add a unit: {_brief(value)}Gi")
    if not isinstance(value, str):
        raise WrongTypeError("a size with a unit", "16Gi")
    size = parse_size(value)
    if size > MEMORY_MAX:
        raise RuleError(f"{value} is out of range", f"at most {format_size(MEMORY_MAX)}")
    return size


def workspaces(value: object) -> int:
    """How many workspaces."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError("a whole number", "3")
    if not 0 <= value <= WORKSPACES_MAX:
        raise RuleError(f"{_brief(value)} is out of range", f"from 0 to {WORKSPACES_MAX}")
    return value


def images(value: list[str]) -> list[str]:
    """All patterns together: an empty list would allow nothing."""
    if not value:
        raise RuleError("an empty list allows no image", "name one, or remove the rule")
    return value


def image(value: object) -> str:
    """A pattern of images."""
    text = text_of(value, "codehub/*")
    if len(text) > _LENGTH:
        raise RuleError("the pattern is too long", f"at most {_LENGTH} characters")
    if re.fullmatch(IMAGE_PATTERN, text) is None or text.endswith("\n"):
        hint = "write name, name:tag or name@sha256:..., with * for anything between two /"
        raise RuleError(f"{shown_image(text)} is not a pattern of images", hint)
    return text


def workspace(value: object) -> str:
    """A workspace's id."""
    try:
        return check_id(text_of(value, "alice-demo"))
    except InvalidIdError as error:
        raise RuleError(error.message, error.hint) from error


def some(value: list[str]) -> list[str]:
    """A list that must name at least one."""
    if not value:
        raise RuleError("the list is empty", "name at least one workspace")
    return value


def reason(value: object) -> str:
    """Why, for whoever reads it later."""
    text = text_of(value, "until the registry has it").strip()
    if not text:
        raise RuleError("the reason is empty", "say why, for whoever reads it later")
    if len(text) > REASON_LENGTH:
        raise RuleError("the reason is too long", f"at most {REASON_LENGTH} characters")
    if not text.isprintable():
        raise RuleError("the reason is not one line", "write it on one line")
    return text


def day(value: object) -> date:
    """A day, the last one that counts."""
    text = text_of(value, "2030-12-31")
    wrong = RuleError(f"{shown(text)} is not a date", "write year-month-day: 2030-12-31")
    if re.fullmatch(DATE_PATTERN, text) is None:
        raise wrong
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong from None


def one_of_rules(value: object, *, settable: tuple[str, ...], fixed: tuple[str, ...]) -> str:
    """A rule that workspaces may be exempted from."""
    text = text_of(value, settable[0])
    if text in fixed:
        raise RuleError(f"{shown(text)} has no exemptions", f"one of {', '.join(settable)}")
    return one_of(text, settable, "a rule")


def one_of(value: object, known: tuple[str, ...], what: str) -> str:
    """One of few words.

    Args:
        value: as it was read.
        known: the words; the first is the example.
        what: what each of them is, for the error.

    Raises:
        RuleError: it is another word; says which is near.
    """
    text = text_of(value, known[0])
    if text not in known:
        near = next(iter(get_close_matches(text.lower(), known, n=1)), None)
        hint = f"did you mean {near}?" if near else f"one of {', '.join(known)}"
        raise RuleError(f"{shown(text)} is not {what}", hint)
    return text


def text_of(value: object, example: str) -> str:
    """A text.

    Args:
        value: as it was read.
        example: one, for the error.

    Raises:
        WrongTypeError: it is none.
    """
    if not isinstance(value, str):
        raise WrongTypeError("text", example)
    return value


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) < len("1000000000000") else f"{text[:12]}..."
