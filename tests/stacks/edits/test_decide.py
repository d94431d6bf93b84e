"""Decisions on edits that need no repository."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from spec.files import File, FolderRead, blob, read_files
from spec.rule_files import read_rules
from stacks.edits import decide
from stacks.edits.decide import Present, check_asked
from stacks.errors import EditConflictError, EditForbiddenError, EditInvalidError, EditRefusedError
from state_index.edits import Edit

RAW = b"owner: alice\nimage: codehub/light\n"
TODAY = date(2026, 1, 2)


def edit(text: str | None = RAW.decode(), *, base: str = blob(RAW), actor: str = "alice") -> Edit:
    return Edit(
        id="e" * 32,
        workspace_id="one",
        action="change",
        actor=actor,
        base=base,
        text=text,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def read(*raws: tuple[str, bytes], owners: bytes | None = None) -> FolderRead:
    files = [File(name=f"{id_}.yaml", raw=raw) for id_, raw in raws]
    return replace(read_files(files, label="ws"), rules=read_rules(owners, None, folder="ws"))


@pytest.mark.parametrize(
    ("text", "told"), [("a\ud800b", "character 2"), ("#" * 70_000, "more than 64 KiB")]
)
def test_a_text_that_no_file_can_hold(text: str, told: str) -> None:
    with pytest.raises(EditInvalidError, match=told):
        decide.wanted(edit(text))


def test_what_is_made_already() -> None:
    assert decide.is_made(edit(), Present(revision=blob(RAW)))
    assert not decide.is_made(edit(), Present())
    assert decide.is_made(edit(None), Present())
    assert not decide.is_made(edit(None), Present(revision=blob(RAW)))
    assert not decide.is_made(edit(None), Present(generator="ws/_generators/class.yaml"))


@pytest.mark.parametrize(
    ("base", "present", "told"),
    [
        (
            "a",
            Present(revision="b", changed_by="Bob", commit="c" * 40),
            "was changed by Bob in ccc",
        ),
        ("a", Present(), "was removed meanwhile"),
        ("", Present(revision="b"), "is there already"),
    ],
)
def test_a_conflict_says_what_happened(base: str, present: Present, told: str) -> None:
    with pytest.raises(EditConflictError, match=told):
        decide.check_base(edit(base=base), present)


OWNERS = b"people: {alice: {}, bob: {}}\nadmins: [bob]\n"
WRONG = b"owner: alice\n"
TEAM = b"""\
people: {alice: {}, bob: {}, carol: {}, dave: {}}
teams: {red: {members: [alice], maintainers: [bob]}}
approvers: [dave]
admins: [carol]
"""
FOR_BOB = RAW.replace(b"alice", b"bob")


@pytest.mark.parametrize(
    ("owners", "allowed", "refused"),
    [
        (TEAM, ["alice", "bob", "carol", "dave", "cli:root"], ["mallory", "admin", ""]),
        (None, ["alice", "admin", "cli:root"], ["bob", "carol", "mallory", ""]),
    ],
)
@pytest.mark.parametrize("after", [RAW + b"state: warm\n", RAW + b"# only a word\n", None])
def test_who_may_change_a_file(
    owners: bytes | None, allowed: list[str], refused: list[str], after: bytes | None
) -> None:
    text = None if after is None else after.decode()
    base = read(("one", RAW), ("two", RAW), owners=owners)
    head = read(*([] if after is None else [("one", after)]), ("two", RAW), owners=owners)
    for actor in allowed:
        decide.check(by(actor, text), base, head, today=TODAY)
    for actor in refused:
        with pytest.raises(EditForbiddenError):
            decide.check(by(actor, text), base, head, today=TODAY)


@pytest.mark.parametrize(
    ("owners", "allowed", "refused"),
    [
        (TEAM, ["bob", "carol", "dave"], ["alice", "mallory"]),
        (None, ["admin"], ["alice", "bob", "mallory"]),
    ],
)
def test_a_workspace_that_changes_hands_is_both_sides(
    owners: bytes | None, allowed: list[str], refused: list[str]
) -> None:
    base, head = read(("one", RAW), owners=owners), read(("one", FOR_BOB), owners=owners)
    for actor in allowed:
        decide.check(by(actor, FOR_BOB.decode()), base, head, today=TODAY)
    for actor in refused:
        with pytest.raises(EditForbiddenError):
            decide.check(by(actor, FOR_BOB.decode()), base, head, today=TODAY)


def by(actor: str, text: str | None) -> Edit:
    """The gateway's admin is one who is in no file."""
    asked = replace(edit(text, actor=actor), admin=actor in {"admin", "mallory-admin"})
    return replace(asked, action="delete" if text is None else "change")


