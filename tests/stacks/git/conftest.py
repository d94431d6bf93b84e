"""What tests of a followed repository share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state_index.index import Index
from tests.stacks.git.desk import ONE, TWO, Desk
from tests.stacks.git.repository import WORKSPACE, Repository
from tests.stacks.git.serving import http


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    repository = Repository(tmp_path / "team")
    repository.commit({ONE: WORKSPACE, TWO: WORKSPACE})
    url = f"sqlite:///{tmp_path}/index.db"
    with http(tmp_path) as served, Index.open(url) as index:
        yield Desk(tmp_path, repository, served, index)
