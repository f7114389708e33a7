"""What a search of the directory asks for, said back, each with the address of the search without it."""

from dataclasses import dataclass

from catalogue.models.taxonomy import CARE_TYPE, LANGUAGE, NEED
from catalogue.search import DAYS, PARTS_OF_DAY
from frontend.forms.directory import USUAL_MILES, DirectoryForm, SearchForm
from frontend.presenters.query import Query

ONLINE = {"only": "Only online services", "not": "Not online"}


@dataclass(frozen=True, slots=True)
class Active:
    """One filter in use. `address` is the query string without it."""

    words: str
    address: str


def active(form: DirectoryForm, query: Query) -> list[Active]:
    """Filters in use and understood, in the order of the form."""
    found, names = form.cleaned_data, _names(form)
    lines = []
    if text := found.get("q"):
        lines.append(Active(f"“{text}”", query.without("q")))
    lines += where(form, query)
    for key in ("care_type", "need", "language"):
        if code := found.get(key):
            lines.append(Active(names.get(code, code), query.without(key)))
    if (age := found.get("age")) is not None:
        lines.append(Active(f"Age {age}", query.without("age")))
    if part := found.get("part_of_day"):
        lines.append(Active(PARTS_OF_DAY[part], query.without("part_of_day")))
    lines += [Active(DAYS[day], query.without("day", value=day)) for day in found.get("day", [])]
    lines += [Active(names.get(code, code), query.without("access", value=code)) for code in found.get("access", [])]
    for key, words in (("free", "Free"), ("self_referral", "You can contact them yourself")):
        if found.get(key):
            lines.append(Active(words, query.without(key)))
    if online := found.get("online"):
        lines.append(Active(ONLINE[online], query.without("online")))
    if source := found.get("source"):
        lines.append(Active(f"From {source}", query.without("source")))
    if status := found.get("status"):
        lines.append(Active(f"Record is {status}", query.without("status")))
    return lines


def asked_for(form: DirectoryForm) -> str:
    """What a search is for, in a few words: what somebody typed, else the kind of service or the need that was chosen."""
    found, names = form.cleaned_data, _names(form)
    return found.get("q") or next((names.get(found[key], "") for key in ("care_type", "need") if found.get(key)), "")


def where(form: SearchForm, query: Query) -> list[Active]:
    """The place of a search, and how far from it."""
    place = form.place
    if place is None:
        return []
    if place.area:
        return [Active(f"In {place.name}", query.without("where", "area", "miles"))]
    far = form.cleaned_data.get("miles") or USUAL_MILES
    words = f"Near {place.name}, any distance" if far == "any" else f"Within {far} miles of {place.name}"
    return [Active(words, query.without("where", "area", "miles"))]


def _names(form: DirectoryForm) -> dict[str, str]:
    return {code: name for slug in (CARE_TYPE, NEED, LANGUAGE) for _, choices in form.terms[slug] for code, name in choices}
