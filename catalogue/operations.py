"""What people do with the catalogue. Each function is one transaction: lock, check, change, publish."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from catalogue.assurance import assurer, mark_assured
from catalogue.entry.content import ELIGIBILITY, FIELDS
from catalogue.entry.rows import ROWS, write_rows
from catalogue.models import Eligibility, Service, TaxonomyTerm, User
from catalogue.models.taxonomy import CARE_TYPE
from core.errors import Invalid, NotAllowed, NotFound
from core.events import publish

#: What a provider may correct in its own services.
PROVIDER_FIELDS = frozenset(
    {"name", "alternate_name", "description", "url", "email", "status", "catchment_m", "price_week", "eligibility", "needs", *ROWS}
)
#: What a curator may correct in any service.
CURATOR_FIELDS = PROVIDER_FIELDS | {"care_type", "is_confidential", "is_internal"}
_ELIGIBILITY_FIELDS = frozenset(ELIGIBILITY)


@transaction.atomic
def edit_service(*, service_id: UUID, by: User, at: datetime, **fields: Any) -> Service:
    """Correct a service's record. Whoever corrects it has looked at it, so it counts as checked today.

    `fields` are those of `Service`, and further: `care_type`, a code; `eligibility`, a mapping of some of minimum_age, maximum_age, sex,
    sex_reason and notes; and rows, by their field in `catalogue.entry.content` and as it has them, such as `schedules` or `needs`, codes
    with their rules (`EligibilityCriterion.Rule`), where one that is left out becomes "not said".

    What is corrected here, an import leaves alone. Raises NotFound, NotAllowed, or Invalid with `errors` by field.
    """
    service = _lock(service_id, by)
    allowed = PROVIDER_FIELDS if by.is_provider else CURATOR_FIELDS
    if refused := sorted(fields.keys() - allowed):
        raise NotAllowed(f"You cannot change: {', '.join(refused)}. Ask a curator of the directory.")
    eligibility = fields.pop("eligibility", None)
    rows = {name: fields.pop(name) for name in sorted(fields.keys() & ROWS)}
    if "care_type" in fields:
        fields["care_type"] = care_type(fields["care_type"])
    decided = {name for name, value in fields.items() if getattr(service, name) != value} | {FIELDS[name].column for name in rows}
    service.kept_fields = sorted({*service.kept_fields, *decided, *(["eligibility"] if _differs(service, eligibility) else [])})
    for name, value in fields.items():
        setattr(service, name, value)
    mark_assured(service, by_name=assurer(by), at=at)
    save(service)
    if eligibility is not None:
        _set_eligibility(service, eligibility)
    write_rows(service, rows)
    announce(service)
    return service


@transaction.atomic
def assure(*, service_id: UUID, by: User, at: datetime) -> Service:
    """Say that a record has been looked at and is right as it stands."""
    service = _lock(service_id, by)
    mark_assured(service, by_name=assurer(by), at=at)
    service.save(update_fields=["assured_date", "assured_by", "modified_at"])
    announce(service)
    return service


def _lock(service_id: UUID, by: User) -> Service:
    seen = Service.objects.visible_to(by).filter(pk=service_id) | Service.objects.owned_by(by).filter(pk=service_id)
    service = seen.select_for_update(of=("self",), no_key=True).first()
    if service is None:
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    mine = by.is_provider and service.organization_id == by.organization_id
    if not (mine or by.is_curator or by.is_administrator):
        raise NotAllowed("Only its provider or a curator of the directory can change this service.")
    return service


def care_type(code: str | None) -> TaxonomyTerm | None:
    """The kind of care with this code; None for no code. Raises Invalid for one that the vocabulary has not."""
    if not code:
        return None
    term = TaxonomyTerm.objects.of(CARE_TYPE).select_related("replaced_by").filter(code=code).first()
    if term is None:
        raise Invalid(
            "That is not a kind of care in the vocabulary. Choose one from the list.", errors={"care_type": ["Choose one from the list."]}
        )
    return term.replaced_by or term


def save(instance: Any) -> None:
    """Save after the model's own rules are kept; `Invalid` names each field that breaks one."""
    try:
        instance.full_clean()
    except ValidationError as error:
        raise Invalid("Some of this cannot be saved. Correct it and try again.", errors=error.message_dict) from error
    instance.save()


def _differs(service: Service, eligibility: Mapping[str, Any] | None) -> bool:
    said = Eligibility.objects.filter(service=service).first() or Eligibility(service=service)
    return any(getattr(said, name, None) != value for name, value in (eligibility or {}).items())


def _set_eligibility(service: Service, values: Mapping[str, Any]) -> None:
    if refused := sorted(values.keys() - _ELIGIBILITY_FIELDS):
        raise Invalid(f"Eligibility has no {', '.join(refused)}.")
    eligibility = Eligibility.objects.filter(service=service).first() or Eligibility(service=service)
    for name, value in values.items():
        setattr(eligibility, name, value)
    save(eligibility)


def announce(service: Service) -> None:
    """Tell screens that a service changed; to be called in the transaction that changed it."""
    publish("service.changed", topics=[f"service:{service.pk}", f"org:{service.organization_id}"], data={"service": str(service.pk)})
