"""A stored ranking beside what is true now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import Point

from capacity.models import ServiceCapacity
from capacity.queries import PoolState, pool_states
from catalogue.currency import is_overdue
from catalogue.models import Service, User
from frontend.presenters import map as maps
from frontend.presenters.outlook import sentences
from matching.telling import Line


@dataclass(frozen=True)
class Row:
    """One line of the list: how it was judged, and how it stands now."""

    line: Line
    state: PoolState
    point: Point | None
    quality: str
    outlook: str = ""
    """What may come, where no place is free now."""

    @property
    def changed(self) -> bool:
        """The figure is another than the one that the ranking was made with."""
        return self.state.free != self.line.free


def rows(lines: Sequence[Line], *, user: User, at: datetime) -> list[Row]:
    """The lines that `user` may still see, with the live state, the place on the map and the inspectors' rating of each."""
    ids = [line.pool_id for line in lines]
    states = pool_states(ids, at)
    coming = sentences(states.values(), at, full_only=True)
    secret = ("location__is_confidential", "service__is_confidential", "service__organization__is_confidential")
    columns = ("location__point", "service__cqc_rating", *secret)
    facts = {
        pk: (None if any(hidden) else point, rating)
        for pk, point, rating, *hidden in ServiceCapacity.objects.visible_to(user).filter(pk__in=ids).values_list("pk", *columns)
    }
    return [
        Row(
            line=line,
            state=states[line.pool_id],
            point=facts[line.pool_id][0],
            quality=_quality(facts[line.pool_id][1]),
            outlook=coming.get(line.pool_id, ""),
        )
        for line in lines
        if line.pool_id in facts
    ]


def _quality(rating: int | None) -> str:
    return f"CQC: {Service.Quality(rating).label.lower()}" if rating else ""


def overdue(states: Iterable[PoolState], *, user: User, today: date) -> set[UUID]:
    """Of the services of these places, those whose record nobody has checked in time."""
    services = Service.objects.visible_to(user).filter(pk__in={state.service for state in states})
    return {pk for pk, checked in services.values_list("pk", "assured_date") if is_overdue(checked, today=today)}


def pins(found: Sequence[Row]) -> list[dict[str, Any]]:
    """Pins for the map, each leading to its line."""
    return maps.places((row.line.pool_id, row.point, row.state, f"#line-{row.line.rank}") for row in found)


def chosen(values: Sequence[str]) -> list[UUID]:
    """The ids among what an address or a form names; anything else is left out."""
    ids = []
    for value in values:
        try:
            ids.append(UUID(value))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))
