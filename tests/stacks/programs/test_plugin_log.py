"""The Docker plugin's own log: a call to the CLI for each line, which `TF_LOG=off` of our operations saves.

The plugin that is installed is asked by its own protocol, on the real engine, and this process is its CLI.
"""

import os
import subprocess
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.proto.engine_pb2_grpc import EngineServicer, add_EngineServicer_to_server
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from settings.load import load
from settings.model import RunnerSettings
from stacks.engine.command import environment
from stacks.parts import engine_config
from tools.official import PLUGIN_IDENTITY

SETTINGS = load(RunnerSettings)
IS_OURS = (SETTINGS.pulumi_home / "identity").read_text() != PLUGIN_IDENTITY
"""The official plugin tells every line whatever it is told."""
VOLUME = "urn:pulumi:s::p::docker:index/volume:Volume::v"


class Listener(EngineServicer):
    """Takes what the plugin logs."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def Log(self, request: Any, context: Any) -> Empty:  # noqa: ARG002, N802
        self.lines.append(request.message)
        return Empty()


@contextmanager
def plugin(env: dict[str, str]) -> Iterator[tuple[ResourceProviderStub, Listener]]:
    listener = Listener()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    add_EngineServicer_to_server(listener, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    (binary,) = SETTINGS.pulumi_home.glob("plugins/resource-docker-v*/pulumi-resource-docker")
    process = subprocess.Popen(
        [binary, f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    try:
        assert process.stdout is not None
        address = f"127.0.0.1:{process.stdout.readline().decode().strip()}"
        with grpc.insecure_channel(address) as channel:
            yield ResourceProviderStub(channel), listener
    finally:
        process.kill()
        process.communicate()
        server.stop(grace=None).wait()


@pytest.mark.parametrize("off", [False, True], ids=["as it comes", "as operations have it"])
async def test_no_call_for_each_line_of_the_plugins_log(prefix: str, off: bool) -> None:
    env = environment(engine_config(SETTINGS)) if off else dict(os.environ)
    name = f"{prefix}logged"
    wanted = Struct()
    wanted.update({"name": name, "driver": "local"})
    with plugin(env) as (provider, listener):
        provider.Configure(provider_pb2.ConfigureRequest())
        made = provider.Create(provider_pb2.CreateRequest(urn=VOLUME, properties=wanted))
        assert made.id == name
        told = [line for line in listener.lines if name in line]
        assert bool(told) == (not (off and IS_OURS))
