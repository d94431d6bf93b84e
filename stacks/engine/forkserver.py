"""The process that workers are forked from: everything imported, one thread, nothing open.

``python -m stacks.engine.forkserver <fd>``. Importing Pulumi's SDK and the Docker provider takes
0.6 s, a fork 10 ms. For each descriptor that arrives on the control socket it forks a worker,
which leads a session of its own. It ends when the runner's end of the socket closes.

Not `multiprocessing`'s: that one is a singleton of the whole process, passes pickles and hides
the worker's pid until later.
"""

import contextlib
import os
import signal
import socket
import sys
import traceback

from stacks.engine.processes import die_with_parent
from stacks.engine.wire import READY


def main() -> None:
    """Serve until the runner is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    die_with_parent()
    # Ctrl-C in a terminal is the runner's to handle: operations are ended by it, in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from stacks.engine import worker  # noqa: PLC0415  # slow, and after the signals are set

    worker.warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers: they report
    control.sendall(READY)
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _work(descriptors[0])
        os.close(descriptors[0])
        with contextlib.suppress(BrokenPipeError):
            control.sendall(pid.to_bytes(4, "big"))


def _work(descriptor: int) -> None:
    """Be a worker, then end without running the fork server's clean-up."""
    from stacks.engine import worker  # noqa: PLC0415  # imported long ago

    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        worker.run(socket.socket(fileno=descriptor))
        code = 0
    except BaseException:  # noqa: BLE001  # the last frame: report, whatever it is
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
