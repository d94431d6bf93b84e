"""A delivery counts once, under whatever id it comes again."""

from forges.webhooks import Delivery, Event
from gateway.store import Store
from tests.gateway.harness import Clock


def marks(name: str, body: str) -> tuple[str, str]:
    return Delivery(id=name, fingerprint=body, event=Event.OTHER).marks


def test_a_delivery_counts_once(store: Store) -> None:
    assert store.deliveries.admit(marks("1", "a"))
    assert store.deliveries.admit(marks("2", "b"))
    for again in (marks("1", "a"), marks("1", "c"), marks("3", "a")):
        assert not store.deliveries.admit(again)
    # What was refused left no mark of its own.
    assert store.deliveries.admit(marks("3", "c"))


def test_what_could_not_be_done_may_come_again(store: Store) -> None:
    one = marks("1", "a")
    assert one == ("id:1", "sha256:a")
    assert store.deliveries.admit(one)
    store.deliveries.forget(one)
    store.deliveries.forget(one)
    assert store.deliveries.admit(one)


def test_a_store_brings_them_over_a_restart(store_url: str, clock: Clock) -> None:
    with Store(store_url, idle=60, now=clock) as first:
        assert first.deliveries.admit(marks("1", "a"))
    with Store(store_url, idle=60, now=clock) as second:
        assert not second.deliveries.admit(marks("2", "a"))
