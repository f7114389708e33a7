"""What a provider says about taking people in beside its figures: newcomers a day, and a room that people share."""

from typing import Any
from uuid import UUID

from capacity.models import AdmissionLimit, Infection, ServiceCapacity, SharedRoom
from core.errors import Invalid

#: What the form of a pool sets up here; see `put`.
SET_UP = ("shared", "room_sex", "room_infection", "a_day", "service_a_day")


def of(service_id: UUID, pool: ServiceCapacity | None) -> dict[str, Any]:
    """What was said of a service and of one of its pools."""
    room = SharedRoom.objects.filter(pool=pool).first() if pool else None
    limits = {limit.pool_id: limit.a_day for limit in AdmissionLimit.objects.filter(service=service_id)}
    return {
        "shared": "yes" if room else "",
        "room_sex": room.sex if room else "",
        "room_infection": room.infection if room else "",
        "a_day": limits.get(pool.pk) if pool else None,
        "service_a_day": limits.get(None),
    }


def put(
    pool: ServiceCapacity,
    *,
    shared: str = "",
    room_sex: str = "",
    room_infection: str = "",
    a_day: int | None = None,
    service_a_day: int | None = None,
) -> None:
    """Write it in place of what was said before; empty takes it away. Raises Invalid (with `field`)."""
    for name, number in (("a_day", a_day), ("service_a_day", service_a_day)):
        if number is not None and not 1 <= number <= 999:
            raise Invalid("Write a number from 1 to 999, or leave it empty. To take nobody, say that the places are closed.", field=name)
    if shared and room_infection and not room_sex:
        raise Invalid("Say whether women or men are in the room, as somebody in it has an infection.", field="room_sex")
    if room_sex not in ("", "female", "male") or room_infection not in Infection.values:
        raise Invalid("Choose who is in the room now from the list.", field="room_sex")
    if shared:
        SharedRoom.objects.update_or_create(pool=pool, defaults={"sex": room_sex, "infection": room_infection})
    else:
        SharedRoom.objects.filter(pool=pool).delete()
    for of_pool, number in ((pool, a_day), (None, service_a_day)):
        if number is None:
            AdmissionLimit.objects.filter(service=pool.service_id, pool=of_pool).delete()
        else:
            AdmissionLimit.objects.update_or_create(service_id=pool.service_id, pool=of_pool, defaults={"a_day": number})
