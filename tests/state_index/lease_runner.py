"""A runner that leads: `python -m tests.state_index.lease_runner URL TIMEOUT`.

It says `leads TOKEN`, then does what each line of standard input says, and answers with a line: the
generation that it wrote, or the name of the error. `pause` stops it in the middle of a write.
"""

import os
import signal
import sys

import sqlalchemy as sa

from state_index.database import Database
from state_index.errors import StateIndexError
from state_index.index import Index
from state_index.lease import Grant, Lease
from state_index.schema import workspaces

BUSY = 2.0


def tell(answer: object) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def act(index: Index, lease: Lease, grant: Grant, what: str) -> object:
    mine = index.under(grant)
    if what == "renew":
        lease.renew()
        return "renewed"
    if what == "publish":
        generation = mine.publish("a", cause="step", step=f"by {os.getpid()}").generation
        mine.publish("a", cause="step", step="")
        return generation
    assert what == "pause"
    with mine._fenced() as connection:
        connection.execute(sa.update(workspaces).values(step="half written"))
        os.kill(os.getpid(), signal.SIGSTOP)
    return "written"


def main(url: str, timeout: float) -> None:
    Index.migrate(url)
    index = Index(Database(url, busy_timeout=BUSY))
    lease = index.lease(f"pid {os.getpid()}", timeout=timeout)
    grant = lease.acquire()
    assert grant is not None
    tell(f"leads {grant.token}")
    for line in sys.stdin:
        try:
            tell(act(index, lease, grant, line.strip()))
        except StateIndexError as error:
            tell(type(error).__name__)
    index.close()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
