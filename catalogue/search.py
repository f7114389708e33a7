"""Searching the catalogue: what somebody types and ticks, as one question to the packed rows of `ServiceSearch`.

A word is answered by a name, a town, a description, or by a term of the vocabulary that people call so ("lonely" is befriending). Only
when that finds nothing at all are slips of spelling forgiven: whoever types rightly need not wait for it, nor read what merely looks alike.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from operator import and_
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.contrib.gis.db.models import PointField
from django.contrib.gis.geos import Point
from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery
from django.core.cache import cache
from django.db import transaction
from django.db.models import BooleanField, Case, Exists, F, FloatField, Func, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from catalogue.assurance import is_told_closed
from catalogue.currency import ASSURANCE_LASTS
from catalogue.models import Area, EligibilityCriterion, Service, ServiceArea, ServiceSearch, TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE, LANGUAGE, NEED, REFERRAL_SOURCE
from catalogue.spelling import alike_words
from core.geo import BNG, METRES_PER_MILE
from core.prepared import prepared

Asked = SearchQuery | CombinedSearchQuery

#: A record that nobody has checked for long is listed as if it were so much further off.
OVERDUE_METRES = 2 * METRES_PER_MILE
#: Days as schedules name them.
DAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday", "SU": "Sunday"}
PARTS_OF_DAY = {"am": "Morning", "pm": "Afternoon", "eve": "Evening"}
#: Words that say nothing about which service is meant.
_EMPTY_WORDS = frozenset(
    {"a", "an", "and", "at", "for", "from", "i", "in", "am", "is", "me", "my", "near", "of", "or", "someone", "the", "to", "with", "who"}
)
#: The vocabulary changes a few times a year: a new word may take so long to be understood.
KEEP_SECONDS = 60
_KEPT = "search-vocabulary"
#: What a list shows of a service; the rest is read when its page is.
_LISTED = ("name", "status", "is_confidential", "assured_date", "organization__name", "organization__is_confidential", "care_type__name")
#: More words than anybody types; each is a part of the question.
MOST_WORDS = 12


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of the vocabulary as searches use it, with what people call it, in small letters."""

    id: UUID
    taxonomy: str
    code: str
    labels: tuple[str, ...]

    @property
    def mark(self) -> str:
        """What stands in `ServiceSearch.words` of a service that has it, without the first sign."""
        return "t" + self.id.hex[:12]


class Search(TypedDict, total=False):
    """What may be asked for; nothing of it need be.

    Every word of `text` must be answered by the name, the organisation, the town, the description, the kind of care or a need it can
    meet, in the words people use for them ("meals on wheels"); slips of spelling are forgiven.

    With `near`, each service has `distance_m`, metres to its closest place (None: not placed). With `within_m` too, those further off or
    not placed are left out, the closest come first, and a record whose check is overdue counts as `OVERDUE_METRES` further off;
    without it the closest come first whatever their age. Confidential places are never measured.

    Without a place, the best names come first, then those whose check is not overdue; without text, those checked last.

    `needs` and `languages` are codes that the service must have said yes to. `days` (codes of `DAYS`) are alternatives, as are the days
    of a `part_of_day` alone. `age` leaves out those that say they do not take it; `area` keeps those placed in it or stated to serve it.
    A code that the vocabulary does not have finds nothing.

    `forgiving` says whether slips of spelling and beginnings count, of words that the vocabulary does not know; None: only when nothing is
    found without, which is one more statement.
    """

    text: str
    care_type: str
    near: Point | None
    within_m: float | None
    status: str
    area: Area | None
    needs: Sequence[str]
    days: Sequence[str]
    part_of_day: str
    age: int | None
    free: bool
    languages: Sequence[str]
    self_referral: bool
    online: bool | None
    source: str
    forgiving: bool | None


def search_services(user: Any, **search: Unpack[Search]) -> QuerySet[Service]:
    """Services that `user` may see and that answer a search, best first. Each has `search` (its packed row) and `is_overdue` at hand."""
    found: QuerySet[Service] = Service.objects.visible_to(user).select_related("organization", "care_type", "search")
    found = found.defer("search__words", "search__names")  # long, and shown to nobody
    if not _known(user):
        found = found.filter(search__is_public=True)
    return _ask(found, search, row="search__", service="", public=not _known(user))


def search_lines(user: Any, **search: Unpack[Search]) -> QuerySet[ServiceSearch]:
    """The packed rows of the same services in the same order: a question to one table, for a page of a list. See `in_full`."""
    found = ServiceSearch.objects.visible_to(user).only("towns", "points")
    return _ask(found, search, row="", service="service__", public=not _known(user))


