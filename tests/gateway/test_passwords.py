"""The password policy, hashes, and the bounded pool that checks them."""

import asyncio
import threading

import pytest

from gateway import passwords
from gateway.errors import UnavailableError, WeakPasswordError
from gateway.passwords import Verifier, check_policy, generate_password, hash_password, verify


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("", "at least 8"),
        ("sevench", "at least 8"),
        ("x" * 1025, "1024 bytes"),
        ("ü" * 513, "1024 bytes"),
        ("password1", "first that anybody tries"),
        ("PassWord1", "first that anybody tries"),
        ("zzzzzzzzzz", "first that anybody tries"),
        ("Alice-in-wonderland", "first that anybody tries"),
    ],
)
def test_weak_passwords_are_refused_with_the_rule(password: str, says: str) -> None:
    with pytest.raises(WeakPasswordError, match=says) as caught:
        check_policy(password, name="alice-in-wonderland")
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    "password", ["eightch8", "x1" * 512, "pass word with spaces", "비밀번호입니다요"]
)
def test_other_passwords_are_taken(password: str) -> None:
    check_policy(password, name="alice")


def test_hashes_are_salted_and_fit_their_password_only() -> None:
    one, two = hash_password("correct horse"), hash_password("correct horse")
    assert one != two
    assert verify(one, "correct horse")
    assert not verify(one, "Correct horse")
    assert not verify("no hash at all", "correct horse")
    assert not verify("", "correct horse")


def test_generated_passwords_are_long_plain_and_never_the_same() -> None:
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 20 and password.isalnum() for password in made)
    check_policy(made.pop(), name="alice")


async def test_a_missing_hash_costs_the_same_work_and_says_no() -> None:
    checked: list[tuple[str, str]] = []

    def count(stored: str, password: str) -> bool:
        checked.append((stored, password))
        return True  # even a check that says yes must not let an unknown user in

    verifier = Verifier(check=count)
    assert await verifier.verify("a hash", "secret") is True
    assert await verifier.verify(None, "secret") is False
    verifier.close()
    assert checked == [("a hash", "secret"), (passwords.dummy_hash(), "secret")]


async def test_no_more_than_two_checks_run_and_no_more_than_thirty_two_wait() -> None:
    release = threading.Event()
    running: list[int] = []
    most: list[int] = []

    def slow(stored: str, password: str) -> bool:
        running.append(1)
        most.append(len(running))
        release.wait()
        running.pop()
        return True

    verifier = Verifier(check=slow)
    async with asyncio.TaskGroup() as tasks:
        checks = [tasks.create_task(verifier.verify("h", "p")) for _ in range(32)]
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError) as caught:
            await verifier.verify("h", "p")
        release.set()
    verifier.close()
    assert caught.value.headers == {"Retry-After": "2"}
    assert all(check.result() for check in checks)
    assert max(most) <= 2
