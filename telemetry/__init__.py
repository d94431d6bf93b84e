"""Structured log lines with request ids, without secrets. Ground room."""
