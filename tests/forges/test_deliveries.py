"""A delivery counts once, under whatever id it comes again."""

import pytest

from forges.deliveries import Deliveries
from forges.errors import ReplayError
from forges.webhooks import Delivery, Event


def delivery(name: str, body: str) -> Delivery:
    return Delivery(id=name, fingerprint=body, event=Event.OTHER)


def test_a_delivery_counts_once() -> None:
    seen = Deliveries()
    seen.admit(delivery("1", "a"))
    seen.admit(delivery("2", "b"))
    for again in (delivery("1", "a"), delivery("1", "c"), delivery("3", "a")):
        with pytest.raises(ReplayError):
            seen.admit(again)
    assert len(seen) == 4


def test_what_could_not_be_done_may_come_again() -> None:
    seen = Deliveries()
    one = delivery("1", "a")
    seen.admit(one)
    seen.forget(one)
    seen.forget(one)
    assert seen.admit(one) == ("id:1", "sha256:a")


def test_a_store_brings_them_over_a_restart() -> None:
    marks = Deliveries().admit(delivery("1", "a"))
    with pytest.raises(ReplayError):
        Deliveries(marks).admit(delivery("2", "a"))


def test_only_the_newest_are_kept() -> None:
    seen = Deliveries(("id:old",), most=4)
    for number in range(50):
        seen.admit(delivery(str(number), f"body {number}"))
        assert len(seen) <= 4
    seen.admit(delivery("old", "body of old"))
    with pytest.raises(ReplayError):
        seen.admit(delivery("49", "another"))
