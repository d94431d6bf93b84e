"""How previews and results are shown, and the exit codes they make."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click
import pytest
from click.testing import CliRunner
from click.testing import Result as ClickResult

from cli import changes, results
from cli.output import print_json, print_table, talk
from stacks.changes import PropertyChange, WorkspaceChange
from stacks.errors import Violation
from stacks.steps import Result, Step

PROBLEM = {"file": "f.yaml", "line": 1, "column": 2, "message": "is wrong", "hint": "mend it"}


def shown(changed: list[WorkspaceChange]) -> str:
    return printed(lambda: changes.show(changed)).stdout


def printed(show: Callable[[], int | None]) -> ClickResult:
    @click.command()
    def command() -> None:
        click.get_current_context().exit(show() or 0)

    return CliRunner().invoke(command)


def change(action: str, **more: Any) -> WorkspaceChange:
    return WorkspaceChange(**{"id": "aa", "action": action, "sync": "OutOfSync"} | more)


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("create", "+ create   aa  new"),
        ("delete", "- delete   aa  new"),
        ("replace", "± replace  aa  new"),
        ("update", "~ update   aa  new"),
        ("invalid", "! invalid  aa  new"),
        ("blocked", "! blocked  aa  new"),
        ("start", "▶ start    aa  new"),
        ("stop", "■ stop     aa  new"),
        ("forget", "- forget   aa  new"),
        ("purge", "- purge    aa  new"),
        ("keep", "~ keep     aa  new"),
        ("other", "? other    aa  new"),
    ],
)
def test_each_action_has_its_line(action: str, line: str) -> None:
    assert shown([change(action, reason="new")]) == f"{line}\n"


def test_a_rename_and_a_new_owner_are_called_destructive() -> None:
    moved = change("create", reason="it was bb", formerly="bb", former_owner="alice")
    assert shown([moved]) == (
        "± create   aa  it was bb\n"
        "    destructive: renamed from bb\n"
        "    destructive: no longer alice's\n"
    )


def test_what_does_not_change_is_not_shown() -> None:
    assert shown([change("nothing")]) == ""
    assert shown([]) == ""


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        ({"kind": "add", "after": '"b"'}, '+ env.A: "b"'),
        ({"kind": "delete", "before": '"b"'}, '- env.A: "b"'),
        ({"kind": "update", "before": "1", "after": "2"}, "~ env.A: 1 → 2"),
        ({"kind": "update", "after": "2"}, "~ env.A: ? → 2"),
        ({"kind": "update", "before": "2"}, "~ env.A: 2 → ?"),
        ({"kind": "update"}, "~ env.A"),
        ({"kind": "add"}, "+ env.A"),
        ({"kind": "delete"}, "- env.A"),
        ({"kind": "other"}, "~ env.A"),
        ({"kind": "update", "replaces": True}, "~ env.A  (makes the container anew)"),
    ],
)
def test_each_kind_of_property(detail: dict[str, Any], line: str) -> None:
    details = (PropertyChange(path="env.A", **detail),)
    assert shown([change("update", details=details)]).splitlines()[1] == f"    {line}"


def test_data_problems_policies_and_errors_are_told() -> None:
    full = change(
        "blocked",
        data="home 1 is kept",
        problems=(PROBLEM,),
        violations=(
            Violation(rule="limits", resource="c", message="no limit"),
            Violation(rule="tags", resource="c", message="no tag", mandatory=False),
        ),
        error={"message": "no image", "remedy": "build it"},
    )
    assert shown([full]).splitlines()[1:] == [
        "    home 1 is kept",
        "    f.yaml:1:2: is wrong (hint: mend it)",
        "    refused by policy limits: no limit",
        "    advice of policy tags: no tag",
        "    error: no image",
        "    hint: build it",
    ]
    assert shown([change("nothing", error={"message": "x"})]).splitlines()[1:] == ["    error: x"]


def test_summary() -> None:
    many = [change(action) for action in ("create", "nothing", "replace", "create", "delete")]
    assert changes.summary(many) == "1 delete, 1 replace, 2 create, 1 unchanged"
    assert changes.summary([]) == "0 unchanged"


REFUSED = Violation(rule="limits", resource="c", message="no")
ADVICE = Violation(rule="limits", resource="c", message="no", mandatory=False)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ([], 0),
        ([change("create"), change("delete")], 0),
        ([change("create", violations=(ADVICE,))], 0),
        ([change("invalid"), change("create")], 2),
        ([change("create", violations=(REFUSED,)), change("invalid")], 1),
        ([change("blocked", error={"message": "x"})], 1),
    ],
)
def test_exit_codes_of_previews(changed: list[WorkspaceChange], code: int) -> None:
    assert changes.exit_code(changed) == code


def result(action: str = "create", **more: Any) -> Result:
    values: dict[str, Any] = {"id": "aa", "action": action, "phase": "RUNNING", "sync": "Synced"}
    return Result(**values | {"changed": action != "nothing"} | more)


FAILED = result(
    "create", phase="ERROR", reason="IMAGE_MISSING", message="aa: no image", step="pull"
)
INVALID = result("invalid", phase="PENDING", sync="Invalid", reason="INVALID_FILE", message="bad")
REFUSAL = result("blocked", phase="", sync="", reason="FILE_STANDS", message="no", remedy="rm")


@pytest.mark.parametrize(
    ("done", "code"),
    [
        ([], 0),
        ([result(), result("nothing")], 0),
        ([INVALID, result()], 2),
        ([FAILED, INVALID], 1),
        ([REFUSAL], 1),
    ],
)
def test_exit_codes_of_results(done: list[Result], code: int) -> None:
    assert results.exit_code(done) == code


def test_results_as_a_table() -> None:
    gone = result("nothing", id="gone", sync="OutOfSync")
    over = result("nothing", id="over", sync="OutOfSync", phase="TOMBSTONED")
    deleted = result("forget", id="ff", phase="", sync="")
    same = result("nothing", id="same")
    found = printed(lambda: results.show([FAILED, REFUSAL, gone, over, deleted, same], "table"))
    assert found.exit_code == 1
    assert [line.split() for line in found.stdout.splitlines()] == [
        ["ID", "ACTION", "PHASE", "SYNC"],
        ["aa", "create", "ERROR", "Synced"],
        ["gone", "nothing", "RUNNING", "OutOfSync"],
        ["ff", "forget", "-", "-"],
    ]
    assert found.stderr.splitlines() == [
        "1 changed, 3 unchanged, 2 failed",
        "error: aa: IMAGE_MISSING: no image (while: pull)",
        "error: aa: FILE_STANDS: no",
        "  hint: rm",
    ]


def test_the_first_problems_of_a_file_are_told_where_they_are() -> None:
    many = tuple(
        {**PROBLEM, "line": line, "key": "env" if line == 1 else ""} for line in range(1, 6)
    )
    one = replace(INVALID, problems=many[:1], remedy="look")
    assert printed(lambda: results.show([one], "table")).stderr.splitlines()[1:] == [
        "error: aa: INVALID_FILE: bad",
        "  f.yaml:1:2: env: is wrong (hint: mend it)",
        "  hint: look",
    ]
    all_ = printed(lambda: results.show([replace(INVALID, problems=many)], "table"))
    assert all_.stderr.splitlines()[3:] == [
        "  f.yaml:2:2: is wrong (hint: mend it)",
        "  f.yaml:3:2: is wrong (hint: mend it)",
        "  and 2 more",
    ]


def test_why_something_was_left_alone_is_told() -> None:
    kept = result("nothing", sync="OutOfSync", note="its file is gone, but it is kept")
    found = printed(lambda: results.show([kept], "table"))
    assert found.exit_code == 0
    assert found.stderr.splitlines()[-1] == "aa: its file is gone, but it is kept"


def test_nothing_to_show() -> None:
    found = printed(lambda: results.show([result("nothing")], "table"))
    assert (found.stdout, found.stderr) == ("", "0 changed, 1 unchanged\n")


def test_no_workspaces() -> None:
    found = printed(lambda: results.show([], "table"))
    assert (found.stdout, found.stderr) == ("", "no workspaces: add a file to workspaces.d\n")


def test_each_step_is_told_once() -> None:
    from cli.operate import telling

    def tell() -> None:
        listener = telling()
        for step in ("", "image", "image", "home"):
            listener(Step(id="aa", phase="PROVISIONING", step=step))
        listener(Step(id="bb", phase="WARM"))

    assert printed(tell).stderr.splitlines() == [
        "aa: PROVISIONING",
        "aa: PROVISIONING, image",
        "aa: PROVISIONING, home",
        "bb: WARM",
    ]


STEERING = "it said \x1b]52;c;Y29weQ==\x07\x9b2J\x1b]0;"


def test_the_words_of_others_steer_no_terminal() -> None:
    problem = PROBLEM | {"message": STEERING, "hint": STEERING}
    detail = PropertyChange(path="env.A", kind="update", before=STEERING, after=STEERING)
    error = {"reason": "FAILED", "message": STEERING, "remedy": STEERING}
    rule = Violation(rule=STEERING, resource="aa", message=STEERING, mandatory=False)
    told = shown(
        [
            change(
                "update",
                reason=STEERING,
                details=[detail],
                former_owner=STEERING,
                data=f"its home goes from {STEERING}",
                problems=[problem],
                violations=[rule],
                error=error,
            )
        ]
    )
    assert told.count("it said ?2J") == 11
    assert "it said ?2J (hint: it said ?2J)" in told
    assert "it said ?2J → it said ?2J" in told
    assert not set(told) & {"\x1b", "\x07", "\x9b"}


def test_neither_do_tables_nor_json_nor_talk() -> None:
    def show() -> None:
        print_table(("A", "B"), [("a", STEERING)])
        print_json({"a": STEERING + "\u2028\ud800"})
        talk(STEERING)

    told = printed(show)
    assert told.stdout.startswith("A  B\na  it said ?2J\n")
    form = told.stdout.split("\n", 2)[2]
    assert json.loads(form) == {"a": STEERING + "\u2028\ud800"}
    assert form.isascii()
    assert "\x9b" not in form
    assert told.stderr == "it said ?2J\n"
