"""What a file does not say is taken from the defaults, key by key."""

from hypothesis import given
from hypothesis import strategies as st

from spec.defaults import filled
from spec.nodes import Mapping
from spec.tree import parse


def mapping(text: str) -> Mapping:
    root = parse(text).root
    assert isinstance(root, Mapping)
    return root


def test_a_file_counts_and_the_defaults_fill_it_up() -> None:
    own = mapping("owner: alice\nresources: {cpu: 4}\nenv: {A: own}\n")
    shared = mapping("image: x\nresources: {cpu: 1, memory: 2Gi}\nenv: {A: shared, B: b}\n")
    assert filled(own, shared).value == {
        "owner": "alice",
        "image": "x",
        "resources": {"cpu": 4, "memory": "2Gi"},
        "env": {"A": "own", "B": "b"},
    }


def test_a_wrong_kind_of_a_file_stays_to_be_told() -> None:
    own = mapping("resources: wrong\n")
    assert filled(own, mapping("resources: {cpu: 1}\n")).value == {"resources": "wrong"}


def test_places_are_those_where_it_is_written() -> None:
    found = filled(mapping("# own\nowner: alice\n"), mapping("\n\nimage: x\n"))
    assert found.entries["owner"].node.place == (2, 8)
    assert found.entries["image"].node.place == (3, 8)


KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.dictionaries(KEYS, st.integers(0, 9) | st.dictionaries(KEYS, st.integers(0, 9)))


def text(values: dict[str, object]) -> Mapping:
    return mapping(str(values).replace("'", "") + "\n")


@given(VALUES, VALUES)
def test_every_value_comes_from_one_of_both(
    own: dict[str, object], shared: dict[str, object]
) -> None:
    found = filled(text(own), text(shared)).value
    assert found.keys() == own.keys() | shared.keys()
    for key, value in found.items():
        if isinstance(own.get(key), dict) and isinstance(shared.get(key), dict):
            assert value == {**shared[key], **own[key]}  # type: ignore[dict-item]
        else:
            assert value == own.get(key, shared.get(key))


@given(VALUES)
def test_filling_twice_is_filling_once(shared: dict[str, object]) -> None:
    once = filled(text({}), text(shared))
    assert filled(once, text(shared)).value == once.value
