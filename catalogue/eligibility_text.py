"""Who a service is for, in sentences made from the same fields that matching decides on, so that they cannot disagree.

Each sentence says one of matching's rules: what it is made from is what the ranking is decided by, and a test with random criteria holds
the two against each other.
"""

from collections import defaultdict
from collections.abc import Iterable

from catalogue.models import Eligibility, EligibilityCriterion, RegistrationCriterion, Service, ServiceArea, TaxonomyTerm
from catalogue.models.taxonomy import CONDITION, FUNDING, LANGUAGE, NEED, REFERRAL_SOURCE
from core.geo import METRES_PER_MILE

_RULE = EligibilityCriterion.Rule
_TAKEN = (_RULE.ACCEPTS, _RULE.REQUIRED, _RULE.PREFERRED)
#: Taxonomy, rules, words. Of several required needs all must be so of a person; of several required diagnoses, or of a list, one.
_SENTENCES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (NEED, (_RULE.REQUIRED,), "Only takes people with these needs"),
    (NEED, (_RULE.ACCEPTS,), "Can meet"),
    (NEED, (_RULE.PREFERRED,), "Takes first people with these needs"),
    (NEED, (_RULE.EXCLUDED,), "Cannot take people with these needs"),
    (CONDITION, (_RULE.REQUIRED,), "Only takes people with at least one of these diagnoses or guidelines"),
    (CONDITION, (_RULE.ACCEPTS,), "Takes people with these diagnoses or guidelines"),
    (CONDITION, (_RULE.PREFERRED,), "Takes first people with these diagnoses or guidelines"),
    (CONDITION, (_RULE.EXCLUDED,), "Cannot take people with these diagnoses or guidelines"),
    (FUNDING, (_RULE.REQUIRED,), "Only takes people paid for by"),
    (FUNDING, _TAKEN, "Paid for by"),
    (FUNDING, (_RULE.PREFERRED,), "Takes first those paid for by"),
    (FUNDING, (_RULE.EXCLUDED,), "Not paid for by"),
    (LANGUAGE, (_RULE.REQUIRED,), "Only takes people who speak"),
    (LANGUAGE, _TAKEN, "Languages"),
    (LANGUAGE, (_RULE.PREFERRED,), "Takes first those who speak"),
    (LANGUAGE, (_RULE.EXCLUDED,), "Cannot work in"),
    (REFERRAL_SOURCE, (_RULE.REQUIRED,), "Only takes people referred by"),
    (REFERRAL_SOURCE, _TAKEN, "Takes referrals from"),
    (REFERRAL_SOURCE, (_RULE.PREFERRED,), "Takes first referrals from"),
    (REFERRAL_SOURCE, (_RULE.EXCLUDED,), "Takes no referrals from"),
)
_LIVING = (
    (ServiceArea.Rule.REQUIRED, "Only takes people who live in"),
    (ServiceArea.Rule.PREFERRED, "Takes first people who live in"),
    (ServiceArea.Rule.EXCLUDED, "Cannot take people who live in"),
)
_REGISTERED = (
    (RegistrationCriterion.Rule.REQUIRED, "Only takes people registered with"),
    (RegistrationCriterion.Rule.PREFERRED, "Takes first people registered with"),
    (RegistrationCriterion.Rule.EXCLUDED, "Cannot take people registered with"),
)
#: What is listed as not said when nothing but refusals, or nothing at all, was said of it.
_ASKED = ((NEED, "which needs it can meet"), (FUNDING, "who pays"), (LANGUAGE, "languages"), (REFERRAL_SOURCE, "who may refer"))


def eligibility_sentences(service: Service) -> list[str]:
    """Plain sentences about one service, with where people must live or be registered and what it costs; see `sentences_of`."""
    areas = service.service_areas.select_related("area").order_by("name", "pk")
    return [
        *living_sentences((area.rule, area.name or (area.area.name if area.area else "")) for area in areas),
        *_reach(service),
        *sentences_of(
            Eligibility.objects.filter(service=service).first(),
            service.criteria.select_related("term__taxonomy"),
            service.registrations.all(),
            marked=True,
        ),
    ]


