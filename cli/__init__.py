"""The `codehub` command.

Modules import nothing but click and the standard library at their top: rooms and tables are
imported by the command that needs them, so that the command starts at once.
"""
