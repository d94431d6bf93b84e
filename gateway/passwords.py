"""Passwords: policy, hashing, generating. It keeps nothing and logs nothing.

Hashes are argon2id with OWASP's m=19456 KiB, t=2, p=1: about 35 ms of one core. The hasher runs
in its own two threads so that a flood of logins can't take every core, and refuses to queue more
than a few; requests that need no password are not slowed.
"""

import asyncio
import secrets
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import UnavailableError, WeakPasswordError

MIN_CHARS: Final = 8
MAX_BYTES: Final = 1024
_GENERATED_CHARS: Final = 20
_THREADS: Final = 2
_WAITING_MAX: Final = 32

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def check_policy(password: str, *, name: str = "") -> None:
    """Refuse a password that is too short, too long, or among those tried first.

    Args:
        password: What the user wants.
        name: The account's name; it can't be the password.

    Raises:
        WeakPasswordError: With the rule that it breaks. The password is not in the message.
    """
    if len(password) < MIN_CHARS:
        raise WeakPasswordError(f"The password needs at least {MIN_CHARS} characters.")
    if too_long(password):
        raise WeakPasswordError(f"The password is longer than {MAX_BYTES} bytes.")
    plain = password.casefold()
    if plain in _commonest() or plain == name.casefold() or len(set(plain)) == 1:
        raise WeakPasswordError(
            "This password is among the first that anybody tries. Take another."
        )


def too_long(password: str) -> bool:
    """Return whether the password is longer than we hash."""
    return len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES


def generate_password() -> str:
    """Return a new random password of about 119 bits, easy to copy and to type."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(_GENERATED_CHARS))


def hash_password(password: str) -> str:
    """Return the argon2id hash, parameters and salt included. Blocks for about 35 ms."""
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def verify(stored: str, password: str) -> bool:
    """Return whether the password belongs to the stored hash. Blocks for about 35 ms."""
    try:
        return _HASHER.verify(stored, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


@cache
def dummy_hash() -> str:
    """Return a hash that no password fits, so that unknown names cost the same time."""
    return hash_password(secrets.token_urlsafe(32))


class Verifier:
    """Checks passwords off the event loop, a bounded number at a time."""

    def __init__(self, *, check: Callable[[str, str], bool] = verify) -> None:
        """Make the pool; its threads begin with the first check.

        Args:
            check: Compares a stored hash and a password; a seam for tests.
        """
        self._check = check
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def verify(self, stored: str | None, password: str) -> bool:
        """Check a password; without a stored hash, take the same time and say no.

        Raises:
            UnavailableError: Too many checks are waiting already.
        """
        if self._waiting >= _WAITING_MAX:
            raise UnavailableError("Too many logins at once.", headers={"Retry-After": "2"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, self._verify, stored, password
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads; checks under way finish first."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        matches = self._check(stored if stored is not None else dummy_hash(), password)
        return matches and stored is not None


@cache
def _commonest() -> frozenset[str]:
    text = resources.files("gateway").joinpath("commonest.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.split() if line)
