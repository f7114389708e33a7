"""What people do with the catalogue. Each function is one transaction: lock, check, change, publish."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from catalogue.assurance import assurer, mark_assured
from catalogue.models import Eligibility, EligibilityCriterion, Service, TaxonomyTerm, User
from catalogue.models.taxonomy import CARE_TYPE, NEED
from core.errors import Invalid, NotAllowed, NotFound
from core.events import publish

#: What a provider may correct in its own services.
PROVIDER_FIELDS = frozenset(
    {"name", "alternate_name", "description", "url", "email", "status", "catchment_m", "price_week", "eligibility", "needs"}
)
#: What a curator may correct in any service.
CURATOR_FIELDS = PROVIDER_FIELDS | {"care_type", "is_confidential", "is_internal"}
_ELIGIBILITY_FIELDS = frozenset({"minimum_age", "maximum_age", "sex", "notes"})


@transaction.atomic
def edit_service(*, service_id: UUID, by: User, at: datetime, **fields: Any) -> Service:
    """Correct a service's record. Whoever corrects it has looked at it, so it counts as checked today.

    `fields` are those of `Service`, and further: `care_type`, a code; `eligibility`, a mapping of some of minimum_age,
    maximum_age, sex and notes; `needs`, the whole mapping of need codes to rules (`EligibilityCriterion.Rule`), where a need that is
    left out becomes "not said". Raises NotFound, NotAllowed, or Invalid with `errors` by field.
    """
    service = _lock(service_id, by)
    allowed = PROVIDER_FIELDS if by.is_provider else CURATOR_FIELDS
    if refused := sorted(fields.keys() - allowed):
        raise NotAllowed(f"You cannot change: {', '.join(refused)}. Ask a curator of the directory.")
    eligibility, needs = fields.pop("eligibility", None), fields.pop("needs", None)
    if "care_type" in fields:
        fields["care_type"] = _care_type(fields["care_type"])
    for name, value in fields.items():
        setattr(service, name, value)
    mark_assured(service, by_name=assurer(by), at=at)
    _save(service)
    if eligibility is not None:
        _set_eligibility(service, eligibility)
    if needs is not None:
        _set_needs(service, needs)
    _publish(service)
    return service


@transaction.atomic
def assure(*, service_id: UUID, by: User, at: datetime) -> Service:
    """Say that a record has been looked at and is right as it stands."""
    service = _lock(service_id, by)
    mark_assured(service, by_name=assurer(by), at=at)
    service.save(update_fields=["assured_date", "assured_by", "modified_at"])
    _publish(service)
    return service


def _lock(service_id: UUID, by: User) -> Service:
    services = Service.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    service = services.filter(pk=service_id).first()
    if service is None:
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    mine = by.is_provider and service.organization_id == by.organization_id
    if not (mine or by.is_curator or by.is_administrator):
        raise NotAllowed("Only its provider or a curator of the directory can change this service.")
    return service


def _care_type(code: str | None) -> TaxonomyTerm | None:
    if not code:
        return None
    term = TaxonomyTerm.objects.of(CARE_TYPE).filter(code=code).first()
    if term is None:
        raise Invalid(
            "That is not a kind of care in the vocabulary. Choose one from the list.", errors={"care_type": ["Choose one from the list."]}
        )
    return term


def _save(instance: Any) -> None:
    """Save after the model's own rules are kept; `Invalid` names each field that breaks one."""
    try:
        instance.full_clean()
    except ValidationError as error:
        raise Invalid("Some of this cannot be saved. Correct it and try again.", errors=error.message_dict) from error
    instance.save()


def _set_eligibility(service: Service, values: Mapping[str, Any]) -> None:
    if refused := sorted(values.keys() - _ELIGIBILITY_FIELDS):
        raise Invalid(f"Eligibility has no {', '.join(refused)}.")
    eligibility = Eligibility.objects.filter(service=service).first() or Eligibility(service=service)
    for name, value in values.items():
        setattr(eligibility, name, value)
    _save(eligibility)


def _set_needs(service: Service, rules: Mapping[str, str]) -> None:
    terms = {term.code: term for term in TaxonomyTerm.objects.of(NEED)}
    if unknown := sorted(rules.keys() - terms.keys()):
        raise Invalid(f"The vocabulary has no need called {', '.join(unknown)}. Choose from the list.")
    if wrong := sorted(set(rules.values()) - set(EligibilityCriterion.Rule.values)):
        raise Invalid(f"There is no rule called {', '.join(wrong)}.")
    before = {criterion.term_id: criterion for criterion in service.criteria.filter(term__taxonomy__slug=NEED)}
    for code, rule in rules.items():
        criterion = before.pop(terms[code].pk, None) or EligibilityCriterion(service=service, term=terms[code])
        if criterion.rule != rule:
            criterion.rule = rule
            criterion.save()
    for gone in before.values():
        gone.delete()


def _publish(service: Service) -> None:
    publish("service.changed", topics=[f"service:{service.pk}", f"org:{service.organization_id}"], data={"service": str(service.pk)})
