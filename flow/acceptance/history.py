"""What share of its requests a service said yes to, drawn to that of its kind where it has answered few: a beta-binomial estimate.

A service is drawn to those of its kind in its district, these to its kind everywhere, and that to everything. So one more yes never
lowers a share, anywhere.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from flow.acceptance.examples import Place

#: How many answers the wider group is worth to a narrower one, but for a service, for which it is learned (`learning.STRENGTHS`).
GROUP_STRENGTH = 20


@dataclass(slots=True)
class Count:
    yes: int = 0
    answers: int = 0


@dataclass(slots=True)
class Tally:
    """Answers so far."""

    _counts: dict[Hashable, Count] = field(default_factory=lambda: defaultdict(Count))

    def add(self, place: Place, *, yes: bool) -> None:
        """One more answer."""
        for key in ((), place.kind, (place.kind, place.area), self._own(place)):
            count = self._counts[key]
            count.yes += yes
            count.answers += 1

    def of(self, place: Place) -> Count:
        """What the service itself has answered, for this kind of care."""
        return self._counts.get(self._own(place), _NONE)

    def everything(self) -> float:
        """The share of all; a half while there is nothing."""
        count = self._counts.get((), _NONE)
        return (count.yes + 1) / (count.answers + 2)

    def group(self, place: Place) -> float:
        """The share of the kind in the district."""
        share = self.everything()
        for key in (place.kind, (place.kind, place.area)):
            share = drawn(self._counts.get(key, _NONE), share, GROUP_STRENGTH)
        return share

    @staticmethod
    def _own(place: Place) -> tuple[UUID, str]:
        return place.service, place.kind


_NONE = Count()


def drawn(count: Count, wider: float, strength: float) -> float:
    """A share drawn to that of the wider group, which counts as `strength` answers."""
    return (count.yes + strength * wider) / (count.answers + strength)


def as_known(places: Iterable[Place], sent: Iterable[float], settled: Iterable[float], yes: Iterable[bool]) -> list[tuple[int, int, float]]:
    """For each request, in the order of sending: yeses and answers of the service, and the group's share, as known when it was sent."""
    places, settled, yes = list(places), list(settled), list(yes)
    later = iter(sorted(range(len(places)), key=settled.__getitem__))
    tally, found = Tally(), []
    waiting = next(later, None)
    for place, moment in zip(places, sent, strict=True):
        while waiting is not None and settled[waiting] < moment:
            tally.add(places[waiting], yes=yes[waiting])
            waiting = next(later, None)
        own = tally.of(place)
        found.append((own.yes, own.answers, tally.group(place)))
    return found
