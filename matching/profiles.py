"""From what somebody typed to a stored need profile, and from that to the integers of the engine."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError

from catalogue import criteria, marks, vocabulary
from catalogue.currency import ASSURANCE_LASTS
from catalogue.lexicon import Lexicon
from catalogue.models import User
from catalogue.queries import areas_at, areas_at_each, find_place
from core import clock
from core.errors import Invalid, NotAllowed
from core.geo import METRES_PER_MILE
from matching.engine import journey, likelihood
from matching.engine import times as week
from matching.engine.problem import FEMALE, MALE, SEX_OTHER, SEX_UNKNOWN, Need
from matching.models import NeedProfile, Pathway
from matching.packages import MOST_PARTS

_NOTHING: Mapping[str, Any] = MappingProxyType({})
#: A date closer than this many days leaves waiting lists out.
WAITING_LIST_DAYS = 14
#: The farthest that a search may reach, in miles: the length of the country.
MOST_MILES = 600
#: The longest travel time that can be given, in minutes.
MOST_MINUTES = 300
_MODES = {True: journey.CAR, False: journey.PUBLIC, None: journey.NOT_SAID}
_SEXES = {"female": FEMALE, "male": MALE, "other": SEX_OTHER, "unknown": SEX_UNKNOWN}
_LISTS = {
    "care_types": ("care-type", "kind of service"),
    "needs": ("need", "need"),
    "must_haves": ("need", "need"),
    "preferences": ("need", "preference"),
    "languages": ("language", "language"),
    "funding": ("funding", "kind of funding"),
}


def need_of(profile: NeedProfile, *, at: datetime, learned: Mapping[str, Any] = _NOTHING) -> Need:
    """The profile as the engine sees it at the instant `at`, with the areas in which the person lives.

    `learned` is what the set of weights knows of how likely a yes is (`WeightSet.chances`).
    """
    return _need(profile, Lexicon.read(), areas_at(profile.point), at, learned)


def needs_of(profiles: Mapping[UUID, NeedProfile], *, at: datetime, learned: Mapping[str, Any] = _NOTHING) -> dict[UUID, Need]:
    """The same for many, whatever they are known by. A profile of which a word is no longer known is left out."""
    lexicon, needs = Lexicon.read(), {}
    areas = areas_at_each([profile.point for profile in profiles.values()])
    for (key, profile), lives_in in zip(profiles.items(), areas, strict=True):
        with suppress(Invalid, KeyError):
            needs[key] = _need(profile, lexicon, lives_in, at, learned)
    return needs


def _need(profile: NeedProfile, lexicon: Lexicon, areas: Sequence[int], at: datetime, learned: Mapping[str, Any]) -> Need:
    mask = lexicon.mask
    must_haves = mask("need", profile.must_haves)
    today = clock.local_date(at)
    chains, under = criteria.condition_chains(profile.conditions)
    interests = lexicon.of_group("need", vocabulary.INTERESTS)
    liked = mask("need", profile.preferences)
    days = None if profile.needed_by is None else (profile.needed_by - today).days
    return Need(
        age=profile.age,
        sex=_SEXES[profile.sex],
        x=round(profile.point.x),
        y=round(profile.point.y),
        care_types=mask("care-type", profile.care_types),
        needs=mask("need", profile.needs) & ~must_haves,
        must_haves=must_haves,
        preferences=liked & ~interests,
        languages=mask("language", profile.languages),
        funding=mask("funding", profile.funding),
        source=mask("referral-source", [profile.referral_source] if profile.referral_source else []),
        budget_pence=None if profile.budget_week is None else int(profile.budget_week * 100),
        max_distance_m=profile.max_distance_m,
        areas=tuple(areas),
        joins_lists=days is None or days > WAITING_LIST_DAYS,
        days=days,
        today=today.toordinal(),
        checked_for_days=ASSURANCE_LASTS.days,
        conditions=chains,
        conditions_under=under,
        registered=criteria.registrations_of(profile.practice),
        marks=marks.wishes_mask(profile.marks),
        travels=vocabulary.TRAVELLED_TO if profile.drives is False else 0,
        brings=mask("need", vocabulary.SAVES_A_JOURNEY),
        mode=_MODES[profile.drives],
        paces=settings.TRAVEL_PACES,
        max_minutes=profile.max_minutes,
        comes=vocabulary.COMES_TO_PEOPLE,
        visits=mask("need", vocabulary.VISITS),
        interests=liked & interests,
        times=week.mask(profile.times),
        chances=likelihood.packed(learned, today.weekday()),
    )


def with_changes(profile: NeedProfile, *, by: User, at: datetime, **changes: Any) -> NeedProfile:
    """The same need with changes, not saved yet: what was searched for and sent before stays as it was."""
    kept = {field.attname: getattr(profile, field.attname) for field in NeedProfile._meta.concrete_fields if not field.primary_key}
    return NeedProfile(**(kept | {"created_by_id": by.pk, "created_at": at} | changes))


def profile_from(data: Mapping[str, Any], *, by: User) -> NeedProfile:
    """Store a need profile for `by`'s organisation.

    Keys: `age` and `postcode` (or its first half) and `care_types` must be given; `sex`, `needs`, `must_haves`,
    `preferences`, `languages`, `funding` (lists of codes of the vocabulary), `referral_source`, `budget_week` (pounds),
    `max_miles`, `max_minutes`, `drives`, `times` (days like MO, parts of the day like evening), `pathway`, `needed_by` (a date),
    `conditions` (codes like `snomed|44054006`), `carried_only` (list only services that say they take one of these), `practice` (ODS code
    or name), `marks` (codes of `catalogue.marks.WISHES`), `activation_level` (1 to 4) and `all_wanted` (one of each kind) may be.
    Raises NotAllowed, and Invalid with `field` when something is not understood.
    """
    if not by.is_referrer or by.organization_id is None:
        raise NotAllowed("Only referrers can search for a place. Ask your administrator if that is your work.")
    found = find_place(str(data.get("postcode") or ""))
    lexicon = Lexicon.read()
    lists = {field: _codes(lexicon, data.get(field) or (), taxonomy, noun, field) for field, (taxonomy, noun) in _LISTS.items()}
    if not lists["care_types"]:
        raise Invalid("Choose at least one kind of service.", field="care_types")
    if data.get("all_wanted") and len(lists["care_types"]) > MOST_PARTS:
        raise Invalid(f"Choose at most {MOST_PARTS} kinds of service when all of them are wanted.", field="care_types")
    source = data.get("referral_source") or ""
    if source:
        [source] = _codes(lexicon, [source], "referral-source", "source of referrals", "referral_source")
    conditions = _list(data.get("conditions") or (), "conditions")
    criteria.condition_chains(conditions)
    practice = str(data.get("practice") or "").strip()
    profile = NeedProfile(
        organization_id=by.organization_id,
        created_by=by,
        age=_whole(data.get("age"), 0, 125, "age", "Give an age in whole years, from 0 to 125."),
        sex=_choice(data.get("sex") or "unknown", _SEXES, "sex"),
        outcode=found.outcode,
        point=found.point,
        place_is_approximate=found.approximate,
        referral_source=source,
        budget_week=_budget(data.get("budget_week")),
        max_distance_m=_distance(data.get("max_miles")),
        max_minutes=_minutes(data.get("max_minutes")),
        times=_times(data.get("times") or ()),
        pathway=_choice(data["pathway"], Pathway.values, "pathway") if data.get("pathway") else "",
        drives=data.get("drives"),
        needed_by=_date(data.get("needed_by")),
        conditions=conditions,
        practice=criteria.find_practice(practice).organization.ods_code or "" if practice else "",
        marks=_marks(data.get("marks") or ()),
        activation_level=_level(data.get("activation_level")),
        all_wanted=bool(data.get("all_wanted")),
        carried_only=bool(data.get("carried_only")) and bool(conditions),
        **lists,
    )
    try:
        # Who asks is known, and what the constraints say was said above: no questions to the database for that.
        profile.clean_fields(exclude={"organization", "created_by"})
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(messages[0], field=field) from None
    profile.save()
    return profile


def _codes(lexicon: Lexicon, values: Iterable[str], taxonomy: str, noun: str, field: str) -> list[str]:
    values = _list(values, field)
    for value in values:
        if not lexicon.knows(taxonomy, value):
            raise Invalid(f"“{value}” is not a {noun} that we know. Use codes of the taxonomy “{taxonomy}”.", field=field)
    return list(dict.fromkeys(lexicon.kept(taxonomy, value) for value in values))


def _list(values: Iterable[str], field: str) -> list[str]:
    if isinstance(values, str):
        raise Invalid(f"Send a list of codes for {field}.", field=field)
    return list(dict.fromkeys(values))


def _marks(values: Iterable[str]) -> list[str]:
    known = dict(marks.WISHES)
    values = _list(values, "marks")
    for value in values:
        if value not in known:
            raise Invalid(f"“{value}” is not a mark of quality that we know. Use one of: {', '.join(known)}.", field="marks")
    return values


def _times(values: Iterable[str]) -> list[str]:
    values = _list(values, "times")
    for value in values:
        if value not in (*week.DAYS, *week.PARTS):
            raise Invalid(f"“{value}” is not a time that we know. Use any of: {', '.join((*week.DAYS, *week.PARTS))}.", field="times")
    return values


def _minutes(value: Any) -> int | None:
    message = f"Give the longest travel time in whole minutes, from 1 to {MOST_MINUTES}."
    return None if value is None or value == "" else _whole(value, 1, MOST_MINUTES, "max_minutes", message)


def _level(value: Any) -> int | None:
    message = "Give the activation level as a number from 1 to 4."
    return None if value is None or value == "" else _whole(value, 1, 4, "activation_level", message)


def _choice(value: Any, known: Iterable[str], field: str) -> str:
    if value not in known:
        raise Invalid(f"“{value}” is not an answer for {field}. Use one of: {', '.join(known)}.", field=field)
    return str(value)


def _whole(value: Any, low: int, high: int, field: str, message: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise Invalid(message, field=field) from None
    if not low <= number <= high:
        raise Invalid(message, field=field)
    return number


def _budget(value: Any) -> Decimal | None:
    message = "Give the weekly budget in pounds, like 950 or 950.50."
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise Invalid(message, field="budget_week") from None
    if not amount.is_finite() or not 0 <= amount < 1_000_000:
        raise Invalid(message, field="budget_week")
    return amount.quantize(Decimal("0.01"))


def _distance(value: Any) -> int:
    message = f"Give the farthest distance in miles, from 0.1 to {MOST_MILES}."
    if value is None or value == "":
        return NeedProfile._meta.get_field("max_distance_m").get_default()
    try:
        miles = float(value)
    except (TypeError, ValueError):
        raise Invalid(message, field="max_miles") from None
    if not 0.1 <= miles <= MOST_MILES:
        raise Invalid(message, field="max_miles")
    return round(miles * METRES_PER_MILE)


def _date(value: Any) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Invalid("Give the date needed like 2026-12-31.", field="needed_by") from None
