"""Who waits near a service for what it offers. What knows of people lies further up and registers here when it starts."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

#: From ids of services and the present instant to how many people wait near each of them; a service near which nobody waits is left out.
Counter = Callable[[Collection[UUID], datetime], dict[UUID, int]]

#: Fewer people than this are never counted out to anybody: near a small place two could be known by name.
FEWEST_COUNTED = 3

_COUNTERS: list[Counter] = []


def register(counter: Counter) -> None:
    """Let `counter` say how many wait."""
    if counter not in _COUNTERS:
        _COUNTERS.append(counter)


def waiting_near(services: Collection[UUID], at: datetime) -> dict[UUID, int]:
    """How many people wait near each of these services for what it offers."""
    found: dict[UUID, int] = {}
    for counter in _COUNTERS:
        for service, count in counter(services, at).items():
            found[service] = found.get(service, 0) + count
    return found


def words(count: int | None) -> str:
    """What a provider is told of it; empty when nobody waits."""
    if not count:
        return ""
    who = "Some people" if count < FEWEST_COUNTED else f"{count:,} people"
    return f"{who} near you are waiting for what you offer."
