"""Reads settings from the environment and one optional file; reports everything wrong at once.

`CODEHUB_<NAME>` beats `<name>` in the file. The file is TOML: CODEHUB_CONFIG names it, else
`codehub.toml` in the current folder is read when it is there. An empty variable counts as not set.
Names that no process knows are refused, so that a slip of the pen does not go unnoticed.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from settings.errors import SettingsError, WrongSetting
from settings.model import CLASSES, Settings
from settings.paths import ToolPaths, cache_root
from settings.types import UNQUOTING, is_place, is_secret

PREFIX = "CODEHUB_"
FILE = "codehub.toml"
OTHERS = {
    "CONFIG": "The settings file; without it `codehub.toml` in the current folder, if it is there.",
    "CACHE": "Folder of built tools; without it `codehub` in `XDG_CACHE_HOME`, else in `~/.cache`.",
    "PASSWORD": "Password for `codehub user add` and `passwd`, so that it is in no argument list.",
    "PYTHON": "Interpreter that Pulumi's helper programs run; set by CodeHub itself.",
    "ID": "In a container: the workspace's id; set by CodeHub itself.",
    "SOCKET": "In a container: where the IDE listens; `/run/codehub/ide.sock` without it.",
}
"""Variables that are no settings but are read somewhere; docs/reference/settings.md lists them."""
TEST_PREFIX = "test_"
SHOWN = 80
"""Characters of a wrong value that an error quotes."""

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was written, and the name that its writer knows it by."""

    name: str
    value: Any


def load(
    settings_class: type[S],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> S:
    """Read and check the settings.

    Args:
        settings_class: which of `settings.model`.
        env: the environment; the process's own by default.
        cwd: where relative paths start; the current folder by default.

    Raises:
        SettingsError: something is wrong; it names each wrong setting.
    """
    env = os.environ if env is None else env
    cwd = cwd or Path.cwd()
    given, wrong = _read_file(env, cwd)
    given |= _read_env(env)
    wrong += _unknown(given)
    values = _defaults(settings_class, env) | {
        name: item.value for name, item in given.items() if name in settings_class.model_fields
    }
    try:
        loaded = settings_class(**_placed(settings_class, values, cwd))
    except ValidationError as error:
        raise SettingsError(wrong + _invalid(settings_class, error, given)) from None
    if wrong:
        raise SettingsError(wrong)
    return loaded


def known_names() -> frozenset[str]:
    """Every name of a setting, of all processes."""
    return frozenset(name for one in CLASSES for name in one.model_fields)


def _read_env(env: Mapping[str, str]) -> dict[str, Given]:
    return {
        _name(key): Given(key, value)
        for key, value in env.items()
        if key.startswith(PREFIX) and value
    }


def _name(variable: str) -> str:
    # CODEHUB_port is left as it is, and so is the name of no setting.
    return variable.removeprefix(PREFIX).lower() if variable.isupper() else variable


def _read_file(env: Mapping[str, str], cwd: Path) -> tuple[dict[str, Given], list[WrongSetting]]:
    named = env.get(PREFIX + "CONFIG")
    path = cwd / (named or FILE)
    if not named and not path.exists():
        return {}, []
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [_unreadable(path, named, str(error.strerror))]
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, [_unreadable(path, named, f"not TOML: {_position(error)}")]
    return {
        name: Given(f"{name} in {path.name}", _text(value)) for name, value in content.items()
    }, []


def _position(error: ValueError) -> str:
    # tomllib quotes no more than a key or a character; a decoding error would quote the bytes.
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _unreadable(path: Path, named: str | None, problem: str) -> WrongSetting:
    name = f"{PREFIX}CONFIG" if named else path.name
    if not _may_hold_credentials(named):
        problem = f"{path}: {problem}"
    return WrongSetting(name=name, problem=problem, example='log_level = "info"')


def _may_hold_credentials(value: Any) -> bool:
    """Whether a value is not to be quoted: a URL with credentials ends up in any setting."""
    return "@" in str(value)


def _text(value: Any) -> Any:
    """Numbers as the environment would give them, so that both need units alike."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if plain else value


def _unknown(given: Mapping[str, Given]) -> list[WrongSetting]:
    known = known_names()
    return [
        _unknown_name(name, item.name, known)
        for name, item in sorted(given.items(), key=lambda pair: pair[1].name)
        if name not in known and not (item.name.startswith(PREFIX) and _read_elsewhere(name))
    ]


def _read_elsewhere(name: str) -> bool:
    return name.upper() in OTHERS or name.startswith(TEST_PREFIX)


def _unknown_name(name: str, written: str, known: frozenset[str]) -> WrongSetting:
    nearest = get_close_matches(name.removeprefix(PREFIX).lower(), sorted(known), n=1)
    env = written.startswith(PREFIX)
    offered = [f"{PREFIX}{found.upper()}" if env else found for found in nearest]
    hint = f"; did you mean {offered[0]}?" if offered else ""
    return WrongSetting(name=written, problem=f"no such setting{hint}", example="")


def _defaults(settings_class: type[Settings], env: Mapping[str, str]) -> dict[str, Any]:
    """Defaults that hang on the given environment instead of the process's own."""
    tools = ToolPaths(cache_root(env))
    computed = {"pulumi": str(tools.pulumi), "pulumi_home": str(tools.pulumi_home)}
    fields = settings_class.model_fields
    return {name: value for name, value in computed.items() if name in fields}


def _placed(settings_class: type[Settings], values: dict[str, Any], cwd: Path) -> dict[str, Any]:
    """Make relative paths start at `cwd`, defaults included."""
    placed = dict(values)
    for name, field in settings_class.model_fields.items():
        value = values.get(name, field.default)
        if is_place(field) and isinstance(value, str | Path) and str(value):
            placed[name] = cwd / Path(value).expanduser()
    return placed


def _invalid(
    settings_class: type[Settings], error: ValidationError, given: Mapping[str, Given]
) -> list[WrongSetting]:
    """One entry per wrong setting; only its first problem."""
    found: dict[str, WrongSetting] = {}
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        if item["type"] == "default_factory_not_called":
            continue  # it hangs on a setting that is reported itself
        name = str(item["loc"][0])
        field = settings_class.model_fields[name]
        told = _wrong(
            name, field, item["msg"], given.get(name), unquoting=item["type"] == UNQUOTING
        )
        found.setdefault(name, told)
    return list(found.values())


def _wrong(
    name: str, field: FieldInfo, message: str, item: Given | None, *, unquoting: bool
) -> WrongSetting:
    written = item.name if item else PREFIX + name.upper()
    example = str((field.examples or [""])[0])
    in_env = written.startswith(PREFIX)
    example = f"{written}={example}" if in_env else f'{name} = "{example}"'
    if is_secret(field):
        problem = message if unquoting else "not a valid value"
        return WrongSetting(name=written, problem=problem, example=example)
    problem = message.removeprefix("Value error, ")
    problem = problem[:1].lower() + problem[1:]
    if item and _may_hold_credentials(item.value):
        problem += ", and is not shown, since it holds an @"
    elif item:
        problem += f", not {str(item.value)[:SHOWN]!r}"
    return WrongSetting(name=written, problem=problem, example=example)
