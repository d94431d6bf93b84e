"""Diffs of workspace files, by real git: whatever the layout, no piece of a secret is told."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacks import secret_lines
from stacks.git import patches
from stacks.git.touched import READ_MAX, touching
from stacks.looks import MOST_DIFFS
from stacks.secrecy import HIDDEN
from tests.stacks.git.repository import WORKSPACE, Repository

FILE = "workspaces.d/alice-api.yaml"
LETTERS = "QXZJVW"
"""In nothing else of these files, and in no word of ours."""
NAMES = st.sampled_from(["PASSWORD", "API_TOKEN", "DB_PASS", "apikey", "KEY"])
VALUES = st.text(LETTERS + LETTERS + "é%'\"\\{},#:[]|&*!- \n\t", min_size=4, max_size=24).filter(
    lambda value: any(pieces(value))
)


def pieces(value: str) -> Iterator[str]:
    """Give what must not be told: four characters of a line in a row, most of them letters."""
    for at in range(len(value) - 3):
        piece = value[at : at + 4]
        if "\n" not in piece and sum(char in LETTERS for char in piece) > 2:
            yield piece


def entry(draw: st.DrawFn, name: str, value: str, pad: str) -> str:
    """Write a variable in one of YAML's ways."""
    quoted = json.dumps(value, ensure_ascii=draw(st.booleans()))
    lines = value.split("\n")
    ways = [
        f"{pad}{name}: {quoted}",
        f"{pad}{name}: {quoted} # not ours",
        f'{pad}"{name}": {quoted}',
        f"{pad}{name}:\n{pad}  # between\n{pad}  {quoted}",
        f"{pad}? {name}\n{pad}: {quoted}",
        f"{pad}? {name}\n{pad}# between\n{pad}:\n{pad}  {quoted}",
        f"{pad}{name}: &it {quoted}\n{pad}AGAIN: *it",
        f"{pad}PLAIN: &it {quoted}\n{pad}{name}: *it",
        f"{pad}{name}: &it\n{pad}  {quoted}",
        f"{pad}{name}: [{quoted}, {quoted}]",
        f"{pad}{name}:\n{pad}  - {quoted}\n{pad}  - {{A: {quoted}}}",
        f"{pad}{name}: {{{quoted}: {quoted}}}",
        *(f"{pad}{name}: {kind}\n" + "\n".join(f"{pad}  {line}" for line in lines)
          for kind in ("|", "|-", ">-", ">+", "|2 # x")),
    ]  # fmt: skip
    if "\n" not in value and "\t" not in value:
        single = value.replace("'", "''")
        at = draw(st.integers(0, len(value)))
        folded = json.dumps(value[:at])[:-1] + f"\\\n{pad}  " + json.dumps(value[at:])[1:]
        ways += [
            f"{pad}{name}: '{single}'",
            f"{pad}{name}: {value}",
            f"{pad}{name}:\n{pad}  {value}",
            f"{pad}{name}: {folded}",
        ]
    return draw(st.sampled_from(ways))


def block(draw: st.DrawFn, name: str, value: str) -> str:
    """Write something that holds the value under a name that says so, or in a comment that does."""
    quoted = json.dumps(value)
    flat = " ".join(value.split())
    ways = [
        f"env:\n  TZ: UTC\n{entry(draw, name, value, '  ')}",
        f"env: {{TZ: UTC, {name}: {quoted}}}",
        f"env: {{TZ: UTC,\n  {name}: {quoted},\n  LANG: C}}",
        f"env: {{TZ: UTC, {name}:\n  {quoted}\n  }}",
        f"base: &base {{{name}: {quoted}}}\nenv: {{<<: *base}}",
        f"base: &base\n{entry(draw, name, value, '  ')}\nenv:\n  <<: *base",
        f"deep:\n  - in:\n{entry(draw, name, value, '      ')}",
        entry(draw, name, value, ""),
        f"secrets:\n  db: {quoted}\n  <<: {{A: {quoted}}}",
        f"env:\n  TZ: UTC\n# {name}={flat}\n# TZ\n",
        f"env:\n  TZ: UTC # {name}: {flat}\n",
        f"# the {name}: >-\n#   {flat}\n",
    ]
    return draw(st.sampled_from(ways))


