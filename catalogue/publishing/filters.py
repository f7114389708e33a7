"""The filters of the open catalogue, with the meaning that the standard gives them. All that are given must be met."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.gis.db.models import PointField
from django.db.models import BooleanField, Exists, Func, OuterRef, Q, QuerySet, Value
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from catalogue.models import EligibilityCriterion, Schedule, Service, ServiceArea, ServiceAtLocation, TaxonomyTerm
from catalogue.queries import areas_at, find_place, search_services
from core.clock import LONDON, now
from core.errors import Invalid
from core.geo import BNG

from .times import CODES

MOST_PER_PAGE = 1_000
LAST_PAGE = 1_000_000
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = dict(zip(_NAMES, CODES, strict=True))
_FORMATS = ("json", "ndjson")


def wrong(name: str, advice: str) -> Invalid:
    """A parameter that cannot be used: which, and what to give instead."""
    error = Invalid(f"{name}: {advice}", code="wrong-parameter", parameter=name)
    error.http_status = 400
    return error


def unanswerable(name: str, advice: str) -> Invalid:
    """A parameter that reads well and cannot be answered (status 422): no description of parameters can say of it that it is wrong."""
    return Invalid(f"{name}: {advice}", code="cannot-be-answered", parameter=name)


def unknown(name: str, known: tuple[str, ...]) -> Invalid:
    """A word that is no parameter of that address."""
    return wrong(
        name[:40] or "(no name)",
        f"there is no such parameter here. Use: {', '.join(known)}." if known else "this address takes no parameters.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, understood. None: not asked."""

    search: str = ""
    taxonomy_term_id: UUID | None = None
    taxonomy_id: UUID | None = None
    organization_id: UUID | None = None
    minimum_age: float | None = None
    maximum_age: float | None = None
    start_time: time | None = None
    end_time: time | None = None
    day: str | None = None
    postcode: str = ""
    proximity: float | None = None
    modified_after: datetime | None = None
    minimal: bool = False
    full: bool = False
    format: str = "json"
    page: int = 1
    per_page: int | None = None
    since: str = ""


#: By endpoint, what it understands. A word that is not among them is refused: a filter that is passed over would give too much.
PAGING = ("page", "per_page", "format")
SERVICES = tuple(field.name for field in fields(Asked) if field.name != "since")
AT_LOCATIONS = SERVICES
ORGANIZATIONS = ("search", "modified_after", *PAGING)
TAXONOMIES = ("search", *PAGING)
TERMS = ("search", "taxonomy_id", *PAGING)
CHANGES = ("since", "per_page", "full")


def understood(sent: list[tuple[str, list[str]]], known: tuple[str, ...]) -> Asked:
    """The parameters of a request. Raises `Invalid` (status 400, 422 for a distance from nowhere) that names the first wrong one and says
    what to give."""
    values: dict[str, Any] = {}
    for name, texts in sent:
        if name not in known:
            raise unknown(name, known)
        if len(texts) != 1:
            raise wrong(name, "give it once.")
        values[name] = _READERS[name](name, texts[0])
    asked = Asked(**values)
    if asked.proximity is not None and not asked.postcode:
        raise unanswerable("proximity", "give a postcode too: within so many metres of what?")
    return asked


def services(asked: Asked) -> QuerySet[Service]:
    """Public services that answer all that was asked: those of a search best first, others in the order of their id."""
    words = asked.search.strip()
    found = search_services(AnonymousUser(), text=words) if words else Service.objects.public().order_by("pk")
    if asked.organization_id:
        found = found.filter(organization=asked.organization_id)
    if asked.minimum_age is not None:
        found = found.filter(eligibility__minimum_age__gte=asked.minimum_age)
    if asked.maximum_age is not None:
        found = found.filter(eligibility__maximum_age__lte=asked.maximum_age)
    if asked.modified_after:
        found = found.filter(publication__changed_at__gte=asked.modified_after)
    for condition in (_classified(asked), _open(asked), _reached(asked)):
        if condition is not None:
            found = found.filter(condition)
    return found


