"""A process of clients: `python -m tests.state_index.client URL THREADS`.

For each line of kinds ("start stop") on standard input, all threads ask at once, and the answers
go out as one line of JSON: a list of [what, operation or phase].
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from state_index.errors import InvalidStateError
from state_index.index import Index


def ask(index: Index, kind: Any, actor: str) -> tuple[str, str]:
    try:
        intent = index.request("a", kind, actor=actor, request_id=f"r-{actor}")
    except InvalidStateError as error:
        return "refused", error.phase
    return ("joined" if intent.joined else "new"), intent.id


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(url: str, threads: int) -> None:
    barrier = Barrier(threads)
    with Index.open(url) as index, ThreadPoolExecutor(threads) as pool:
        tell("ready")
        for line in sys.stdin:
            kinds = line.split()

            def one(number: int, kinds: list[str] = kinds) -> tuple[str, str]:
                barrier.wait(30)
                return ask(index, kinds[number % len(kinds)], f"u{number}")

            tell(json.dumps(list(pool.map(one, range(threads)))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
