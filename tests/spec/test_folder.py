"""Reading a folder: what counts as a workspace file, and that one bad file stops nobody else."""

import os
from pathlib import Path

import pytest

from spec import SourceUnreadableError, read_folder

GOOD = b"owner: alice\nimage: a\n"


def make(folder: Path, **files: bytes) -> Path:
    for name, raw in files.items():
        (folder / name.replace("__", ".")).write_bytes(raw)
    return folder


def told(folder: Path) -> list[tuple[str, str, str]]:
    return [
        (Path(problem.file).name, problem.message, problem.hint)
        for problem in read_folder(folder).problems
    ]


def test_a_bad_file_stops_only_its_own_workspace(tmp_path: Path) -> None:
    make(tmp_path, bb__yaml=b"owner: 5\nimge: x\n", aa__yaml=GOOD, cc__yaml=GOOD)
    read = read_folder(tmp_path)
    assert sorted(read.specs) == ["aa", "cc"]
    assert [problem.key for problem in read.problems] == ["image", "owner", "imge"]
    assert read.invalid == {"bb": read.problems}
    assert {problem.file for problem in read.problems} == {f"{tmp_path.name}/bb.yaml"}


def test_problems_call_the_folder_as_they_are_told(tmp_path: Path) -> None:
    make(tmp_path, bb__yaml=b"")
    for label, file in (("some/where", "some/where/bb.yaml"), ("", "bb.yaml")):
        assert [one.file for one in read_folder(tmp_path, label=label).problems] == [file]


def test_every_error_of_every_file_is_told(tmp_path: Path) -> None:
    make(tmp_path, aa__yaml=b"owner: 5\nimage: A\n", bb__yaml=b"\xff", cc__yaml=b"")
    assert [Path(one.file).stem for one in read_folder(tmp_path).problems] == [
        "aa",
        "aa",
        "bb",
        "cc",
    ]


def test_hidden_underscored_and_foreign_names_are_skipped(tmp_path: Path) -> None:
    make(tmp_path, _owners__yaml=b"x", __hidden__yaml=b"x", README__md=b"x", aa__txt=b"x")
    make(tmp_path, aa__yaml__swp=b"x")
    (tmp_path / ".hidden.yaml").write_bytes(b"x")
    (tmp_path / "_templates").mkdir()
    (tmp_path / ".git").mkdir()
    read = read_folder(tmp_path)
    assert (read.specs, read.problems, read.invalid) == ({}, [], {})


def test_an_empty_folder_reads_as_no_workspace(tmp_path: Path) -> None:
    assert read_folder(str(tmp_path)).specs == {}


@pytest.mark.parametrize("name", ["aa.yml", "aa.YAML", "AA.YML"])
def test_other_endings_are_refused_and_keep_the_workspace(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD)
    assert told(tmp_path) == [(name, "the name must end in .yaml", "rename it to aa.yaml")]
    assert list(read_folder(tmp_path).invalid) == ["aa"]


def test_a_yml_beside_the_yaml_leaves_that_one_valid(tmp_path: Path) -> None:
    make(tmp_path, aa__yaml=GOOD, aa__yml=GOOD)
    read = read_folder(tmp_path)
    assert list(read.specs) == ["aa"]
    assert len(read.problems) == 1
    assert read.invalid == {}


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    make(tmp_path, alice__yaml=GOOD, Alice__yaml=GOOD)
    read = read_folder(tmp_path)
    assert list(read.specs) == ["alice"]
    assert told(tmp_path) == [
        ("Alice.yaml", "`alice.yaml` differs from this name in case only", "remove or rename it")
    ]


def test_a_bad_name_is_told_with_what_is_inside(tmp_path: Path) -> None:
    make(tmp_path, Alice__yaml=b"owner: 5\nimage: a\n")
    read = read_folder(tmp_path)
    assert [problem.hint for problem in read.problems] == [
        "rename it, for example to alice",
        'put it in quotes: "5"',
    ]
    assert list(read.invalid) == ["alice"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(GOOD)
    (tmp_path / "aa.yaml").symlink_to(tmp_path / "real")
    (tmp_path / "bb.yaml").symlink_to(tmp_path / "nowhere")
    assert told(tmp_path) == [
        ("aa.yaml", "is a symbolic link", "put the file itself here"),
        ("bb.yaml", "is a symbolic link", "put the file itself here"),
    ]


def test_a_link_to_a_folder_is_refused_by_name_only(tmp_path: Path) -> None:
    (tmp_path / "aa.yaml").symlink_to(tmp_path)
    assert told(tmp_path) == [("aa.yaml", "is a symbolic link", "put the file itself here")]


def test_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "aa.yaml").mkdir()
    hint = ("a folder inside the folder is not read", "move its files up")
    assert told(tmp_path) == [("aa.yaml", *hint), ("team", *hint)]


def test_a_pipe_does_not_hang_the_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "aa.yaml")
    assert told(tmp_path) == [
        ("aa.yaml", "is not a regular file", "put a regular file in its place")
    ]


def test_a_socket_can_not_be_read(tmp_path: Path) -> None:
    os.mknod(tmp_path / "aa.yaml", 0o140600)
    assert told(tmp_path) == [
        ("aa.yaml", "can't be read: no such device or address", "check its owner and permissions")
    ]


def test_only_so_much_of_a_file_is_read(tmp_path: Path) -> None:
    with (tmp_path / "aa.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert [message for _, message, _ in told(tmp_path)] == ["the file has more than 64 KiB"]


def test_names_with_odd_bytes_are_printable(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\n.yaml"))).write_bytes(GOOD)
    (problem,) = read_folder(tmp_path).problems
    assert problem.file == f"{tmp_path.name}/a\\udcff\\n.yaml"
    str(problem).encode()


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing", "the folder does not exist"), ("file", "is not a folder")],
)
def test_a_folder_that_is_none(tmp_path: Path, name: str, message: str) -> None:
    make(tmp_path, file=b"")
    with pytest.raises(SourceUnreadableError) as caught:
        read_folder(tmp_path / name)
    assert caught.value.message == message
    assert caught.value.folder == str(tmp_path / name)


def test_a_folder_that_can_not_be_listed(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(SourceUnreadableError, match="can't be listed: file name too long"):
        read_folder(path)


def test_a_file_that_fails_while_it_is_read() -> None:
    """Linux refuses to read one's own memory at address 0 with an input/output error."""
    from spec.folder import _content, _FileError

    with pytest.raises(_FileError) as caught:
        _content(Path("/proc/self/mem"))
    assert caught.value.message == "can't be read: input/output error"


def test_whom_an_invalid_file_names_is_told_where_it_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "named.yaml").write_text("owner: alice\nimage: 7\n")
    (tmp_path / "nobody.yaml").write_text("owner: {}\nimage: light\n")
    (tmp_path / "silent.yaml").write_text("image: light\n")
    (tmp_path / "unread.yaml").write_text("owner: alice\n\tbad")
    read = read_folder(tmp_path)
    assert set(read.invalid) == {"named", "nobody", "silent", "unread"}
    assert read.owners == {"named": "alice"}


def test_each_file_is_named_by_its_content_as_git_does(tmp_path: Path) -> None:
    """Also one that is wrong; `git hash-object` gives the same."""
    (tmp_path / "aa.yaml").write_bytes(b"owner: alice\nimage: i\n")
    (tmp_path / "bb.yaml").write_bytes(b"")
    (tmp_path / "cc.yaml").symlink_to(tmp_path / "aa.yaml")
    assert read_folder(tmp_path).revisions == {
        "aa": "e43135bc90b0d08c087b756321ac1b66a7bce4f0",
        "bb": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    }
