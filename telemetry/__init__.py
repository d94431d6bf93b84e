"""Structured log lines with request ids, without secrets; words of others made fit to show. Ground room."""
