"""The ledger of unmet need in figures for managers: by kind of care, area and reason, with what it would cost. Never a person.

A small number is never told, nor one whose rest is small: a row of fewer than `SMALL` needs is counted among the others, and what an area
has in all is told by steps. Of one kind or reason an area below the first step is left out: it would name a row that is not told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import Point
from django.db.models import Count, Q, QuerySet

from catalogue.models import Area, Outcode, User
from catalogue.usage import SMALL
from matching.models import Tariff, UnmetNeed

#: What an area's needs are told by: from the first number of each up to that of the next.
STEPS = (SMALL, 10, 20, 50)


@dataclass(frozen=True, slots=True)
class Row:
    """The needs of one kind, in one area, for one reason. A number that may not be told is None: it, or the rest, is too small.

    A need counts once, however many days it was searched for; `days` are the days on which somebody looked. What it costs is an estimate:
    `a_week` to give what is lacking, by the tariff of the cheapest of its kinds; `in_beds` for the days in which a hospital looked.
    """

    care_types: tuple[str, ...]
    outcode: str
    reason: str
    needs: int
    still_open: int | None
    days: int
    bed_days: int | None
    a_week: Decimal | None
    in_beds: Decimal | None


@dataclass(frozen=True, slots=True)
class AreaTotal:
    """One postcode area. `at_least` is a number of `STEPS`, 0 for fewer than the first."""

    outcode: str
    town: str
    point: Point | None
    at_least: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """`rows` most needs first; `untold` are kinds of care without a tariff.

    `few` are the rows that are too small to be told; of one kind or reason in one place not even that there are any: 0.
    """

    rows: tuple[Row, ...]
    few: int
    areas: tuple[AreaTotal, ...]
    towns: dict[str, str]
    needs: int
    a_week: Decimal
    bed_days: int
    in_beds: Decimal
    first: date
    last: date
    untold: tuple[str, ...]
    bed_day: Decimal | None


def ledger(user: User, *, first: date, last: date, care_type: str = "", district: str = "", reason: str = "", outcode: str = "") -> Ledger:
    """The figures that `user` may see of these days."""
    found = UnmetNeed.objects.visible_to(user).filter(on__range=(first, last))
    of_some = bool(care_type or reason)
    if care_type:
        found = found.filter(care_types__contains=[care_type])
    if reason:
        found = found.filter(reason=reason)
    if outcode:
        found = found.filter(outcode=outcode)
    if district:
        found = found.filter(outcode__in=_outcodes_in(district))
    tariffs = dict(Tariff.objects.values_list("code", "pounds"))
    bed_day = tariffs.pop(Tariff.BED_DAY, None)
    counted = found.values("care_types", "outcode", "reason").annotate(
        needs=Count("digest", distinct=True),
        open=Count("digest", distinct=True, filter=Q(resolved_at=None)),
        days=Count("pk"),
        beds=Count("pk", filter=Q(in_hospital=True)),
    )
    all_rows = [_row(dict(one), tariffs, bed_day) for one in counted.order_by("-needs", "outcode", "reason", "care_types")]
    rows = tuple(row for row in all_rows if row.needs >= SMALL)
    kinds = dict.fromkeys(kind for row in rows for kind in row.care_types)
    codes = {row.outcode for row in all_rows}
    places = {code: (town, point) for code, town, point in Outcode.objects.filter(pk__in=codes).values_list("code", "town", "point")}
    return Ledger(
        rows=rows,
        few=0 if of_some and (district or outcode) else len(all_rows) - len(rows),
        areas=tuple(area for area in _areas(found, places) if area.at_least or not of_some),
        towns={code: town for code, (town, _) in places.items()},
        needs=sum(row.needs for row in rows),
        a_week=sum((row.a_week for row in rows if row.a_week is not None), Decimal(0)),
        bed_days=sum(row.bed_days for row in rows if row.bed_days is not None),
        in_beds=sum((row.in_beds for row in rows if row.in_beds is not None), Decimal(0)),
        first=first,
        last=last,
        untold=tuple(kind for kind in kinds if kind not in tariffs),
        bed_day=bed_day,
    )


def reasons(user: User) -> list[str]:
    """The codes of the reasons that are in the ledger, in order."""
    return sorted(UnmetNeed.objects.visible_to(user).values_list("reason", flat=True).distinct())


def _row(one: dict[str, Any], tariffs: dict[str, Decimal], bed_day: Decimal | None) -> Row:
    bed_days = _told(one["beds"], of=one["days"])
    a_week = min((tariffs[kind] for kind in one["care_types"] if kind in tariffs), default=None)
    return Row(
        care_types=tuple(one["care_types"]),
        outcode=one["outcode"],
        reason=one["reason"],
        needs=one["needs"],
        still_open=_told(one["open"], of=one["needs"]),
        days=one["days"],
        bed_days=bed_days,
        a_week=None if a_week is None else a_week * one["needs"],
        in_beds=None if bed_day is None or bed_days is None else bed_day * bed_days,
    )


def _areas(found: QuerySet[UnmetNeed], places: dict[str, tuple[str, Point]]) -> Iterable[AreaTotal]:
    for code, needs in found.values_list("outcode").annotate(Count("digest", distinct=True)).order_by("outcode"):
        town, point = places.get(code, ("", None))
        yield AreaTotal(code, town, point, max((step for step in STEPS if step <= needs), default=0))


def _told(number: int, *, of: int) -> int | None:
    """The number, where neither it nor the rest is small."""
    return None if 0 < number < SMALL or 0 < of - number < SMALL else number


def _outcodes_in(district: str) -> Sequence[str]:
    """Postcode areas whose middle lies in a district."""
    outline = Area.objects.filter(code=district, kind=Area.Kind.DISTRICT).values_list("outline", flat=True).first()
    return [] if outline is None else list(Outcode.objects.filter(point__coveredby=outline).values_list("code", flat=True))
