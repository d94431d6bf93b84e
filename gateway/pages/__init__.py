"""The pages that people see: templates, style sheet, scripts, and what fills them in."""

from gateway.pages.render import Pages

__all__ = ["Pages"]
