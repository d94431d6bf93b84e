"""Reading files for who edits them: the newest, earlier ones, templates; and nothing that is no such file."""

from datetime import UTC, datetime

import pytest

from stacks.edits import drafts
from stacks.edits.words import Signature
from stacks.errors import GitError, GitRefError, NoVersionError, UnknownWorkspaceError
from stacks.git.command import TIMEOUT, Git
from tests.stacks.edits.office import ONE, Office, workspace
from tests.stacks.git.repository import WORKSPACE

LATER = b"# later\n" + WORKSPACE


async def test_a_file_as_its_editor_sees_it(office: Office) -> None:
    place = office.branch()
    with pytest.raises(GitError, match="not asked yet"):
        await place.file("one")
    await place.refresh()
    seen = await place.file("one")
    assert seen.to_json() == {
        "id": "one",
        "text": workspace(),
        "revision": office.blob(ONE),
        "commit": office.head,
        "path": ONE,
        "owner": "alice",
        "editable": True,
        "reason": "",
    }
    with pytest.raises(UnknownWorkspaceError, match="three has no file"):
        await place.file("three")


async def test_earlier_versions_by_commit_and_by_content(office: Office) -> None:
    first, content = office.head, office.blob(ONE)
    office.repository.commit({ONE: LATER})
    gone = office.repository.commit({ONE: None})
    place = office.branch()
    await place.refresh()
    for at in (first, first[:8], "HEAD~2", content, content[:8]):
        seen = await place.file("one", at=at)
        assert (seen.text, seen.revision, seen.owner) == (workspace(), content, "alice"), at
    assert (await place.file("one", at="HEAD~1")).text == LATER.decode()
    for at in (gone, "HEAD"):
        with pytest.raises(NoVersionError, match="one had no file at"):
            await place.file("one", at=at)


async def test_a_commit_without_the_folder_had_no_file(office: Office) -> None:
    office.repository.call("rm", "-rq", "ws")
    bare = office.repository.commit({"README.md": b"moved\n"})
    office.repository.commit({ONE: WORKSPACE})
    place = office.branch()
    await place.refresh()
    with pytest.raises(NoVersionError, match="one had no file at"):
        await place.file("one", at=bare)


def test_a_file_on_the_way_is_no_folder(office: Office) -> None:
    git, signed = office.repository.git, Signature(name="a", email="a@b.invalid")
    with pytest.raises(GitRefError, match="is not a folder"):
        drafts.commit_file(
            git,
            office.head,
            "README.md/one.yaml",
            b"x",
            message="m",
            author=signed,
            committer=signed,
            asked=datetime.now(UTC),
        )


async def test_no_other_files_content_is_read_by_its_name(office: Office) -> None:
    office.repository.commit({"secret.txt": b"hunter2", "ws/_owners.yaml": b"people: {}\n"})
    secret = office.repository.call("rev-parse", "main:secret.txt")
    dropped = office.repository.commit({ONE: b"# taken back\n" + WORKSPACE})
    place = office.branch()
    await place.refresh()
    office.repository.call("reset", "-q", "--hard", "HEAD~1")
    await place.refresh()
    for at in (
        secret,
        dropped,
        "0" * 40,
        "main:secret.txt",
        ":/ours",
        "-p",
        "--all",
        "x\n",
        "@{-1}",
    ):
        with pytest.raises(NoVersionError):
            await place.file("one", at=at)


async def test_what_is_no_text_or_no_file_is_told_as_such(office: Office) -> None:
    (office.repository.folder / "ws" / "link.yaml").symlink_to("/etc/passwd")
    office.repository.commit({ONE: b"owner: \xff\n", "ws/large.yaml": b"#" * 70_000})
    place = office.branch()
    await place.refresh()
    told = {id_: await place.file(id_) for id_ in ("one", "link", "large")}
    assert {id_: (seen.text, seen.editable) for id_, seen in told.items()} == dict.fromkeys(
        told, ("", False)
    )
    assert [seen.reason for seen in told.values()] == [
        "it is no UTF-8 text",
        "the file of link is a symbolic link",
        "the file of large has more than 64 KiB",
    ]
    assert told["one"].revision == office.blob(ONE), "it can be replaced, by a rollback"
    reasons = await place.reasons(["one", "two", "three", "link", "large"])
    assert reasons == {"two": ""} | {id_: seen.reason for id_, seen in told.items()}


async def test_no_earlier_content_of_any_size_is_read_by_its_name(office: Office) -> None:
    large = "ws/large.yaml"
    office.repository.commit({large: b"#" * 70_000, ONE: b"#\0"})
    contents = [office.blob(large), office.blob(ONE)]
    office.repository.commit({large: WORKSPACE, ONE: WORKSPACE})
    place = office.branch()
    await place.refresh()
    with pytest.raises(NoVersionError, match="never was a text that is that"):
        await place.file("large", at=contents[0])
    seen = await place.file("one", at=contents[1])
    assert (seen.text, seen.reason) == ("", "it holds a NUL, as no text does")


async def test_reading_many_takes_as_many_processes_as_reading_one(office: Office) -> None:
    office.repository.commit({f"ws/w{n}.yaml": WORKSPACE for n in range(60)})
    place = office.branch()
    await place.refresh()
    calls: list[str] = []

    class Counted(Git):
        def run(self, *args: str, stdin: bytes = b"", timeout: float = TIMEOUT) -> bytes:
            calls.append(args[0])
            return super().run(*args, stdin=stdin, timeout=timeout)

    git = place._mirror.git
    place._mirror.git = Counted(folder=git.folder, bare=git.bare, extra=git.extra)
    assert await place.reasons([f"w{n}" for n in range(60)]) == {f"w{n}": "" for n in range(60)}
    assert calls.count("ls-tree") == 1
    assert len(calls) < 10


async def test_a_rollback_mends_what_is_no_text(office: Office) -> None:
    office.repository.commit({ONE: b"owner: \xff\n"})
    [ended] = await office.settled(
        office.ask(workspace(), action="rollback", actor="cli:root", message="mend")
    )
    assert (ended.status, office.text(ONE)) == ("done", WORKSPACE)


async def test_templates_are_the_yaml_files_of_their_folder(office: Office) -> None:
    place = office.branch()
    await place.refresh()
    assert await place.templates() == []
    (office.repository.folder / "ws" / "_templates").mkdir()
    (office.repository.folder / "ws" / "_templates" / "link.yaml").symlink_to("/etc/passwd")
    office.repository.commit(
        {
            "ws/_templates/small.yaml": b"owner: you\n",
            "ws/_templates/big.yaml": "owner: größer\n".encode(),
            "ws/_templates/bad.yaml": b"\xff",
            "ws/_templates/README.md": b"words",
            "ws/_templates/huge.yaml": b"#" * 70_000,
            **{f"ws/_templates/z{n:02}.yaml": b"#" * 60_000 for n in range(30)},
        }
    )
    await place.refresh()
    found = await place.templates()
    assert [(one.name, one.text[:14]) for one in found[:2]] == [
        ("big", "owner: größer\n"),
        ("small", "owner: you\n"),
    ]
    assert sum(len(one.text) for one in found) <= 1 << 20
    assert {one.name for one in found[2:]} <= {f"z{n:02}" for n in range(30)}


async def test_what_a_killed_runner_left_goes(office: Office) -> None:
    place = office.folder / "edits"
    (place / "edit-dead" / "objects").mkdir(parents=True)
    drafts.sweep(place)
    assert list(place.iterdir()) == []
