"""Setting up places: what a provider counts, what it calls them, and whom they are for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from capacity import limits, operations, sessions
from capacity.kinds import kind_of, units_of
from capacity.models import Per, ServiceCapacity
from capacity.recording import tell
from catalogue.models import Service, TaxonomyTerm, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound

#: What is set up, apart from figures.
SET_UP = ("name", "unit", "bed_type", "for_sex", "per", "schedule")
_CONTRADICTS = {"female": "women", "male": "men"}


@transaction.atomic
def add(*, service_id: UUID, by: User, at: datetime, maximum: int | None = None, **set_up: Any) -> ServiceCapacity:
    """A new pool of one of the provider's services. Nothing is free in it until somebody says so, but in each new session all places are.

    `set_up` holds the fields of `SET_UP` and of `limits.SET_UP`. Raises NotFound, NotAllowed, Invalid (with `field`) and Conflict.
    """
    service = Service.objects.select_related("care_type").filter(pk=service_id, merged_into=None).first()
    if service is None:
        raise NotFound("That service is no longer listed. Load the page again.")
    if not by.is_provider or service.organization_id != by.organization_id:
        raise NotAllowed("Only those who run a service set up its places.")
    if service.care_type is None:
        raise Invalid("Say in the service’s entry first what kind of service it is.")
    pool = ServiceCapacity(service=service, care_type=service.care_type, maximum=maximum)
    at_location = service.service_at_locations.order_by("pk").first()
    pool.location_id = at_location.location_id if at_location else None
    limited = _limits(set_up)
    _set(pool, set_up)
    if pool.makes_sessions and maximum is not None:
        pool.available, pool.reported_at, pool.reported_by, pool.reported_via = maximum, at, by, "web"
    _save(pool)
    limits.put(pool, **limited)
    sessions.make(pool_id=pool.pk, at=at)
    tell(pool, kind="added")
    return pool


@transaction.atomic
def change(*, pool_id: UUID, by: User, at: datetime, **set_up: Any) -> ServiceCapacity:
    """Call places something else, or say again what they are; the coming sessions follow. Raises what `add` raises."""
    pool = operations.lock([pool_id])[pool_id]
    if not by.is_provider or pool.service.organization_id != by.organization_id:
        raise NotAllowed("Only those who run these places say what they are.")
    if pool.session_of_id is not None:
        raise Invalid("This is one session. Change the places of all sessions instead.")
    limited = _limits(set_up)
    _set(pool, set_up)
    _save(pool)
    if limited:
        limits.put(pool, **limited)
    sessions.make(pool_id=pool.pk, at=at)
    tell(pool, kind="changed")
    return pool


def _limits(set_up: dict[str, Any]) -> dict[str, Any]:
    """What of it is kept beside the pool; taken out."""
    return {name: set_up.pop(name) for name in limits.SET_UP if name in set_up}


def _set(pool: ServiceCapacity, set_up: dict[str, Any]) -> None:
    for name, value in set_up.items():
        if name not in SET_UP:
            raise TypeError(f"Places have no {name} to set up.")
        setattr(pool, name, value)
    pool.name = pool.name.strip()
    if not pool.name:
        raise Invalid("Say what people call these places.", field="name")
    care_type = pool.service.care_type
    if pool.unit not in (*units_of(care_type), *units_of(pool.care_type)):
        raise Invalid("Choose what is counted from the list.", field="unit")
    if pool.bed_type and not (kind_of(care_type).has_bed_types or kind_of(pool.care_type).has_bed_types):
        raise Invalid("Only care homes say what type of bed it is.", field="bed_type")
    if pool.bed_type:
        # Matching goes by the care type: a home's dementia beds are found by those who look for such.
        pool.care_type = TaxonomyTerm.objects.filter(taxonomy__slug="care-type", code=f"home-{pool.bed_type}").first() or pool.care_type
    if pool.for_sex and (only := _only(pool.service)) and only != pool.for_sex:
        whom = _CONTRADICTS[only]
        raise Invalid(f"The entry of this service says that it is for {whom} only. Put that right first.", field="for_sex")
    if pool.per != Per.SESSION:
        pool.schedule = None
    elif pool.schedule is None:
        raise Invalid(
            "Choose at which times the sessions are. If there are none, write them in the service’s entry first.", field="schedule"
        )
    elif pool.schedule.service_id != pool.service_id:
        raise Invalid("Choose one of the times of this service.", field="schedule")


def _only(service: Service) -> str:
    """Whom a service takes alone, by its entry: `female`, `male` or nothing."""
    sex = getattr(getattr(service, "eligibility", None), "sex", "")
    return sex if sex in _CONTRADICTS else ""


def _save(pool: ServiceCapacity) -> None:
    try:
        pool.clean_fields(exclude=["service", "location", "care_type", "schedule", "session_of", "reported_by"])
        with transaction.atomic():
            pool.save()
    except ValidationError as error:
        field, texts = next(iter(error.message_dict.items()))
        raise Invalid(" ".join(texts), field=field) from None
    except IntegrityError as error:
        if "pool_once" not in str(error):
            raise
        raise Conflict(
            f"This service already has places called “{pool.name}”. Choose another name.", code="name-taken", field="name"
        ) from None
