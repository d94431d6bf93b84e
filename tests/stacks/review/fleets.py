"""Fleets of the review's tests, made from texts as files are."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from spec.files import File, read_files
from stacks.review.compare import review
from stacks.review.fleets import fleet
from stacks.review.model import Fleet, Review, WorkspaceReview


def text(owner: str = "alice", image: str = "codehub/light", **keys: str) -> str:
    told = {"owner": owner, "image": image, **keys}
    return "".join(f"{key}: {value}\n" for key, value in told.items())


def of(files: Mapping[str, str | bytes]) -> Fleet:
    """Read files by the ids of their workspaces."""
    found = [
        File(name=f"{id_}.yaml", raw=raw if isinstance(raw, bytes) else raw.encode())
        for id_, raw in files.items()
    ]
    return fleet(read_files(found, label="workspaces.d"))


def compared(
    base: Mapping[str, str | bytes], head: Mapping[str, str | bytes], **more: Any
) -> Review:
    return review(of(base), of(head), **more)


def one(base: Mapping[str, str | bytes], head: Mapping[str, str | bytes]) -> WorkspaceReview:
    """Compare, and give the only workspace that changes."""
    (found,) = compared(base, head).workspaces
    return found


IDS = st.sampled_from(["w1", "w2", "w3", "w4", "w5"])
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"))


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file of a workspace, in YAML that is JSON; sometimes a wrong one."""
    import json

    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.sampled_from(["", "owner: alice\n", "owner: alice\nimage: a\nstate: cold\n"])
        )
    made: dict[str, Any] = {
        "owner": draw(st.sampled_from(["alice", "bob"])),
        "image": draw(st.sampled_from(["one", "two"])),
        "state": draw(st.sampled_from(["auto", "warm", "running"])),
        "env": draw(st.dictionaries(st.sampled_from(["TZ", "A", "MY_TOKEN"]), VALUES, max_size=2)),
        "resources": {"cpu": draw(st.integers(1, 4)), "memory": f"{draw(st.integers(1, 4))}Gi"},
    }
    if draw(st.integers(0, 3)) == 0:
        made["formerly"] = draw(IDS)
    return json.dumps(made)


FOLDERS = st.dictionaries(IDS, files(), max_size=5)