def sentences_of(
    eligibility: Eligibility | None,
    stated: Iterable[EligibilityCriterion],
    registrations: Iterable[RegistrationCriterion] = (),
    *,
    marked: bool = False,
) -> list[str]:
    """Plain sentences: ages, sex, needs and diagnoses taken and not, where registered, who pays, languages, who may refer; last, what was
    not said.

    Silence is never turned into a yes or a no: an unstated age is listed as not said. Reads no more than it is given, when the criteria
    come with their terms and taxonomies: a feed makes a hundred thousand of these. `marked` says behind a term that it is no longer used or
    that no clinician has checked its code.
    """
    said: dict[tuple[str, str], list[EligibilityCriterion]] = defaultdict(list)
    for criterion in sorted(stated, key=lambda c: (c.term.bit is None, c.term.bit or 0, c.term.name)):
        said[criterion.term.taxonomy.slug, criterion.rule].append(criterion)

    ages, sex = _ages(eligibility), _sex(eligibility)
    sentences = [sentence for sentence in (ages, sex) if sentence]
    for slug, rules, words in _SENTENCES:
        if slug == FUNDING and rules == (_RULE.REQUIRED,):
            sentences += _registered(registrations)
        if rules is _TAKEN and not (said[slug, _RULE.ACCEPTS] or said[slug, _RULE.PREFERRED]):
            continue  # nothing more than the sentence before says
        if named := [c.term for rule in rules for c in said[slug, rule]]:
            ordered = sorted(named, key=lambda term: (term.bit is None, term.bit or 0, term.name))
            names = [term.name + (_mark(term) if marked else "") for term in ordered]
            # Diagnoses keep their capitals: half of them are names and abbreviations.
            sentences.append(f"{words}: {', '.join(names) if slug == CONDITION else _listed(names)}.")
    if eligibility and eligibility.notes:
        sentences.append(eligibility.notes if eligibility.notes.endswith((".", "!", "?")) else f"{eligibility.notes}.")

    unsaid = [] if ages else ["ages"]
    for slug, words in _ASKED:
        taken = any(said[slug, rule] for rule in _RULE.values if slug == NEED or rule != _RULE.EXCLUDED)
        unsaid += [] if taken else [words]
    if unsaid:
        sentences.append(f"Not said: {', '.join(unsaid)}.")
    return sentences


def living_sentences(areas: Iterable[tuple[str, str]]) -> list[str]:
    """Where people must live, go first, or may not live, from the rules and names of areas."""
    by_rule: dict[str, list[str]] = defaultdict(list)
    for rule, name in areas:
        by_rule[rule].append(name or "an area on its map")
    return [f"{words}: {', '.join(dict.fromkeys(by_rule[rule]))}." for rule, words in _LIVING if by_rule[rule]]


def _reach(service: Service) -> list[str]:
    """How far off people may live, and the price: matching decides on them too."""
    sentences = []
    if service.catchment_m is not None:
        sentences.append(f"Only takes people who live within {_miles(service.catchment_m)}.")
    if service.price_week is not None:
        pounds = f"{service.price_week:,.2f}".removesuffix(".00")
        sentences.append(f"Usually £{pounds} a week." if service.price_week else "Free.")
    return sentences


def _miles(metres: int) -> str:
    text = f"{metres / METRES_PER_MILE:,.1f}"
    return f"{text} mile" if text == "1.0" else f"{text} miles"


def _registered(registrations: Iterable[RegistrationCriterion]) -> list[str]:
    by_rule: dict[str, list[str]] = defaultdict(list)
    for registration in registrations:
        by_rule[registration.rule].append(registration.name)
    return [f"{words}: {', '.join(sorted(by_rule[rule]))}." for rule, words in _REGISTERED if by_rule[rule]]


def _sex(eligibility: Eligibility | None) -> str:
    if eligibility is None or not eligibility.sex:
        return ""
    if eligibility.sex == Eligibility.Sex.ANY:
        return "People of any sex."
    reason = eligibility.get_sex_reason_display()
    return f"{eligibility.get_sex_display()}: {reason}." if reason else f"{eligibility.get_sex_display()}."


def _ages(eligibility: Eligibility | None) -> str:
    lowest = eligibility.minimum_age if eligibility else None
    highest = eligibility.maximum_age if eligibility else None
    if lowest is not None and highest is not None:
        return f"Ages {lowest} to {highest}."
    if lowest is not None:
        return f"Ages {lowest} and over." if lowest else "All ages."
    if highest is not None:
        return f"Ages up to {highest}."
    return ""


def _mark(term: TaxonomyTerm) -> str:
    if term.retired_at is not None:
        return " (a word that is no longer used)"
    return " (code not yet checked by a clinician)" if term.unconfirmed else ""


def _listed(names: Iterable[str]) -> str:
    """Names in a row; a capital that only begins a heading becomes small, abbreviations and proper names stay."""
    return ", ".join(_in_a_sentence(name) for name in names)


def _in_a_sentence(name: str) -> str:
    first = name.split(" ")[0].rstrip(",.;:")
    is_an_abbreviation = len(first) > 1 and first.isupper()
    return name if is_an_abbreviation or first in _PROPER else name[:1].lower() + name[1:]


_PROPER = frozenset({"Parkinson's", "English", "Urdu", "Punjabi", "Gujarati", "Polish", "Romanian", "Bengali", "Arabic", "British"})