def elsewhere(draw: st.DrawFn, value: str) -> str:
    """Write the value where nothing says what it is."""
    flat = " ".join(value.split())
    ways = [
        "# nothing",
        f"# {flat}",
        f"owner2: {json.dumps(value)}",
        f"more: [a, {json.dumps(value)}]",
        f"text: |\n  {flat}\n  more",
        f"text: {json.dumps(''.join(rf'x{char}' for char in value))}",
    ]
    return draw(st.sampled_from(ways))


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Give a secret and versions of a file, of which one names it; others may be broken."""
    name, value = draw(NAMES), draw(VALUES)
    sure = f"env:\n  TZ: UTC\n  {name}: {json.dumps(value)}\n"
    versions = []
    for _ in range(draw(st.integers(1, 3))):
        parts = ["owner: alice", "image: light", "resources:\n  cpu: 2\n  memory: 4Gi"]
        parts.append(block(draw, name, value))
        parts.append(elsewhere(draw, value))
        text = "\n".join(draw(st.permutations(parts)))
        if draw(st.booleans()):
            at, width = draw(st.integers(0, len(text))), draw(st.integers(0, 6))
            text = (
                text[:at] + draw(st.sampled_from(["", "\n", " ", '"', "# "])) + text[at + width :]
            )
        versions.append(text + draw(st.sampled_from(["", "\n", "\r\n"])))
    versions.insert(draw(st.integers(0, len(versions))), f"owner: alice\nimage: light\n{sure}")
    return value, versions


def history(team: Repository, versions: Sequence[str | bytes]) -> str:
    """Commit versions one after the other, on nothing; give the last commit."""
    stream = []
    for at, version in enumerate(versions):
        raw = version.encode() if isinstance(version, str) else version
        start = "" if at else "reset refs/heads/it\n"
        who = f"committer Alice <alice@example.org> {1_700_000_000 + at} +0000"
        head = f"{start}commit refs/heads/it\n{who}\ndata 1\nx\nM 100644 inline {FILE}\ndata {len(raw)}\n"
        stream.append(head.encode() + raw + b"\n")
    subprocess.run(
        ["git", "-C", str(team.folder), "fast-import", "--quiet", "--force"],
        input=b"".join(stream),
        check=True,
    )
    return team.call("rev-parse", "refs/heads/it")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("told") / "team")


def diffs(team: Repository, *versions: str | bytes, limit: int = MOST_DIFFS) -> list[str]:
    found = touching(team.git, history(team, versions), (FILE,), limit=limit, diff=True)
    return [each.diff for each in found]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_no_piece_of_a_secret_is_told(team: Repository, made: tuple[str, list[str]]) -> None:
    value, versions = made
    told = "\n".join(diffs(team, *versions))
    assert [piece for piece in pieces(value) if piece in told] == []


def test_a_short_secret_is_hidden_as_a_word_also_with_a_line_s_end(team: Repository) -> None:
    text = 'owner: alice\nimage: light\nenv:\n  PASSWORD: "JJJ\\n"\n'
    assert "JJJ" not in "".join(diffs(team, text, f"{text}# JJJ"))


HUNTER = [
    "PASSWORD: abc,hunter2",
    r'PASSWORD: "a\"hunter2"',
    "PASSWORD: 'it''s-hunter2'",
    "PASSWORD: a}hunter2",
    "PASSWORD:\n    hunter2",
    "PASSWORD: |\n    x\n    hunter2",
    "PASSWORD: >-\n    x\n\n    hunter2",
    "? PASSWORD\n  : hunter2",
    "A: 1 # PASSWORD=hunter2",
    "A: 1\n  # PASSWORD:\n  #   hunter2",
    "A: 1\n  # hunter2\n  # is the password",
    "A: --password=hunter2 serve",
    "A: the password is hunter2",
    "A: |\n    export PASSWORD='x y'\\\n    hunter2",
    "A: &x hunter2\n  PASSWORD: *x",
    "PASSWORD=hunter2:",
    '"PASS\\x57ORD": hunter2',
]


@pytest.mark.parametrize("entry", HUNTER)
def test_layouts_of_a_secret(team: Repository, entry: str) -> None:
    text = f"{WORKSPACE.decode()}env:\n  {entry}\n"
    (told,) = diffs(team, text)
    assert "unter" not in told
    assert f"+{HIDDEN}" in told
    assert "+image: codehub/light" in told


def test_what_git_says_behind_a_hunk_is_a_line_of_the_file(team: Repository) -> None:
    rest = "".join(f"# {at}\n" for at in range(9))
    text = f"env: {{API_TOKEN: hunter2}}\n{rest}"
    told = diffs(team, f"{text}owner: alice\n", f"{text}owner: bob\n")[0]
    assert "hunter2" not in told
    assert "\n@@ -8,4 +8,4 @@\n" in told
    assert "-owner: alice\n+owner: bob" in told


def test_lines_that_look_like_headers_are_lines(team: Repository) -> None:
    old = 'PASSWORD: "\n++ hunter2\n-- hunter2\n@@ -1 +1 @@ hunter2"\n'
    told = diffs(team, f"{old}A: 1\n", "A: 1\n")
    assert "hunter2" not in "".join(told)
    assert told[0].endswith("\n".join(["@@ -1,5 +1 @@", *[f"-{HIDDEN}"] * 4, " A: 1"]))


@pytest.mark.parametrize(
    "broken",
    [b"env: {PASSWORD: hunter2", b"A: 1\n\tPASSWORD: hunter2", b"A: \xff\nhunter2: 1\n",
     b"\xef\xbb\xbfA: hunter2\n", b"%YAML 1.2\n---\nA: hunter2\n", b"A: 1\nA: hunter2\n",
     b"A: !!str hunter2\n", b"A: 1\n---\nB: hunter2\n", b"# hunter2\n" * 7000],
)  # fmt: skip
def test_of_what_can_t_be_read_no_line_is_told(team: Repository, broken: bytes) -> None:
    told = diffs(team, b"A: hunter2\n", broken, b"A: hunter3\n")
    for each in told[:2]:
        assert "unter" not in each
        assert patches.UNREADABLE in each
        assert "\n@@ -" in each
    assert told[2].endswith("+A: hunter2")


def test_a_secret_is_told_under_no_other_name(team: Repository) -> None:
    """Also where the name that says so was in another commit than those that are asked for."""
    renamed = ["A: hunter2\n", "PASSWORD: hunter2\n", "B: hunter2\n", "B: x-hunter2\n", "B: y\n"]
    told = diffs(team, *renamed, limit=1)
    assert len(told) == 1
    assert "hunter2" not in "".join([*told, *diffs(team, *renamed)])
    assert told[0].endswith("+B: y")
    escaped = diffs(team, "PASSWORD: hunter2\n", 'B: "\\x68unt\\\n  er2"\n')[0]
    assert escaped.count(HIDDEN) == 3


def test_short_secrets_hide_whole_words_only(team: Repository) -> None:
    (told,) = diffs(team, "PIN: 12\nA: is 12\nmemory: 124Gi\n")
    assert told.count(HIDDEN) == 2
    assert "+memory: 124Gi" in told


@pytest.mark.parametrize(
    "line",
    ["image: registry.example.org/authelia:4", "image: a:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
     "owner: alice # who wrote this", "env: {AUTHOR: ada, URL: 'https://example.org/a'}", "a: [1, 2]"],
)  # fmt: skip
def test_ordinary_lines_are_told(team: Repository, line: str) -> None:
    if "AUTHOR" in line:  # `auth` is in it
        assert diffs(team, f"{line}\n")[0].endswith(HIDDEN)
    else:
        assert diffs(team, f"{line}\n")[0].endswith(f"+{line}")


@pytest.mark.parametrize("image", ["me:hunter2@host/a", "host/a?token=hunter2"])
def test_an_image_that_is_more_than_one_is_not_told(team: Repository, image: str) -> None:
    (told,) = diffs(team, f"image: {image}\n# hunter2\n")
    assert "hunter2" not in told


def test_not_more_is_read_than_a_person_waits_for(team: Repository) -> None:
    fill = "# x y z\n" * 7900
    versions = [f"A: {at}\n{fill}" for at in range(1 + READ_MAX // len(fill) + 1)]
    told = diffs(team, *versions)
    assert told[0].startswith("diff --git")
    assert f"+A: {len(versions) - 1}" in told[0]
    assert patches.UNREADABLE in told[-1]


@pytest.mark.parametrize(
    ("raw", "hidden"),
    [
        (b"# token\n" * 8000, 8000),
        (b"# x\n" * 9000 + b"# token\n" + b"# x\n" * 5000, 14_001),
        (b"A: '" + b"token=" * 10_000 + b"'\n", 1),
        (b"a: " + b"b-" * 30_000 + b"\n", 0),
    ],
)
def test_no_file_takes_long_to_judge(raw: bytes, hidden: int) -> None:
    """Some of these might take minutes: the test's time limit is what fails."""
    found = secret_lines.read(raw)
    assert found is not None
    assert len(found.hidden) == hidden


def test_names_of_blobs_are_not_told(team: Repository) -> None:
    told = "\n".join(diffs(team, "A: 1\n", "A: 2"))
    assert "index" not in told
    assert "new file mode 100644" in told
    assert told.count("\\ No newline at end of file") == 1


def test_links_and_files_that_change_kind(team: Repository) -> None:
    team.commit({FILE: WORKSPACE})
    path = team.folder / FILE
    path.unlink()
    Path(path).symlink_to("PASSWORD=hunter2")
    team.commit({})
    (told, *_) = touching(team.git, team.call("rev-parse", "HEAD"), (FILE,), diff=True)
    assert "hunter2" not in told.diff
    assert "-owner: alice" in told.diff
    assert f"+{HIDDEN}" in told.diff
