"""How often Python looks for garbage while a command loads, works and ends.

It looks through all that was made since it last did, and most of what a command makes in its first
second are modules, which stay. Seen often, they took a tenth of `codehub up`; at the end twice more, a fifth.
"""

import atexit
import gc

WHILE_LOADING = 200_000
"""Objects made, less those gone, after which it looks; by itself after 700, or 2,000 in newer Pythons."""

WHILE_WORKING = 20_000

WHILE_WATCHING = gc.get_threshold()[0]
"""As often as by itself. What is looked at rarely is looked at whole more rarely still, a hundred times less often:
a runner of 1,000 workspaces kept 4.5 MB that nobody used."""


def loading() -> None:
    """Say that the command begins, by loading what it needs."""
    gc.set_threshold(WHILE_LOADING)
    atexit.unregister(gc.freeze)  # of a command before, in the same process
    # What is frozen is not looked through at the end either: it is left to the kernel.
    atexit.register(gc.freeze)


def loaded() -> None:
    """Say that a command which may go on for long is loaded: that is looked through no more."""
    gc.freeze()
    gc.set_threshold(WHILE_WORKING)


def watching() -> None:
    """Say that a runner is loaded, which goes on for weeks."""
    gc.freeze()
    gc.set_threshold(WHILE_WATCHING)
