"""`codehub migrate`: the tables of both databases, again and again."""

from pathlib import Path

from gateway.store import Store
from state_index.index import Index
from tests.cli.conftest import Cli


def test_makes_index_and_store_and_may_be_run_again(cli: Cli, place: Path) -> None:
    for _ in range(2):
        result = cli("migrate")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == "the state index is up to date\nthe store is up to date\n"
    with Index.open(f"sqlite:///{place}/data/index.db") as index:
        assert index.generation() == 0
    with Store(f"sqlite:///{place}/data/gateway.db", idle=60) as store:
        assert store.users.list() == []


def test_the_setting_names_the_database(cli: Cli, place: Path) -> None:
    elsewhere = {"CODEHUB_STORE_URL": f"sqlite:///{place}/elsewhere.db"}
    assert cli("migrate", env=elsewhere).exit_code == 0
    assert (place / "elsewhere.db").exists()


def test_what_is_no_index_is_told(cli: Cli) -> None:
    result = cli("migrate", env={"CODEHUB_INDEX_URL": "nonsense"})
    assert result.exit_code in {1, 2}
    assert "index URL" in result.stderr
