"""A clock that only moves when told."""

from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def tick(self, **by: float) -> datetime:
        self.time += timedelta(**by)
        return self.time