def in_full(lines: Iterable[ServiceSearch], user: Any) -> list[Service]:
    """The services of a page of lines that `user` may see, in their order and with what a list shows.

    Each has its line as `search`, the `distance_m` of that, and `told_closed`: an owner says so and nobody has decided on it.
    """
    by_id = {line.pk: line for line in lines}
    visible = Service.objects.visible_to(user).filter(pk__any_of=list(by_id)).select_related("organization", "care_type")
    visible = visible.annotate(told_closed=is_told_closed()).only(*_LISTED).order_by()
    with prepared():
        found: dict[UUID, Any] = {service.pk: service for service in visible} if by_id else {}
    for pk, service in found.items():
        line: Any = by_id[pk]
        service.search = line
        service.distance_m = getattr(line, "distance_m", None)
    return [found[pk] for pk in by_id if pk in found]


def _known(user: Any) -> bool:
    return bool(getattr(user, "is_authenticated", False))


def _ask(found: QuerySet[Any], search: Search, *, row: str, service: str, public: bool) -> QuerySet[Any]:
    """Put a search to services or to their packed rows: `row` and `service` lead from what is asked to these."""

    def q(**conditions: Any) -> Q:
        return Q(**{row + name: value for name, value in conditions.items()})

    for name in ("status", "source"):
        if search.get(name):
            found = found.filter(**{service + name: search.get(name)})
    age, near, within_m, area = search.get("age"), search.get("near"), search.get("within_m"), search.get("area")
    if age is not None:
        found = found.filter(q(minimum_age=None) | q(minimum_age__lte=age), q(maximum_age=None) | q(maximum_age__gte=age))
    text = search.get("text", "").strip()
    wanted = [
        *([(CARE_TYPE, search["care_type"])] if search.get("care_type") else []),
        *((NEED, code) for code in search.get("needs", ())),
        *((LANGUAGE, code) for code in search.get("languages", ())),
        *([(REFERRAL_SOURCE, "self")] if search.get("self_referral") else []),
    ]
    terms = _vocabulary() if text or wanted else []
    parts: list[Asked] = []
    for taxonomy, code in wanted:
        marks = [term.mark for term in terms if (term.taxonomy, term.code) == (taxonomy, code)]
        if not marks:
            return found.none()
        parts.append(_any_of(marks))
    if search.get("free"):
        parts.append(_any_of(["free"]))
    if search.get("days") or search.get("part_of_day"):
        parts.append(_any_of([f"d{day.lower()}{search.get('part_of_day', '')}" for day in search.get("days") or DAYS]))
    online = search.get("online")
    if online is not None:
        only = q(words=_any_of(["online"]))
        found = found.filter(only if online else ~only)
    if area is not None:
        stated = ServiceArea.objects.filter(service=OuterRef("pk"), area=area).exclude(rule=ServiceArea.Rule.EXCLUDED)
        found = found.filter(q(points__intersects=area.outline) | Q(Exists(stated)))
    if near is not None and within_m is not None:
        found = found.filter(q(points__dwithin=(near, within_m)))
    words = _words(text, terms) if text else []
    exact = [*parts, *(_asked(word, meant) for word, meant in words)]
    strange = [word for word, meant in words if not meant]
    forgiving = search.get("forgiving")
    if forgiving is None:
        forgiving = bool(strange) and not (found.filter(q(words=reduce(and_, exact))).order_by().exists())
    if strange and forgiving:
        alike = alike_words(strange, public=public)
        for word, meant in words:
            if meant:  # the vocabulary knows it, so that it is spelled right
                parts.append(_asked(word, meant))
            else:
                parts.append(_asked(word, _close(word, terms), begins=True, alike=alike.get(word, ())))
    else:
        parts = exact
    if parts:
        found = found.filter(q(words=reduce(and_, parts)))
    return _ordered(found, row, text, [word for word, _ in words], near, within_m)


def _ordered(found: QuerySet[Any], row: str, text: str, words: list[str], near: Point | None, within_m: float | None) -> QuerySet[Any]:
    checked = Q(**{f"{row}assured_on__gte": timezone.localdate() - ASSURANCE_LASTS})
    found = found.annotate(is_overdue=Case(When(checked, then=Value(False)), default=Value(True), output_field=BooleanField()))
    by_name = (f"{row}name", f"{row}service_id")
    if near is not None:
        found = found.annotate(distance_m=_Away(f"{row}points", Value(near, output_field=PointField(srid=BNG))))
        if within_m is None:
            return found.order_by(F("distance_m").asc(nulls_last=True), *by_name)
        handicap = Case(When(checked, then=Value(0.0)), default=Value(OVERDUE_METRES), output_field=FloatField())
        return found.order_by(F("distance_m") + handicap, *by_name)
    if words:
        in_name = SearchQuery(" & ".join(_spelled(word, ":*A") for word in words), config="english", search_type="raw")
        is_it, has_it = Q(**{f"{row}name__iexact": text}), Q(**{f"{row}words": in_name})
        whole = Case(When(is_it, then=Value(0)), When(has_it, then=Value(1)), default=Value(2))
        return found.order_by(whole, "is_overdue", *by_name)
    return found.order_by(F(f"{row}assured_on").desc(nulls_last=True), *by_name)


