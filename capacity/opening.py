"""First places for services that came in by import: nobody has yet said how many are free."""

from django.db import transaction

from capacity.models import ServiceCapacity
from catalogue.models import Service
from core.ids import derived

#: Groups of care types whose places are beds.
_BED_GROUPS = frozenset({"Care homes", "Hospital and step-down"})
_NOT_BEDS = frozenset({"assisted-living", "hospital-at-home"})


@transaction.atomic
def open_pools() -> int:
    """Give each active service with a care type and without places one pool, "not known" until its provider reports.

    The number it is registered for, where CQC gives one, is the maximum of a care home's beds. Returns how many were opened.
    """
    waiting = (
        Service.objects.filter(status=Service.Status.ACTIVE, care_type__isnull=False, capacities__isnull=True)
        .select_related("care_type")
        .prefetch_related("service_at_locations")
        .order_by("pk")
    )
    pools = [_pool(service) for service in waiting]
    # Two people may open pools at the same instant: the id is the same, and the first counts.
    ServiceCapacity.objects.bulk_create(pools, batch_size=500, ignore_conflicts=True)
    return len(pools)


def _pool(service: Service) -> ServiceCapacity:
    care_type = service.care_type
    assert care_type is not None
    is_bed = care_type.group in _BED_GROUPS and care_type.code not in _NOT_BEDS
    places = sorted(service.service_at_locations.all(), key=lambda at: at.pk)
    return ServiceCapacity(
        id=derived("pool", str(service.pk)),
        service=service,
        location_id=places[0].location_id if places else None,
        care_type=care_type,
        name="Beds" if is_bed else "Places",
        unit="bed" if is_bed else "place",
        maximum=service.registered_places if is_bed else None,
    )
