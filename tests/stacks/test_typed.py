"""What someone has to type: refused where nothing waits for it, told before it is done. Pure."""

import pytest

from stacks import typed
from stacks.errors import (
    HomeMissingError,
    HomeOwnerError,
    HomeThereError,
    NotConfirmedError,
    NothingToAdoptError,
    StacksError,
)
from stacks.planned import Action, Change, Former, Known
from tests.stacks.test_identity import home, row_of, spec_of


def blocked(error: StacksError | None, **keys: object) -> Change:
    spec = spec_of(owner="bob")
    known = Known(id="ada", spec=spec, homes=(home("ada"),), **keys)  # type: ignore[arg-type]
    return Change(known=known, action=Action.BLOCKED, error=error)


def missing() -> HomeMissingError:
    error = HomeMissingError.of("ada", "x-ada-home-3", "home 3 of ada is gone")
    error.number = 3
    return error


def test_adoption_is_for_what_waits_for_it_and_is_typed() -> None:
    waits = blocked(HomeOwnerError("it is another's"))
    told = "the home of ada goes from alice to bob"
    assert typed.check_adoption(waits, confirm="ada") == told
    with pytest.raises(NotConfirmedError, match=told) as shown:
        typed.check_adoption(waits, confirm="")
    assert shown.value.owner == "bob"
    assert "`codehub adopt ada --confirm ada --owner bob`" in shown.value.remedy
    for other in (blocked(None), blocked(missing())):
        with pytest.raises(NothingToAdoptError):
            typed.check_adoption(other, confirm="ada")


def test_adoption_is_for_the_owner_who_was_shown() -> None:
    waits = blocked(HomeOwnerError("it is another's"))
    assert typed.check_adoption(waits, confirm="ada", owner="bob")
    with pytest.raises(NotConfirmedError) as shown:
        typed.check_adoption(waits, confirm="ada", owner="carol")
    told = "its file names bob by now, not carol: the home of ada goes from alice to bob"
    assert (shown.value.message, shown.value.owner) == (told, "bob")


def test_a_new_home_is_for_what_is_truly_gone_and_is_typed() -> None:
    error = missing()
    gone = blocked(error)
    told = typed.check_new_home(gone, error, confirm="ada", there=False)
    assert told == "home 3 is gone, home 4 is made"
    with pytest.raises(NotConfirmedError, match="home 4 of ada is made, empty"):
        typed.check_new_home(gone, error, confirm="old", there=False)
    with pytest.raises(HomeThereError):
        typed.check_new_home(gone, error, confirm="ada", there=True)
    with pytest.raises(HomeThereError, match="elsewhere"):
        typed.check_new_home(gone, HomeMissingError("elsewhere"), confirm="ada", there=False)
    with pytest.raises(HomeThereError, match="is not missed"):
        typed.check_new_home(blocked(None), None, confirm="ada", there=False)
    was = Former(id="old", row=row_of("old", spec_of("old", formerly="first")))
    with pytest.raises(HomeThereError):
        typed.check_new_home(blocked(error, former=was), error, confirm="ada", there=False)
