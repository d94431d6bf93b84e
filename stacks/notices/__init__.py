"""Notices: who is told outside of CodeHub when something fails, drifts or waits for approval.

`matters` reads the published rows, `decide` what is to be told of them (both pure); `outbox` remembers
and sends for one sink, `notifier` feeds the outboxes of all; `webhook`, `slack` and `smtp` are the
sinks, `sinks` makes them from the settings.
"""
