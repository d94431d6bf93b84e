"""Plain Pulumi on our stacks: `pulumi preview` and `pulumi up` by hand, as on any other project.

Pulumi's own command does the operation; ours only tells it what a workspace's file asks for. While
it runs, the data tree is held as by any other command, so that nobody works on the same stack.
"""

from stacks.plain.held import Held
from stacks.plain.program import main

__all__ = ["Held", "main"]
