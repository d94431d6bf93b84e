"""What tests of edits share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state_index.index import Index
from tests.stacks.edits.office import ONE, TWO, Office, writable
from tests.stacks.git.repository import WORKSPACE
from tests.stacks.git.serving import http


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    repository = writable(tmp_path / "team")
    repository.commit({ONE: WORKSPACE, TWO: WORKSPACE, "README.md": b"ours\n"})
    url = f"sqlite:///{tmp_path}/index.db"
    with http(tmp_path) as served, Index.open(url) as index:
        yield Office(tmp_path, repository, served, index)