def at_locations(asked: Asked) -> QuerySet[ServiceAtLocation]:
    """Public services at places that are not confidential. With `proximity`, it is this place that lies within it."""
    chosen = services(asked).order_by().values("pk")
    found = ServiceAtLocation.objects.filter(service__in=chosen, location__is_confidential=False).order_by("pk")
    if asked.proximity is not None:
        found = found.filter(location__point__dwithin=(_place(asked.postcode).point, asked.proximity))
    return found


def _classified(asked: Asked) -> Q | None:
    """Its kind, its topics, and what it said that it takes; not what it said that it does not."""
    said = EligibilityCriterion.objects.filter(service=OuterRef("pk")).exclude(rule=EligibilityCriterion.Rule.EXCLUDED)
    topics = Service.taxonomy_terms.through.objects.filter(service=OuterRef("pk"))
    conditions = []
    if term := asked.taxonomy_term_id:
        # Terms that were merged mean the same, by whichever of their ids one asks.
        alike = TaxonomyTerm.objects.filter(Q(pk=term) | Q(replaced_by=term) | Q(replaces=term)).values_list("pk", flat=True)
        same = {term, *alike}
        conditions.append(Q(care_type__in=same) | Exists(topics.filter(taxonomyterm__in=same)) | Exists(said.filter(term__in=same)))
    if taxonomy := asked.taxonomy_id:
        conditions.append(
            Q(care_type__taxonomy=taxonomy)
            | Exists(topics.filter(taxonomyterm__taxonomy=taxonomy))
            | Exists(said.filter(term__taxonomy=taxonomy))
        )
    return _all(conditions)


def _open(asked: Asked) -> Q | None:
    """One schedule, not yet over, that meets day, beginning and end together."""
    conditions = []
    if asked.day:
        code, number = asked.day, CODES.index(asked.day) + 1
        conditions.append(
            Q(byday__regex=rf"(^|,)\s*[+-]?[0-9]?{code}\s*(,|$)")
            | Q(byday="", freq=Schedule.Frequency.WEEKLY, dtstart__iso_week_day=number)
        )
    if asked.start_time is not None:
        conditions.append(Q(opens_at__gte=asked.start_time))
    if asked.end_time is not None:
        # Midnight is the end of the day, published as 23:59.
        midnight = Q(closes_at=time(0)) if asked.end_time >= time(23, 59) else Q(pk__in=[])
        conditions.append(Q(closes_at__lte=asked.end_time) & ~Q(closes_at=time(0)) | midnight)
    if not conditions:
        return None
    today = now().astimezone(LONDON).date()
    running = Schedule.objects.filter(Q(valid_to=None) | Q(valid_to__gte=today), service=OuterRef("pk"))
    for condition in conditions:
        running = running.filter(condition)
    return Q(Exists(running))


def _reached(asked: Asked) -> Q | None:
    """Whether somebody who lives at the postcode may come, and whether it is near enough."""
    if not asked.postcode:
        return None
    point = _place(asked.postcode).point
    drawn = ServiceArea.objects.filter(
        Q(area__isnull=False) | Q(extent__isnull=False), service=OuterRef("pk"), rule=ServiceArea.Rule.REQUIRED
    )
    covering = ServiceArea.objects.filter(Q(area__in=areas_at(point)) | Q(extent__covers=point), service=OuterRef("pk"))
    places = ServiceAtLocation.objects.filter(service=OuterRef("pk"), location__is_confidential=False, location__point__isnull=False)
    here = Value(point, output_field=PointField(srid=BNG))
    in_reach = Func("location__point", here, OuterRef("catchment_m"), function="ST_DWithin", output_field=BooleanField())
    conditions = [
        ~Exists(drawn) | Exists(covering.filter(rule=ServiceArea.Rule.REQUIRED)),
        ~Exists(covering.filter(rule=ServiceArea.Rule.EXCLUDED)),
        Q(catchment_m=None) | ~Exists(places) | Exists(places.filter(in_reach)),
    ]
    if asked.proximity is not None:
        conditions.append(Q(Exists(places.filter(location__point__dwithin=(point, asked.proximity)))))
    return _all(conditions)


