"""What stands in the way of merging a record away: the layers above say so when they start, so that this one need not know them."""

from collections.abc import Callable

from catalogue.models import Service

#: Given the record that would go, what must be done first, in words; empty when nothing.
Blocker = Callable[[Service], str]
_REGISTERED: list[Blocker] = []


def register(blocker: Blocker) -> None:
    """Ask this, too, before a record is merged away. Registering twice counts once."""
    if blocker not in _REGISTERED:
        _REGISTERED.append(blocker)


def in_the_way(gone: Service) -> list[str]:
    """Everything that must be done before this record can go."""
    return [words for blocker in _REGISTERED if (words := blocker(gone))]
