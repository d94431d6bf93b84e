"""Log lines: structlog and the standard library's loggers, one form, on standard error.

`configure` is called once by each process. Lines carry time (UTC), level, logger, event, what
`telemetry.context` bound, and are redacted. Libraries (uvicorn, aiohttp, alembic) come the same way.
"""

import logging
import os
import sys
from typing import Literal, TextIO

from telemetry.redact import escape_event, redact_event
from telemetry.structured import FilteringBoundLogger, Processor, structlog

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["console", "json"]

QUIET = {
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "sqlalchemy": logging.WARNING,  # its info lines hold parameters, secrets among them
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.NOTSET,  # its own default would be kept else
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}
"""Libraries whose info lines say nothing to an operator, or hold query strings."""


class OurHandler(logging.StreamHandler[TextIO]):
    """The one handler that `configure` sets, told apart from others' (a test runner's)."""


def configure(
    level: Level = "info",
    format: Format = "console",  # noqa: A002
    stream: TextIO | None = None,
) -> None:
    """Set up logging for this process; may be called again.

    Args:
        level: the least severe lines that are written.
        format: `console` for people, `json` for one object a line.
        stream: where to; standard error by default.
    """
    number = getattr(logging, level.upper())
    target = stream or sys.stderr
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = OurHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(format, colours=_colours(target)),
            ],
        )
    )
    _route(handler, number)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger; call it with an event and keywords: `log.info("started", workspace=id)`."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]


def _rendering(format: Format, *, colours: bool) -> list[Processor]:  # noqa: A002
    if format == "json":
        return [
            structlog.processors.format_exc_info,
            redact_event,
            structlog.processors.JSONRenderer(default=str),
        ]
    return [
        structlog.processors.format_exc_info,
        redact_event,
        escape_event,
        structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="at"),
    ]


def _colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _route(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, OurHandler):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    _reset_others(root)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))


def _reset_others(root: logging.Logger) -> None:
    """Take back what libraries did to their own loggers: all lines go one way, in one form."""
    for found in list(root.manager.loggerDict.values()):
        if isinstance(found, logging.Logger):
            found.handlers.clear()
            found.propagate = True
            found.disabled = False


# Before `configure`, structlog would print on standard output, which is for data.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        redact_event,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    logger_factory=structlog.stdlib.LoggerFactory(),
)
