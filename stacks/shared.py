"""The operation that makes what all workspaces of a target share: the network."""

from stacks.engine import SHARED_PROGRAM, Kind, Operation
from stacks.programs.inputs import SharedInputs
from stacks.rendering import Facts

SHARED_STACK = "shared"


def make_network(facts: Facts, *, policies: bool, request_id: str) -> Operation:
    """Give the operation; it reads the engine first, for several data trees may share a network."""
    inputs = SharedInputs(network=facts.network, name_prefix=facts.name_prefix, tree=facts.tree)
    return Operation(
        kind=Kind.UP,
        stack=SHARED_STACK,
        program=SHARED_PROGRAM,
        inputs=inputs.to_json(),
        policies=policies,
        refresh=True,
        request_id=request_id,
    )