@pytest.mark.parametrize(
    ("actor", "before", "after", "kind"),
    [
        ("alice", WRONG, RAW, None),
        ("mallory", WRONG, RAW, EditForbiddenError),
        ("mallory", RAW, WRONG, EditForbiddenError),
        ("alice", RAW, WRONG, EditInvalidError),
        ("alice", b"nonsense\n", RAW, EditForbiddenError),
        ("bob", b"nonsense\n", RAW, None),
    ],
)
@pytest.mark.parametrize("owners", [None, OWNERS])
def test_a_wrong_file_is_mended_by_whose_it_is(
    actor: str,
    before: bytes,
    after: bytes,
    kind: type[EditRefusedError] | None,
    owners: bytes | None,
) -> None:
    base, head = (read(("one", raw), ("two", RAW), owners=owners) for raw in (before, after))
    asked = replace(edit(after.decode(), actor=actor), admin=actor == "bob")
    if kind is None:
        decide.check(asked, base, head, today=TODAY)
        return
    with pytest.raises(kind):
        decide.check(asked, base, head, today=TODAY)


def test_of_many_problems_some_are_told() -> None:
    raw = "".join(f"k{n}: 1\n" for n in range(30)).encode()
    with pytest.raises(EditInvalidError) as refused:
        decide.check(
            replace(edit(raw.decode()), admin=True),
            read(("one", RAW)),
            read(("one", raw)),
            today=TODAY,
        )
    lines = refused.value.message.splitlines()
    assert len(lines) == decide.MOST_TOLD + 1
    assert lines[0].startswith("ws/one.yaml:1:1: ")
    assert lines[-1].startswith("and ")


@pytest.mark.parametrize(
    "id_", ["--force", "../escape", "a/b", "_owners", ".hidden", "A", "", "a\nb", "login"]
)
def test_what_is_no_id_becomes_no_path(id_: str) -> None:
    with pytest.raises(EditRefusedError):
        check_asked(replace(edit(), workspace_id=id_))


@pytest.mark.parametrize(
    ("action", "text"), [("delete", "x"), ("change", None), ("create", None), ("chown", "x")]
)
def test_an_action_that_is_none_or_does_not_fit_its_text(action: Any, text: str | None) -> None:
    with pytest.raises(EditRefusedError):
        check_asked(replace(edit(text), action=action))


def shared(*raws: tuple[str, bytes], generator: bytes) -> FolderRead:
    files = [File(name=f"{id_}.yaml", raw=raw) for id_, raw in raws]
    files.append(File(name="_generators/class.yaml", raw=generator))
    return read_files(files, label="ws")


def test_while_generators_can_not_be_read_no_id_is_taken() -> None:
    unknown = b"{canary: canary\n"
    two = ("two", RAW)
    before = shared(two, generator=unknown)
    with pytest.raises(EditRefusedError, match="is not known") as caught:
        decide.check(
            edit(base=""), before, shared(("one", RAW), two, generator=unknown), today=TODAY
        )
    assert "canary" not in caught.value.told
    before = shared(("one", RAW), two, generator=unknown)
    renamed = RAW + b"formerly: pupil\n"
    after = shared(("one", renamed), two, generator=unknown)
    with pytest.raises(EditRefusedError, match="is not known"):
        decide.check(edit(renamed.decode()), before, after, today=TODAY)
    decide.check(edit(RAW.decode()), after, before, today=TODAY)
    warm = RAW + b"state: warm\n"
    after = shared(("one", warm), two, generator=unknown)
    decide.check(edit(warm.decode()), before, after, today=TODAY)
    decide.check(edit(None), before, shared(two, generator=unknown), today=TODAY)


def test_what_stands_against_somebody_else_s_file_is_told_to_who_may_see_it() -> None:
    before = read(("one", RAW), ("secret", FOR_BOB))
    renamed = RAW + b"formerly: secret\n"
    after = read(("one", renamed), ("secret", FOR_BOB))
    asked = edit(renamed.decode())
    with pytest.raises(EditInvalidError, match="another workspace") as caught:
        decide.check(asked, before, after, today=TODAY)
    assert "secret" not in caught.value.told
    for who in (replace(asked, admin=True), replace(asked, actor="cli:root")):
        with pytest.raises(EditInvalidError, match=r"secret\.yaml"):
            decide.check(who, before, after, today=TODAY)