def _all(conditions: list[Any]) -> Q | None:
    if not conditions:
        return None
    together = Q()
    for condition in conditions:
        together &= Q(condition)
    return together


def _place(postcode: str) -> Any:
    try:
        return find_place(postcode)
    except Invalid as error:
        raise unanswerable("postcode", error.message) from error


def identity(name: str, text: str) -> UUID:
    """The id that a parameter gives."""
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise wrong(name, "give a UUID, as in the `id` of a record.")
    return UUID(text)


def _age(name: str, text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", text, re.ASCII) or float(text) > 150:
        raise wrong(name, "give an age in years, from 0 to 150.")
    return float(text)


def _metres(name: str, text: str) -> float:
    if not re.fullmatch(r"\d{1,7}(\.\d{1,4})?", text, re.ASCII) or float(text) > 1_000_000:
        raise wrong(name, "give metres, from 0 to 1000000.")
    return float(text)


def _clock(name: str, text: str) -> time:
    try:
        at = parse_time(text) if re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", text, re.ASCII) else None
    except ValueError:
        at = None
    if at is None:
        raise wrong(name, "give a time of day in England, such as 09:30.")
    return at


def _day(name: str, text: str) -> str:
    code = _DAYS.get(text.strip().lower(), text.strip().upper())
    if code not in CODES:
        raise wrong(name, f"give a day: one of {', '.join(CODES)}, or its English name.")
    return code


def _moment(name: str, text: str) -> datetime:
    """An instant, or the midnight with which a day begins in England. A plus sign that was not escaped comes as a space."""
    text = re.sub(r" (?=\d\d:?\d\d$)", "+", text)
    try:
        at = parse_datetime(text) if "T" in text.upper() else None
        first = parse_date(text) if at is None else None
        if at is None and first is not None:
            at = datetime.combine(first, time(0), tzinfo=LONDON)
    except ValueError:
        at = None
    if at is None:
        raise wrong(name, "give a date and time such as 2026-11-22T09:30:00Z.")
    # In UTC: PostgreSQL knows no offset of 16 hours or more.
    at = at if at.tzinfo else at.replace(tzinfo=LONDON)
    return at.astimezone(UTC) if 1 < at.year < 9999 else at.replace(tzinfo=UTC)


def yes_or_no(name: str, text: str) -> bool:
    """What a parameter says that is either true or false."""
    if text.lower() not in ("true", "false"):
        raise wrong(name, "give true or false.")
    return text.lower() == "true"


def _whole(most: int, more: str = "") -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
            raise wrong(name, f"give a whole number from 1 to {most}{more}.")
        return int(text)

    return read


def _words(name: str, text: str) -> str:
    if len(text) > 200:
        raise wrong(name, "give 200 letters or fewer.")
    return text


def _form(name: str, text: str) -> str:
    if text not in _FORMATS:
        raise wrong(name, f"give one of {', '.join(_FORMATS)}.")
    return text


def postcode(name: str, text: str) -> str:
    """What may be a postcode; whether there is one, is another question."""
    if not text.strip() or len(text) > 20:
        raise wrong(name, "give a postcode like PR1 2HE.")
    return text


_READERS: dict[str, Callable[[str, str], Any]] = {
    "search": _words,
    "taxonomy_term_id": identity,
    "taxonomy_id": identity,
    "organization_id": identity,
    "minimum_age": _age,
    "maximum_age": _age,
    "start_time": _clock,
    "end_time": _clock,
    "day": _day,
    "postcode": postcode,
    "proximity": _metres,
    "modified_after": _moment,
    "minimal": yes_or_no,
    "full": yes_or_no,
    "format": _form,
    "page": _whole(LAST_PAGE),
    "per_page": _whole(MOST_PER_PAGE, "; everything comes with format=ndjson"),
    "since": _words,
}
