"""The way to a workspace: plain HTTP streamed, WebSockets spliced, nothing decided twice."""
