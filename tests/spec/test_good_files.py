"""Files that are right, and exactly what they mean."""

import pytest

from spec import Resources, WorkspaceSpec, read_text
from spec.units import UNITS

BASE = "owner: alice\nimage: codehub/code-server\n"


def read(text: str) -> WorkspaceSpec:
    return read_text(text.encode(), file="workspaces.d/alice-demo.yaml")


def test_the_shortest_file_gets_all_defaults() -> None:
    assert read(BASE) == WorkspaceSpec(
        id="alice-demo",
        owner="alice",
        image="codehub/code-server",
        resources=Resources(cpu=2, memory=4 * UNITS["Gi"], pids=4096),
        env={},
        state="auto",
    )


def test_the_example_of_the_design_page() -> None:
    spec = read(
        BASE
        + "resources: {cpu: 2, memory: 4Gi, pids: 4096}\nenv: {TZ: Asia/Seoul}\nstate: auto  # x\n"
    )
    assert spec == read(BASE).model_copy(update={"env": {"TZ": "Asia/Seoul"}})


@pytest.mark.parametrize(
    "image",
    [
        "a",
        "codehub/code-server",
        "codehub/code-server:4.139.1",
        "registry.example.org/team/ide:1.4",
        "registry.example.org:5000/team/ide",
        "host:5000/ide",
        "localhost/ide",
        "localhost:5000/ide:Tag_1.x-y",
        "ide@sha256:" + "0" * 64,
        "registry.example.org/a/b/c__d/e--f:1@sha256:" + "f" * 64,
        "Registry.Example.org/ide",
    ],
)
def test_images(image: str) -> None:
    assert read(f"owner: alice\nimage: '{image}'\n").image == image


@pytest.mark.parametrize("owner", ["a", "alice", "alice.b_c-d", "0", "a" * 63, "yes", "on"])
def test_owners(owner: str) -> None:
    assert read(f"owner: {owner!r}\nimage: a\n").owner == owner


@pytest.mark.parametrize(
    ("written", "memory"),
    [
        ("64Mi", 64 * 1024**2),
        ("1.5Gi", 3 * 512 * 1024**2),
        ("2G", 2_000_000_000),
        ("100.5M", 100_500_000),
        ("1Ti", 1024**4),
        ("70000K", 70_000_000),
        ("70000Ki", 70_000 * 1024),
    ],
)
def test_memory(written: str, memory: int) -> None:
    assert read(BASE + f"resources: {{memory: {written}}}\n").resources.memory == memory


@pytest.mark.parametrize(
    ("written", "cpu"), [("0.1", 0.1), ("64", 64), ("1e0", 1), ("+2", 2), ("0.125", 0.125)]
)
def test_cpu(written: str, cpu: float) -> None:
    assert read(BASE + f"resources: {{cpu: {written}}}\n").resources.cpu == cpu


@pytest.mark.parametrize(
    ("written", "pids"), [("64", 64), ("131072", 131072), ("0x100", 256), ("0o400", 256)]
)
def test_pids(written: str, pids: int) -> None:
    assert read(BASE + f"resources: {{pids: {written}}}\n").resources.pids == pids


@pytest.mark.parametrize("state", ["auto", "running", "warm"])
def test_states(state: str) -> None:
    assert read(BASE + f"state: {state}\n").state == state


def test_yaml_1_2_has_no_yes_and_no_sexagesimals() -> None:
    text = BASE + "env: {A: yes, B: on, C: 12:30:45, D: 2026-11-21, E: 1_000, F: '8080', G: ''}\n"
    assert read(text).env == {
        "A": "yes",
        "B": "on",
        "C": "12:30:45",
        "D": "2026-11-21",
        "E": "1_000",
        "F": "8080",
        "G": "",
    }


def test_block_scalars_quotes_and_wide_characters_are_kept() -> None:
    text = BASE + 'env:\n  A: |\n    one\n    two\n  B: >-\n    one\n    two\n  C: "한\\n😀"\n'
    assert read(text).env == {"A": "one\ntwo\n", "B": "one two", "C": "한\n😀"}


def test_anchors_aliases_and_merge_keys_work() -> None:
    text = (
        "owner: &me alice\nimage: a\n"
        "env:\n  <<: [&one {A: '1', B: '1'}, {B: '2', C: '2'}]\n  C: '3'\n  OWNER: *me\n"
    )
    assert read(text).env == {"A": "1", "B": "1", "C": "3", "OWNER": "alice"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert read(BASE.replace("\n", end)) == read(BASE)


def test_a_document_start_and_end_are_fine() -> None:
    assert read(f"---\n{BASE}...\n") == read(BASE)


def test_order_of_keys_and_comments_mean_nothing() -> None:
    assert read("# a\nimage: codehub/code-server\n\n# b\nowner: alice # c\n") == read(BASE)
