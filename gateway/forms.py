"""A workspace's file as a form, and what a sent form changes in it. Pure.

A form says values, a file has comments, order and quotes besides. So what a form says is compared
with what the file says, and only the difference is put into the file (`spec.edit`): a field that
nobody touched changes nothing, however its value is written there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from spec.edit import patched, values_of, written
from spec.errors import InvalidSpecError
from spec.problems import Problem

TEXTS: Final = ("owner", "image", "state", "drift", "formerly")
NUMBERS: Final = ("cpu", "pids")
RESOURCES: Final = ("cpu", "memory", "pids")
BLANK_ROWS: Final = 3
"""Empty rows for variables: enough for a page without scripts."""
MOST_ROWS: Final = 300
"""Variables of a file that has more are changed as text: their rows would be pages long."""
_INT: Final = re.compile(r"-?[0-9]{1,18}")
_FLOAT: Final = re.compile(r"-?[0-9]{1,9}\.[0-9]{1,9}")


class Variable(NamedTuple):
    """One row of the form."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FormView:
    """The form's fields, as text.

    Attributes:
        values: of `owner`, `image`, `state`, `drift`, `formerly`, `cpu`, `memory`, `pids`.
        variables: the rows of `env`.
        shown: whether the file can be shown as a form at all; it may hold something else where the
            form has a field.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()
    shown: bool = True

    @property
    def rows(self) -> tuple[Variable, ...]:
        """The variables, and empty rows for more."""
        return (*self.variables, *[Variable("", "")] * BLANK_ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file as somebody is writing it.

    Attributes:
        text: the whole file.
        problems: what is wrong with it, or with the form that made it.
    """

    text: str
    problems: tuple[Problem, ...] = ()


def form_of(text: str, *, file: str) -> FormView:
    """Return the form for a file. To read a large one takes seconds."""
    return checked(text, file=file)[0]


def checked(text: str, *, file: str) -> tuple[FormView, tuple[Problem, ...]]:
    """Return the form for a file, and what is wrong with the file."""
    values, problems = values_of(text.encode("utf-8", "replace"), file=file)
    return _fields(values), problems


def _fields(values: Mapping[str, Any]) -> FormView:
    env, resources = values.get("env") or {}, values.get("resources") or {}
    flat = {key: values.get(key) for key in TEXTS}
    fits = isinstance(env, dict) and isinstance(resources, dict) and bool(values)
    fits = fits and len(env) <= MOST_ROWS
    if fits:
        flat |= {key: resources.get(key) for key in RESOURCES}
        flat |= {f"env.{key}": value for key, value in env.items()}
        fits = not any(isinstance(value, dict | list) for value in flat.values())
    if not fits:
        return FormView(shown=False)
    variables = tuple(Variable(key, as_text(value)) for key, value in env.items())
    return FormView({key: as_text(flat[key]) for key in (*TEXTS, *RESOURCES)}, variables)


def as_text(value: object) -> str:
    """Return a value as a field shows it; nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def sent_form(fields: Mapping[str, str], rows: Sequence[tuple[str, str]]) -> FormView:
    """Return a form as it was sent.

    Args:
        fields: the values by field; those that are not there were not on the form.
        rows: names and values of variables.
    """
    known = {key: fields[key].strip() for key in (*TEXTS, *RESOURCES) if key in fields}
    variables = tuple(
        Variable(name.strip(), value.replace("\r\n", "\n"))
        for name, value in rows
        if name.strip() or value
    )
    return FormView(known, variables)


def drafted(text: str, form: FormView, *, file: str) -> Draft:
    """Return a file with what a form says differently; when that can't be, the file as it was."""
    problem = _row_problem(form, file)
    if problem is not None:
        return Draft(text=text, problems=(problem,))
    patch = _patch(form_of(text, file=file), form)
    try:
        if text.strip():
            return Draft(text=patched(text.encode(), patch, file=file).decode())
        return Draft(text=written(patch, file=file).decode())
    except InvalidSpecError as error:
        return Draft(text=text, problems=error.problems)
    except UnicodeEncodeError:
        return Draft(text=text, problems=(_problem(file, "", "the text is not Unicode"),))


def _patch(before: FormView, after: FormView) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for key, text in after.values.items():
        if text != before.values.get(key, ""):
            inner = patch.setdefault("resources", {}) if key in RESOURCES else patch
            inner[key] = _value(key, text)
    old, new = dict(before.variables), dict(after.variables)
    env: dict[str, Any] = {name: None for name in old if name not in new}
    env |= {name: value for name, value in new.items() if old.get(name) != value}
    return patch | ({"env": env} if env else {})


def _value(key: str, text: str) -> str | int | float | None:
    """Return what a field's text stands for; the reader says so when it is not what is wanted."""
    if not text:
        return None
    if key in NUMBERS and _INT.fullmatch(text):
        return int(text)
    return float(text) if key == "cpu" and _FLOAT.fullmatch(text) else text


def _row_problem(form: FormView, file: str) -> Problem | None:
    if len(form.variables) > MOST_ROWS:
        return _problem(file, "env", f"the form takes {MOST_ROWS} variables at most: write YAML")
    seen: set[str] = set()
    for name, _ in form.variables:
        if not name:
            return _problem(file, "env", "a variable has no name")
        if name in seen:
            return _problem(file, f"env.{name}", "the variable is given twice")
        seen.add(name)
    return None


def _problem(file: str, key: str, message: str) -> Problem:
    return Problem(file, 1, 1, key, message, "change it in the form")