class _Marks(SearchQuery):
    """A question to the marks among the words, which are of no language and taken as they are."""

    template = "(%(expressions)s)::tsquery"


class _Away(Func):
    """Metres between two geometries, by the operator that an index can put in order."""

    template = "(%(expressions)s)"
    arg_joiner = " <-> "
    output_field = FloatField()


def _any_of(marks: Iterable[str]) -> SearchQuery:
    return _Marks(" | ".join(f"'#{mark}'" for mark in marks))


def _asked(word: str, meant: Iterable["_Term"], *, begins: bool = False, alike: Iterable[str] = ()) -> Asked:
    """A word, or only its beginning, or one of those that are spelled `alike`, or one of the terms that it means."""
    marks = sorted(term.mark for term in meant)
    spellings = [_spelled(word, ":*" if begins else ""), *(_spelled(other, "") for other in alike)]
    spelled = SearchQuery(" | ".join(spellings), config="english", search_type="raw")
    return spelled | _any_of(marks) if marks else spelled


def _spelled(word: str, suffix: str) -> str:
    """For `to_tsquery`: every word of a phrase, with a suffix of its language."""
    quoted = ["'{}'{}".format(part.replace("'", "''"), suffix) for part in word.split()]
    return f"({' & '.join(quoted)})"


def _vocabulary() -> list[_Term]:
    return cache.get_or_set(_KEPT, _read_vocabulary, KEEP_SECONDS) or []


def forget_vocabulary() -> None:
    """Read the words anew at the next search: a curator has changed them. At once, and when the change is there for everybody."""
    cache.delete(_KEPT)
    transaction.on_commit(lambda: cache.delete(_KEPT))


def _read_vocabulary() -> list[_Term]:
    terms = TaxonomyTerm.objects.filter(taxonomy__slug__in=[CARE_TYPE, NEED, LANGUAGE, REFERRAL_SOURCE])
    return [
        # Of a term that was merged the words and the code stand for the one that was kept.
        _Term(now or pk, taxonomy, code, tuple(plain(label) for label in (name, *synonyms)))
        for pk, now, taxonomy, code, name, synonyms in terms.values_list("pk", "replaced_by", "taxonomy__slug", "code", "name", "synonyms")
    ]


def _words(text: str, terms: Iterable[_Term]) -> list[tuple[str, list[_Term]]]:
    """The words of a search, phrases of the vocabulary kept whole, each with the terms that it may mean."""
    labels = [(label, term) for term in terms if term.taxonomy in (CARE_TYPE, NEED) for label in term.labels if label]
    rest = plain(text)
    words: list[str] = []
    for label in sorted({label for label, _ in labels if label[:4] in rest}, key=len, reverse=True):
        whole = re.compile(rf"\b{re.escape(label)}s?\b")
        if whole.search(rest):
            words.append(label)
            rest = whole.sub(" ", rest)
    spelled = (word.strip("'") for word in rest.split())
    words += [word for word in dict.fromkeys(spelled) if word and word not in _EMPTY_WORDS]
    found = []
    for word in words[:MOST_WORDS]:
        stem = word if word.endswith("ss") else word.removesuffix("s")
        part = re.compile(rf"\b{re.escape(stem)}s?\b")
        meant = {term for label, term in labels if stem in label and part.search(label)} if len(word) > 2 else set()
        found.append((word, sorted(meant, key=lambda term: term.mark)))
    return found


def _close(word: str, terms: Iterable[_Term]) -> list[_Term]:
    """Terms that a word means but for a slip of spelling: "befreinding"."""
    if len(word) <= 4:
        return []
    labels = [(set(label.split()), term) for term in terms if term.taxonomy in (CARE_TYPE, NEED) for label in term.labels]
    alike = set(get_close_matches(word, {part for parts, _ in labels for part in parts}, n=3, cutoff=0.8))
    return [term for parts, term in labels if alike & parts]


def plain(text: str) -> str:
    """Small letters, and a space for everything that is not of a word."""
    return re.sub(r"[^\w']+", " ", text.lower()).strip()


def has_strange_words(text: str) -> bool:
    """Whether a text has words that the vocabulary does not know, which may be slips of spelling."""
    return any(not meant for _, meant in _words(text, _vocabulary())) if text.strip() else False


def for_file(found: QuerySet[Service]) -> Iterator[Service]:
    """All of a search, a few thousand in memory at a time, with phones and the first address: for a file."""
    parts = found.prefetch_related("phones", "cost_options", "schedules", "service_at_locations__location__addresses")
    return parts.iterator(chunk_size=2_000)


def who_may_refer(service: Service) -> dict[str, str]:
    """Codes and names of those from whom it has said that it takes people; empty when it has not said."""
    said = service.criteria.filter(term__taxonomy__slug=REFERRAL_SOURCE).exclude(rule=EligibilityCriterion.Rule.EXCLUDED)
    return dict(said.order_by("term__bit", "term__name").values_list("term__code", "term__name"))
