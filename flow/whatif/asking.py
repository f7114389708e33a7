"""What may be asked: the changes as somebody chooses them, checked, and kept as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from catalogue.models import Organization, Service, TaxonomyTerm, User
from catalogue.models.taxonomy import CARE_TYPE
from catalogue.queries import find_place
from core.errors import Invalid
from flow.models import Episode

#: Of what is kept.
FORMAT = 1
MOST_PLACES, MOST_PERCENT, MOST_DAYS = 500, 300, 120
#: A name that fits more services than this is asked for again.
NAMED = 5


@dataclass(frozen=True, slots=True)
class CloseService:
    """A service closes for good. With `moved` whoever lives there needs another place at once; otherwise they stay until they leave."""

    service: str
    name: str
    day: int = 0
    moved: bool = False


@dataclass(frozen=True, slots=True)
class AddPlaces:
    """So many more places of a kind, at a postcode."""

    kind: str
    kind_name: str
    places: int
    postcode: str
    x: int
    y: int
    day: int = 0


@dataclass(frozen=True, slots=True)
class MorePeople:
    """So many per cent more people, or fewer, for some days; on one pathway or on all, from one hospital or from all."""

    percent: int
    first: int = 0
    last: int = MOST_DAYS
    pathway: str = ""
    source: str = ""
    source_name: str = ""


@dataclass(frozen=True, slots=True)
class Strike:
    """So many per cent of answering and moving in stand still for some days."""

    percent: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FasterAnswers:
    """Services answer in so many per cent less time."""

    percent: int
    day: int = 0


Asked = CloseService | AddPlaces | MorePeople | Strike | FasterAnswers
_KINDS: dict[str, type] = {"close": CloseService, "add": AddPlaces, "people": MorePeople, "strike": Strike, "answers": FasterAnswers}


def to_json(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    names = {kind: name for name, kind in _KINDS.items()}
    return [{"what": names[type(each)], **asdict(each)} for each in asked]


def from_json(data: Sequence[Mapping[str, Any]]) -> list[Asked]:
    return [_KINDS[each["what"]](**{name: value for name, value in each.items() if name != "what"}) for each in data]


def close(name: str, *, by: User, day: int = 0, moved: bool = False) -> CloseService:
    """The closing of the service of that name, or of that id. Raises Invalid (`field` is `close_name`) when it is not one service."""
    name = name.strip()
    if not name:
        raise Invalid("Type the name of the service that closes.", field="close_name")
    seen = Service.objects.visible_to(by).filter(is_confidential=False, organization__is_confidential=False).select_related("organization")
    exact = seen.filter(pk=name) if _is_id(name) else seen.filter(name__iexact=name)
    found = list(exact.order_by("name", "pk")[:NAMED]) or list(seen.filter(name__icontains=name).order_by("name", "pk")[: NAMED + 1])
    if not found:
        raise Invalid(f"We do not know a service called “{name[:60]}”. Check the name in the directory.", field="close_name")
    if len(found) > NAMED:
        raise Invalid("More than five services have these words in their name. Type the whole name.", field="close_name")
    if len(found) > 1:
        names = sorted({each.name for each in found})
        if len({name.casefold() for name in names}) == 1:  # no name tells them apart
            which = "; ".join(f"{each.pk} ({each.organization.name})" for each in found)
            raise Invalid(f"Several services are called “{names[0]}”. Copy the number of one here: {which}.", field="close_name")
        raise Invalid(f"Several services are called that: {'; '.join(names)}. Type the whole name of one.", field="close_name")
    return CloseService(str(found[0].pk), found[0].name, _day(day, "close_day"), bool(moved))


def add(kind: str, places: int, postcode: str, *, day: int = 0) -> AddPlaces:
    """More places of a kind of care at a postcode, or in the middle of its first half."""
    term = TaxonomyTerm.objects.of(CARE_TYPE).filter(code=kind).first()
    if term is None:
        raise Invalid("Choose which kind of place is added.", field="add_kind")
    _within(places, 1, MOST_PLACES, "add_places", f"Say how many places are added, from 1 to {MOST_PLACES}.")
    try:
        where = find_place(postcode)
    except Invalid as error:
        raise Invalid(error.message, field="add_where") from None
    named = where.postcode or where.outcode
    return AddPlaces(kind, term.name, places, named, round(where.point.x), round(where.point.y), _day(day, "add_day"))


def hospitals() -> list[tuple[str, str]]:
    """Ids and names of the hospitals from which people come."""
    rows = Organization.objects.filter(kind=Organization.Kind.HOSPITAL, is_confidential=False).order_by("name").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]


def people(percent: int, *, first: int = 0, last: int = MOST_DAYS, pathway: str = "", source: str = "") -> MorePeople:
    """More people, or fewer."""
    _within(percent, -100, MOST_PERCENT, "people_percent", f"Give a change from -100 to {MOST_PERCENT} per cent.")
    if not percent:
        raise Invalid("No change in the number of people asks nothing. Give another number, or leave it empty.", field="people_percent")
    if pathway and pathway not in Episode.Pathway.values:
        raise Invalid("Choose a pathway from the list, or all of them.", field="people_pathway")
    names = dict(hospitals())
    if source and source not in names:
        raise Invalid("Choose a hospital from the list, or all of them.", field="people_source")
    return MorePeople(percent, *_span(first, last, "people_last"), pathway, source, names.get(source, ""))


def strike(percent: int, first: int, last: int) -> Strike:
    _within(percent, 1, 100, "strike_percent", "Say how much of the work stands still, from 1 to 100 per cent.")
    return Strike(percent, *_span(first, last, "strike_last"))


def answers(percent: int, *, day: int = 0) -> FasterAnswers:
    _within(percent, 1, 95, "answers_percent", "Say by how much answers are faster, from 1 to 95 per cent.")
    return FasterAnswers(percent, _day(day, "answers_day"))


#: In which field somebody says when a change begins.
_BEGINS: dict[type, str] = {
    CloseService: "close_day", AddPlaces: "add_day", MorePeople: "people_first", Strike: "strike_first", FasterAnswers: "answers_day",
}  # fmt: skip


def within(asked: Sequence[Asked], days: int) -> None:
    """Each change begins within the days that are simulated. Raises Invalid with the field for one that would never happen."""
    for change in asked:
        if (change.first if isinstance(change, MorePeople | Strike) else change.day) >= days:
            message = f"That is after the {days} days that are simulated, so nothing would change. Give an earlier day, or simulate longer."
            raise Invalid(message, field=_BEGINS[type(change)])


def words(asked: Asked) -> str:
    """A change in words: "10 more places in PR1: Community bed"."""
    match asked:
        case CloseService(name=name, day=day, moved=moved):
            return f"{name} closes{_from(day)}; {'everybody there has to move' if moved else 'who is there may stay'}"
        case AddPlaces(kind_name=kind, places=places, postcode=postcode, day=day):
            return f"{places} more place{'' if places == 1 else 's'} at {postcode}{_from(day)}: {kind}"
        case MorePeople(percent=percent, first=first, last=last, pathway=pathway, source_name=source):
            whom = f"on {Episode.Pathway(pathway).label}" if pathway else "on all pathways"
            whom += f" from {source}" if source else ""
            return f"{abs(percent)}% {'more' if percent > 0 else 'fewer'} people {whom}{_between(first, last)}"
        case Strike(percent=percent, first=first, last=last):
            return f"A strike: {percent}% of answers and moves stand still{_between(first, last)}"
        case FasterAnswers(percent=percent, day=day):
            return f"Answers come in {percent}% less time{_from(day)}"


def _from(day: int) -> str:
    return f" from day {day + 1}" if day else ""


def _between(first: int, last: int) -> str:
    return "" if not first and last >= MOST_DAYS else f" from day {first + 1} to day {last}"


def _span(first: int, last: int, field: str) -> tuple[int, int]:
    if not 0 <= first < last <= MOST_DAYS:
        raise Invalid(f"The last day must not be before the first; days go from 1 to {MOST_DAYS}.", field=field)
    return first, last


def _day(day: int, field: str) -> int:
    _within(day, 0, MOST_DAYS, field, f"Give a day from 1 to {MOST_DAYS}.")
    return day


def _within(value: int, low: int, high: int, field: str, message: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Invalid(message, field=field)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
