"""Codes that eligibility is decided on: which diagnosis falls under which, and where a practice belongs.

A code is `system|code`: `snomed|44054006`, `nice|NG28`, `practice|P81001`, `pcn|U12345`, `icb|QE1`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.models import EligibilityCriterion, Organization, Practice, RegistrationCriterion, Service, TaxonomyTerm
from catalogue.models.taxonomy import CONDITION
from core.errors import Invalid

#: How far up and down the tree of diagnoses is walked; no branch is as long.
_DEEPEST = 12


def condition_terms() -> QuerySet[TaxonomyTerm]:
    """Diagnoses and guidelines to choose from, under their headings."""
    return TaxonomyTerm.objects.filter(taxonomy__slug=CONDITION, retired_at=None).order_by("group", "name", "code")


def condition_chains(codes: Iterable[str]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """For each code, itself and all that it falls under; and all that falls under any of them, which a person may have too.

    Raises `Invalid` for a code that is not in the list. A term that was merged stands for the one that replaced it.
    """
    wanted = list(dict.fromkeys(codes))
    if not wanted:
        return (), ()
    rows = list(TaxonomyTerm.objects.filter(taxonomy__slug=CONDITION).values_list("pk", "code", "parent_id", "replaced_by_id"))
    parents = {pk: parent for pk, _, parent, _ in rows}
    names = {pk: code for pk, code, _, _ in rows}
    ids = {code: replacement if replacement in names else pk for pk, code, _, replacement in rows}
    for code in wanted:
        if code not in ids:
            raise Invalid(
                f"“{code}” is not a diagnosis or guideline that we know. Use codes of the taxonomy “{CONDITION}”.", field="conditions"
            )
    chains = tuple(tuple(names[pk] for pk in _upwards(ids[code], parents)) for code in wanted)
    own = {ids[code] for code in wanted}
    over = {code for chain in chains for code in chain}
    under = {names[pk] for pk in names if own & set(_upwards(pk, parents))}
    return chains, tuple(sorted(under - over))


def names_of(codes: Collection[str]) -> Mapping[str, str]:
    """The names of diagnoses, guidelines, practices, networks and boards, for sentences."""
    if not codes:
        return {}
    names = dict(TaxonomyTerm.objects.filter(taxonomy__slug=CONDITION, code__in=codes).values_list("code", "name"))
    tokens = [code.partition("|") for code in codes if code not in names]
    if tokens:
        named = RegistrationCriterion.objects.filter(code__in=[code for _, _, code in tokens]).order_by("pk")
        names |= {row.token: row.name for row in named if row.token in codes}
    return names


def find_practice(text: str) -> Practice:
    """The practice with this ODS code, or the only one whose name has these words. Raises `Invalid` with words that say what to type."""
    text = " ".join(text.split())
    known = Practice.objects.select_related("organization").filter(organization__is_confidential=False)
    exact = known.filter(organization__ods_code=text.upper()).first()
    if exact is not None:
        return exact
    named = known.filter(organization__ods_code__isnull=False)
    for word in text.split():
        named = named.filter(organization__name__icontains=word)
    found = list(named.order_by("organization__name")[:6]) if len(text) > 2 else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise Invalid(f"We do not know the practice “{text}”. Give its name or its code, like P81001.", field="practice")
    if same := [practice for practice in found if practice.organization.name.lower() == text.lower()]:
        found = same
        if len(found) == 1:
            return found[0]
    listed = ", ".join(f"{practice.organization.name} ({practice.organization.ods_code})" for practice in found[:5])
    raise Invalid(
        f"More than one practice has that name: {listed}{' and more' if len(found) > 5 else ''}. Give the code.", field="practice"
    )


def registrations_of(practice_code: str) -> tuple[str, ...]:
    """Where somebody belongs who is registered with a practice: it, its network, its board. Empty when the practice is not known."""
    practice = Practice.objects.filter(organization__ods_code=practice_code).first() if practice_code else None
    if practice is None:
        return (f"practice|{practice_code}",) if practice_code else ()
    places = (("practice", practice_code), ("pcn", practice.pcn_code), ("icb", practice.icb_code))
    return tuple(f"{kind}|{code}" for kind, code in places if code)


def taking_condition(services: QuerySet[Service], code: str) -> Any:
    """Those of `services` that say they take people with this diagnosis or guideline, by it or by one that it falls under."""
    chains, _ = condition_chains([code])
    said = EligibilityCriterion.objects.filter(
        ~Q(rule=EligibilityCriterion.Rule.EXCLUDED), service=OuterRef("pk"), term__taxonomy__slug=CONDITION, term__code__in=chains[0]
    )
    return services.filter(Exists(said))


def practices() -> QuerySet[Organization]:
    """Practices that have a code, by name."""
    return Organization.objects.filter(practice__isnull=False, ods_code__isnull=False, is_confidential=False).order_by("name", "pk")


def _upwards(pk: Any, parents: Mapping[Any, Any]) -> list[Any]:
    """A term and what it falls under, from the bottom up."""
    chain: list[Any] = []
    while pk in parents and pk not in chain and len(chain) < _DEEPEST:
        chain.append(pk)
        pk = parents[pk]
    return chain
