"""Runs a call that waits for a network in a thread of its own, which nobody has to wait for.

Names are looked up by calls that can't be interrupted. In the event loop's own threads, those would
be waited for at its end, and a runner has to end within 10 seconds.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from stacks.errors import NoticeFailedError


async def apart(call: Callable[[], None], *, within: float) -> None:
    """Make a call, and raise what it raises.

    Args:
        call: What is called. When its time is over, or the caller is cancelled, it is left to end
            by itself.
        within: Seconds.

    Raises:
        NoticeFailedError: Its time is over.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def work() -> None:
        failure: BaseException | None = None
        try:
            call()
        except Exception as error:  # noqa: BLE001 - handed to who waits
            failure = error
        with suppress(RuntimeError):  # the loop has ended, and so has who waited
            loop.call_soon_threadsafe(settle, failure)

    threading.Thread(target=work, name="notice", daemon=True).start()
    try:
        async with asyncio.timeout(within):
            await done
    except TimeoutError:
        raise NoticeFailedError(f"the receiver did not take it within {within:g} s") from None
