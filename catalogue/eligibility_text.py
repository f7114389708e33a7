"""Who a service is for, in sentences made from the same fields that matching decides on, so that they cannot disagree."""

from collections.abc import Iterable

from catalogue.models import Eligibility, EligibilityCriterion, Service
from catalogue.models.taxonomy import FUNDING, LANGUAGE, NEED, REFERRAL_SOURCE

_NEED_RULES = (
    (EligibilityCriterion.Rule.REQUIRED, "Only takes people with"),
    (EligibilityCriterion.Rule.ACCEPTS, "Can meet"),
    (EligibilityCriterion.Rule.PREFERRED, "Takes first people with"),
    (EligibilityCriterion.Rule.EXCLUDED, "Cannot take people with"),
)
_LISTS = ((FUNDING, "Paid for by"), (LANGUAGE, "Languages"), (REFERRAL_SOURCE, "Takes referrals from"))


def eligibility_sentences(service: Service) -> list[str]:
    """Plain sentences about one service; see `sentences_of`."""
    return sentences_of(Eligibility.objects.filter(service=service).first(), service.criteria.select_related("term__taxonomy"))


def sentences_of(eligibility: Eligibility | None, stated: Iterable[EligibilityCriterion]) -> list[str]:
    """Plain sentences: ages, sex, needs met and not met, who pays, languages, who may refer; last, what was not said.

    Silence is never turned into a yes or a no: an unstated age is listed as not said. Reads no more than it is given, when the criteria
    come with their terms and taxonomies: a feed makes a hundred thousand of these.
    """
    criteria = sorted(stated, key=lambda c: (c.term.bit is None, c.term.bit or 0, c.term.name))
    sentences: list[str] = []
    unsaid: list[str] = []

    ages = _ages(eligibility)
    if ages:
        sentences.append(ages)
    else:
        unsaid.append("ages")
    if eligibility and eligibility.sex:
        sentences.append(f"{eligibility.get_sex_display()}.")

    needs = [c for c in criteria if c.term.taxonomy.slug == NEED]
    for rule, words in _NEED_RULES:
        if named := [c.term.name for c in needs if c.rule == rule]:
            sentences.append(f"{words}: {_listed(named)}.")
    if not needs:
        unsaid.append("which needs it can meet")
    for slug, words in _LISTS:
        if named := [c.term.name for c in criteria if c.term.taxonomy.slug == slug]:
            sentences.append(f"{words}: {_listed(named)}.")
        elif slug == FUNDING:
            unsaid.append("who pays")
    if eligibility and eligibility.notes:
        sentences.append(eligibility.notes if eligibility.notes.endswith((".", "!", "?")) else f"{eligibility.notes}.")
    if unsaid:
        sentences.append(f"Not said: {', '.join(unsaid)}.")
    return sentences


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


def _listed(names: Iterable[str]) -> str:
    """Names in a row; a capital that only begins a heading becomes small, abbreviations and proper names stay."""
    return ", ".join(_in_a_sentence(name) for name in names)


def _in_a_sentence(name: str) -> str:
    first = name.split(" ")[0].rstrip(",.;:")
    return name if first.isupper() or first in _PROPER else name[:1].lower() + name[1:]


_PROPER = frozenset({"Parkinson's", "English", "Urdu", "Punjabi", "Gujarati", "Polish", "Romanian", "Bengali", "Arabic", "British"})
