"""Two records side by side: what each says, what its publishers say, which is the better of the two and why."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.timezone import localdate

from catalogue.dedupe import fields
from catalogue.dedupe.facts import phone_number
from catalogue.dedupe.queries import news, sources_of
from catalogue.models import DuplicateCandidate, Merge, QualityMark, Service
from frontend.environment import day, miles, money
from frontend.presenters.directory import open_locations
from frontend.presenters.map import lat_lon
from frontend.presenters.opening import opening

ONE, OTHER = "one", "other"
#: Fields of `SourceRecord.content` by ours, where they are called otherwise.
_IN_SOURCE = {
    "service_at_locations": ("addresses",),
    "eligibility": ("minimum_age", "maximum_age", "eligibility"),
    "criteria": ("needs", "languages"),
}
HIDDEN = "The address is confidential."
COLUMNS = (
    "Record A", "Organisation A", "Publisher A", "Id A", "Record B", "Organisation B", "Publisher B", "Id B", "How sure in per cent",
    "For and against", "State", "Decided", "By",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What one record says in a field, and its publishers where they say something else."""

    lines: list[str]
    sources: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One field of both. `better` is the one that would be kept, and `why` says for what reason."""

    name: str
    label: str
    one: Said
    other: Said
    same: bool
    better: str
    why: str

    @property
    def mark(self) -> str:
        """The difference in words."""
        if self.same:
            return "The same"
        if not self.other.lines:
            return "Only in A"
        return "Only in B" if not self.one.lines else "Different"


def rows(one: Service, other: Service) -> list[Row]:
    """Every field that either of the two says something in."""
    contents = [[(record.source.name, record.content) for record in sources_of(service)] for service in (one, other)]
    found = []
    for name, label in fields.CHOICES.items():
        sides = [
            Said(lines, list(_sources(service, name, lines, content)))
            for service, content in zip((one, other), contents, strict=True)
            for lines in [words(service, name)]
        ]
        if sides[0].lines or sides[1].lines:
            same = fields.said(one, name) == fields.said(other, name) or _read(name, sides[0].lines) == _read(name, sides[1].lines)
            better, why = _better(sides[0].lines, sides[1].lines, one.assured_date, other.assured_date)
            found.append(Row(name, label, sides[0], sides[1], same, better, why))
    return found


def stays(one: Service, other: Service, found: Iterable[Row], pools: dict[Any, int]) -> tuple[str, str]:
    """Which of the two records should stay, and why."""
    places = [pools.get(service.pk, 0) for service in (one, other)]
    if places[0] != places[1]:
        return (ONE, "places are reported for it") if places[0] > places[1] else (OTHER, "places are reported for it")
    full = [sum(bool(getattr(row, side).lines) for row in found) for side in (ONE, OTHER)]
    if full[0] != full[1]:
        return (ONE, "it says more") if full[0] > full[1] else (OTHER, "it says more")
    return (ONE, "it was here first") if one.created_at <= other.created_at else (OTHER, "it was here first")


def words(service: Service, name: str) -> list[str]:
    """What a record says in a field, a line each, as people read it."""
    return [line for line in (_WORDS[name](service) if name in _WORDS else [str(getattr(service, name) or "")]) if line]


def markers(one: Service, other: Service) -> list[dict[str, Any]]:
    """Pins of both, A and B as 1 and 2. Confidential places have none."""
    pins = []
    for number, service in enumerate((one, other), start=1):
        for location in open_locations(service):
            if location.point is not None:
                lat, lon = lat_lon(location.point)
                href = reverse("entry", args=[service.pk])
                word = f"Record {'AB'[number - 1]}"
                pin = {"id": str(service.pk), "lat": lat, "lon": lon, "name": service.name, "rag": "grey", "word": word}
                pins.append({**pin, "href": href, "number": number})
    return pins


def file_rows(pairs: QuerySet[DuplicateCandidate]) -> Iterator[list[object]]:
    """Pairs as rows of a file, a thousand at a time. No address: a record may be of a place that nobody may be told of."""
    for pair in pairs.iterator(chunk_size=1_000):
        both = [[each.name, each.organization.name, each.source or "kept here", each.pk] for each in (pair.one, pair.other)]
        reasons = "; ".join(f"{reason['text'].rstrip('.')} ({reason['weight']:+.1f})" for reason in pair.reasons)
        decided = localdate(pair.decided_at) if pair.decided_at else ""
        yield [*both[0], *both[1], f"{pair.score * 100:.1f}", reasons, pair.get_decision_display(), decided, pair.decided_by or ""]


def taken(merge: Merge) -> list[str]:
    """The names of the fields that were taken from the record that went."""
    return [label.lower() for name, label in fields.CHOICES.items() if name in merge.chosen]


def since(merge: Merge) -> list[tuple[str, str, list[str]]]:
    """What the source of a record that went has said since: field, its label, and the lines that it has now."""
    return [(name, fields.CHOICES[name], words(merge.gone, name)) for name in news(merge)]


def _read(name: str, lines: list[str]) -> list[str]:
    """Lines as they are held against each other: a number is the same however it is written."""
    return sorted(phone_number(line) or line for line in lines) if name == "phones" else lines


def _better(one: list[str], other: list[str], checked: date | None, other_checked: date | None) -> tuple[str, str]:
    if not one or not other:
        return (ONE, "only A says it") if one else (OTHER, "only B says it")
    if checked != other_checked:
        first = other_checked is None or (checked is not None and checked > other_checked)
        newest = checked if first else other_checked
        return ONE if first else OTHER, f"checked more recently, on {day(newest)}"
    if len(" ".join(one)) != len(" ".join(other)):
        return (ONE, "says more") if len(" ".join(one)) > len(" ".join(other)) else (OTHER, "says more")
    return ONE, "nothing tells which is better"


def _sources(service: Service, name: str, lines: list[str], contents: list[tuple[str, dict[str, Any]]]) -> Iterable[tuple[str, str]]:
    if name == "service_at_locations" and (service.hides_its_place or HIDDEN in lines):
        return
    for publisher, content in contents:
        values: list[str] = []
        for key in _IN_SOURCE.get(name, (name,)):
            value = content.get(key)
            values += [str(part) for part in value] if isinstance(value, list) else [str(value)] if value not in (None, "") else []
        text = "; ".join(values)
        if text and text != "; ".join(lines):
            yield publisher, text


def _places(service: Service) -> list[str]:
    if service.hides_its_place:
        return [HIDDEN]
    shown = open_locations(service)
    lines = [str(address) for location in shown for address in location.addresses.all()] or [str(place) for place in shown if place.name]
    hidden = len(shown) < service.service_at_locations.count()
    return [*lines, *([HIDDEN] if hidden else [])]


def _eligibility(service: Service) -> list[str]:
    ages = getattr(service, "eligibility", None)
    if ages is None:
        return []
    low, high = ages.minimum_age, ages.maximum_age
    span = f"Ages {low} to {high}" if low is not None and high is not None else f"{low} and over" if low is not None else ""
    return [span or (f"Up to {high}" if high is not None else ""), ages.get_sex_display() if ages.sex else "", ages.notes]


def _costs(service: Service) -> list[str]:
    parts = ((cost.option, money(cost.amount), cost.amount_description) for cost in service.cost_options.all())
    return [" ".join(part for part in some if part) for some in parts]


def _rating(service: Service) -> list[str]:
    on = f", {day(service.cqc_rated_on)}" if service.cqc_rated_on else ""
    return [f"{service.get_cqc_rating_display()}{on}"] if service.cqc_rating else []


def _files(name: str) -> Callable[[Service], list[str]]:
    relation, part = fields.PARTS[name]
    return lambda service: [f"{file.title}, {day(file.added_at.date())}" for file in getattr(service, relation).filter(**part)]


def _mark(mark: QualityMark) -> str:
    dates = (("given", mark.awarded_on), ("until", mark.expires_on))
    return ", ".join([mark.name, *(f"{word} {day(on)}" for word, on in dates if on)])


def _each(relation: str) -> Callable[[Service], list[str]]:
    return lambda service: sorted(str(row) for row in getattr(service, relation).all())


_WORDS: dict[str, Callable[[Service], list[str]]] = {
    "service_at_locations": _places,
    "phones": lambda service: [f"{p.number} ({p.description})" if p.description else p.number for p in service.phones.order_by("number")],
    "contacts": lambda service: [", ".join(filter(None, (c.name, c.title, c.email))) for c in service.contacts.order_by("name", "email")],
    "schedules": lambda service: [line for line in map(opening, service.schedules.order_by("byday", "opens_at", "pk")) if line],
    "cost_options": _costs,
    "price_week": lambda service: [money(service.price_week)],
    "eligibility": _eligibility,
    "catchment_m": lambda service: [f"within {miles(service.catchment_m)}"] if service.catchment_m else [],
    "cqc_rating": _rating,
    "assured_date": lambda service: [" by ".join(filter(None, (day(service.assured_date), service.assured_by)))],
    "photos": _files("photos"),
    "documents": _files("documents"),
    "quality_marks": lambda service: [_mark(mark) for mark in service.quality_marks.order_by("scheme", "name", "awarded_on")],
    **{name: _each(name) for name in ("schedule_exceptions", "criteria", "registrations", "service_areas", "taxonomy_terms", "partners")},
}
