"""Questions about the catalogue that take more than one table."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from catalogue.models import Address, Area, EligibilityCriterion, Location, Outcode, Postcode, Service, TaxonomyTerm
from catalogue.models.service import ServiceQuerySet
from catalogue.models.taxonomy import CARE_TYPE, NEED
from core.errors import Invalid
from core.geo import normal_postcode
from core.geo import outcode as outcode_of

#: Words that say nothing about which service is meant.
_EMPTY_WORDS = frozenset(
    {"a", "an", "and", "at", "for", "from", "in", "me", "my", "near", "of", "or", "someone", "the", "to", "with", "who"}
)

#: Of places: neither the service that is there nor its organisation is confidential. Used beside a condition on that same service.
_FOUND_BY_ANYBODY = Q(
    service_at_locations__service__is_confidential=False, service_at_locations__service__organization__is_confidential=False
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody lives, as well as it is known."""

    point: Point
    """In British National Grid metres."""
    outcode: str
    postcode: str
    """Empty when only the first half was given."""
    approximate: bool
    """True when the point is the outcode's centre, perhaps some miles off."""


def find_place(text: str) -> Place:
    """Find a postcode, or else the centre of its first half.

    Raises `Invalid` (`postcode-form` or `postcode-unknown`) with words that say what to type instead.
    """
    code = outcode_of(text)
    if code is None:
        raise Invalid("That is not a postcode. Enter one like PR1 2HE, or its first half, like PR1.", code="postcode-form")
    full = normal_postcode(text) or ""
    if full:
        exact = Postcode.objects.filter(pk=full).first()
        if exact is not None:
            return Place(point=exact.point, outcode=code, postcode=full, approximate=False)
    point = Outcode.objects.filter(pk=code).values_list("point", flat=True).first()
    if point is None:
        raise Invalid(
            f"We do not know the postcode {full or code}. Check it, or use a postcode nearby.",
            code="postcode-unknown",
        )
    return Place(point=point, outcode=code, postcode=full, approximate=True)


def areas_at(point: Point) -> list[int]:
    """Ids of the areas whose outline holds this point, lowest first."""
    return list(Area.objects.filter(outline__covers=point).order_by("pk").values_list("pk", flat=True))


def shown_places(service: Service) -> QuerySet[Location]:
    """Where a service is, with addresses and without the places that must not be found."""
    shown = Location.objects.filter(_FOUND_BY_ANYBODY, service_at_locations__service=service, is_confidential=False)
    return shown.prefetch_related("addresses")


def terms_in_use(taxonomy: str = "") -> QuerySet[TaxonomyTerm]:
    """Terms that are not retired, of one taxonomy by its slug or of all, in the order in which forms show them."""
    terms = TaxonomyTerm.objects.filter(retired_at=None).select_related("taxonomy")
    return (terms.filter(taxonomy__slug=taxonomy) if taxonomy else terms).order_by("taxonomy__slug", "bit", "name", "pk")


def search_services(
    user: Any,
    *,
    text: str = "",
    care_type: str = "",
    near: Point | None = None,
    within_m: float | None = None,
    status: str = "",
) -> QuerySet[Service]:
    """Services that `user` may see and that answer a search, best first.

    Every word of `text` must be answered by the name, the organisation, the town, the kind of care or a need it can meet, in the
    words people use for them ("meals on wheels"); slips of spelling are forgiven.

    With `near`, each service has `distance_m`, metres to its closest place (None: not placed), and the closest come first;
    `within_m` leaves out those further off, or not placed. Confidential places are never measured.
    """
    found = Service.objects.visible_to(user).select_related("organization", "care_type")
    if status:
        found = found.filter(status=status)
    if care_type:
        found = found.filter(care_type__code=care_type, care_type__taxonomy__slug=CARE_TYPE)
    order: list[Any] = []
    if text.strip():
        found = _matching(found, text.strip())
        order.append(F("likeness").desc())
    if near is not None:
        places = Location.objects.filter(
            _FOUND_BY_ANYBODY, service_at_locations__service=OuterRef("pk"), point__isnull=False, is_confidential=False
        )
        nearest = places.annotate(away=Distance("point", near)).order_by("away").values("away")[:1]
        found = found.annotate(distance_m=Subquery(nearest, output_field=FloatField()))
        if within_m is not None:
            found = found.filter(Exists(places.filter(point__dwithin=(near, within_m))))
        order.insert(0, F("distance_m").asc(nulls_last=True))
    return found.order_by(*order, "name", "pk")


def _matching(found: ServiceQuerySet, text: str) -> ServiceQuerySet:
    words, meant = _words(text)
    for word in words:
        towns = Address.objects.filter(
            location__service_at_locations__service=OuterRef("pk"),
            location__service_at_locations__service__is_confidential=False,
            location__service_at_locations__service__organization__is_confidential=False,
            location__is_confidential=False,
            city__iexact=word,
        )
        answered = (
            Q(name__icontains=word)
            | Q(alternate_name__icontains=word)
            | Q(organization__name__icontains=word)
            | Q(name__trigram_word_similar=word)
            | Q(organization__name__trigram_word_similar=word)
            | Q(Exists(towns))
        )
        if ids := meant[word]:
            needs = EligibilityCriterion.objects.filter(service=OuterRef("pk"), term__in=ids).exclude(
                rule=EligibilityCriterion.Rule.EXCLUDED
            )
            answered |= Q(care_type__in=ids) | Q(Exists(needs))
        found = found.filter(answered)
    return found.annotate(likeness=Greatest(TrigramWordSimilarity(text, "name"), TrigramWordSimilarity(text, "organization__name")))


def _words(text: str) -> tuple[list[str], dict[str, set[UUID]]]:
    """The words of a search, phrases of the vocabulary kept whole, and the terms that each may mean."""
    labels = [
        (_plain(label), term.pk)
        for term in TaxonomyTerm.objects.filter(taxonomy__slug__in=[CARE_TYPE, NEED])
        for label in (term.name, *term.synonyms)
    ]
    rest = _plain(text)
    words: list[str] = []
    for label in sorted({label for label, _ in labels}, key=len, reverse=True):
        whole = re.compile(rf"\b{re.escape(label)}s?\b")
        if whole.search(rest):
            words.append(label)
            rest = whole.sub(" ", rest)
    words += [word for word in rest.split() if word not in _EMPTY_WORDS]
    meant: dict[str, set[UUID]] = {}
    for word in words:
        part = re.compile(rf"\b{re.escape(word.rstrip('s'))}s?\b")
        meant[word] = {term_id for label, term_id in labels if part.search(label)} if len(word) > 2 else set()
        if not meant[word] and len(word) > 4:  # a slip of spelling: "befreinding"
            alike = set(get_close_matches(word, {w for label, _ in labels for w in label.split()}, n=3, cutoff=0.8))
            meant[word] = {term_id for label, term_id in labels if alike & set(label.split())}
    return words, meant


def _plain(text: str) -> str:
    """Small letters, and a space for everything that is not of a word."""
    return re.sub(r"[^\w']+", " ", text.lower()).strip()
