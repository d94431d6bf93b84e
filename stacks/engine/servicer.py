"""Takes the CLI's event log over gRPC, tells the runner each step and keeps the whole."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf import empty_pb2
from pulumi.automation import events as auto
from pulumi.runtime.proto.events_pb2_grpc import EventsServicer

from stacks.engine.events import Collector, to_wire, translate
from stacks.engine.wire import Lines

# Hundreds of these come for each step that the provider does, and tell nothing.
DEBUG = '"severity":"debug"'
DRAIN_SECONDS = 5.0


class EventLog(EventsServicer):
    """The event log of one operation.

    Attributes:
        collector: What came, gathered.
        drained: Set when the runner has seen every event: the CLI is let go then, not before.
    """

    def __init__(self, lines: Lines, *, summed: Callable[[], None]) -> None:
        """Take note of where to tell it.

        Args:
            lines: The runner.
            summed: Called once all is done and nothing of it failed; the CLI is still there.
        """
        self.collector = Collector()
        self._summed = summed
        self.drained = threading.Event()
        self._lines = lines

    def StreamEvents(self, request_iterator: Iterator[Any], context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Take events until the CLI has no more."""
        for request in request_iterator:
            if DEBUG not in request.event:
                self._take(request.event)
        self._lines.send({"drained": True})
        self.drained.wait(DRAIN_SECONDS)
        return empty_pb2.Empty()

    def _take(self, text: str) -> None:
        event = auto.EngineEvent.from_json(json.loads(text))
        self.collector.add(event)
        told = translate(event)
        if told is not None:
            self._lines.send({"event": to_wire(told)})
        if event.summary_event and self.collector.ok:
            self._summed()
