"""Logs and exec as streams: from the engine, over the runner's socket, at the command line.

`model` says what can be asked, `docker` asks the engine, `server` and `client` are the two ends of
the runner's socket, and `frames` is what they say to each other in an exec.
"""
