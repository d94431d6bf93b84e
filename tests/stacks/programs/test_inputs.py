"""Plain inputs: names, labels, and the way to JSON and back."""

import json
from dataclasses import asdict

from stacks.programs.inputs import Expected, HomeInputs, SharedInputs, WorkspaceInputs

INPUTS = WorkspaceInputs(
    id="alice-api",
    owner="alice",
    name_prefix="codehub-ws-",
    image="codehub/light",
    cpu=0.5,
    memory=1 << 30,
    pids=100,
    spec_hash="h",
    home=HomeInputs(number=2, owner="bob", exists=True),
    run_folder="/d/run/alice-api",
    network="codehub-net",
    env={"A": "b"},
)


def test_names_follow_the_contract() -> None:
    assert INPUTS.container == "codehub-ws-alice-api"
    assert INPUTS.volume == "codehub-ws-alice-api-home-2"
    assert INPUTS.identity == {
        "codehub.workspace": "alice-api",
        "codehub.prefix": "codehub-ws-",
    }
    assert [(item.kind, item.name) for item in INPUTS.expected] == [
        ("volume", INPUTS.volume),
        ("container", INPUTS.container),
    ]


def test_inputs_come_back_from_json_as_they_were() -> None:
    assert WorkspaceInputs.from_json(json.loads(json.dumps(INPUTS.to_json()))) == INPUTS
    # The same values in the same order: hashes that are published are of them.
    assert list(INPUTS.to_json().items()) == list(asdict(INPUTS).items())
    assert INPUTS.to_json()["env"] is not INPUTS.env


def test_shared_inputs_come_back_too() -> None:
    shared = SharedInputs(network="n", name_prefix="p-")
    assert SharedInputs.from_json(json.loads(json.dumps(shared.to_json()))) == shared
    assert shared.identity == {"codehub.prefix": "p-"}
    assert shared.expected == (
        Expected(kind="network", type="docker:index/network:Network", name="n"),
    )
