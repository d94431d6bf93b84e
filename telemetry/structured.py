"""Loads structlog, for the modules beside it."""

import sys

# Where `rich` is installed, structlog loads it for coloured tracebacks. Ours are plain, and it would
# take a twentieth of every command's start: it is out of sight for as long as structlog is loaded.
_hides = "rich" not in sys.modules
if _hides:
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's way to say: not to be found
try:
    import structlog
    from structlog import contextvars
    from structlog.typing import FilteringBoundLogger, Processor
finally:
    if _hides:
        del sys.modules["rich"]

__all__ = ["FilteringBoundLogger", "Processor", "contextvars", "structlog"]
