"""Whatever the bytes: a spec or `InvalidSpecError`, places inside the file, never anything else."""

import time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from spec import InvalidSpecError, Problem, WorkspaceSpec, read_text
from spec.nodes import Mapping
from spec.tree import parse

PIECES = [
    "owner", "image", "resources", "env", "state", "cpu", "memory", "pids", "A", "<<", "alice",
    ": ", ":", "\n", "\n  ", "\n\t", "- ", "? ", "{", "}", "[", "]", ",", "&a ", "*a", "!!str ",
    "!x ", "'", '"', "|\n", ">-\n  ", "#", "---\n", "...\n", "%YAML 1.2\n", "~", "null", "1", "-",
    ".inf", "0x", "1e999", "4Gi", "\\", "\\x", "\\U0011", "\ufeff", "\u2028", "\r", "\x00", "한",
    "@", "`", " ", "auto", "codehub/code-server",
]  # fmt: skip


MOST = 5.0
"""Seconds of this thread's work: the largest files must not take squares of time."""


def check(raw: bytes) -> None:
    began = time.thread_time()
    _check(raw)
    assert time.thread_time() - began < MOST


def _check(raw: bytes) -> None:
    lines = raw.count(b"\n") + raw.count(b"\r") + 2
    for problem in problems_of(raw):
        assert 1 <= problem.line <= lines
        assert 1 <= problem.column <= len(raw) + 2
        assert problem.message
        assert problem.hint
        str(problem).encode()


def problems_of(raw: bytes) -> tuple[Problem, ...]:
    try:
        spec = read_text(raw, file="alice-demo.yaml")
    except InvalidSpecError as error:
        return error.problems
    assert isinstance(spec, WorkspaceSpec)
    return ()


@given(st.binary(max_size=300))
@example(b"\xff\xfe")
@example(b'a: "\\UFFFFFFFF"')
@example(b'"\\ud800": 1')
@example(b"[" * 60_000)
@example(b"{a: " * 15_000)
@example(b"- " * 30_000)
@example(b"? " * 30_000)
@example(b"owner: " + b"9" * 60_000)
@example(b"owner: 0x" + b"f" * 60_000)
@example(b"image: " + b"a." * 30_000)
@example(b"image: " + b"a-" * 30_000 + b"/")
@example(b"env: {" + b"\x01: b, " * 9_000 + b"}")
@example(b"\x01" * 60_000)
@example(b"a: &a b\n" * 8_000)
@example(b"%YAML 9999999999999999999999.1\n---\na: 1\n")
@example(b"a: |99999999999999999999\n b\n")
def test_any_bytes(raw: bytes) -> None:
    check(raw)


@settings(max_examples=600)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_heap_of_yaml(pieces: list[str]) -> None:
    check("".join(pieces).encode())


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_a_right_file_with_junk_after_it(pieces: list[str]) -> None:
    check(("owner: alice\nimage: a\n" + "".join(pieces)).encode())


@given(st.text(max_size=100))
def test_any_text_after_a_key_is_told_at_or_after_it(text: str) -> None:
    tree = parse(f"owner: alice\nenv: {text}")
    assert tree.flaws or isinstance(tree.root, Mapping)
