"""What a hub looks for: the sender's search, made again as the hub's own."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

import matching.operations
from catalogue.models import User
from catalogue.queries import find_place
from core import clock
from core.errors import Invalid, NotFound
from flow.models import Episode, HubEntry, PathwayVersion, Patient
from matching.models import MatchRun, NeedProfile


def last_need(user: User, patient: Patient) -> NeedProfile | None:
    """What was last looked for on the person's open stay or wait."""
    stays = Episode.objects.visible_to(user).filter(patient=patient, ended_at__isnull=True, profile__isnull=False)
    stay = stays.select_related("profile").order_by("-started_at").first()
    seen = NeedProfile.objects.visible_to(user)
    return seen.filter(pk=stay.profile_id).first() if stay and stay.profile_id else None


@transaction.atomic
def need_for(patient: Patient, version: PathwayVersion | None, *, by: User, at: datetime) -> NeedProfile:
    """The last search, or on a pathway what that is for. Raises Invalid (`no-need`) when nobody has said what is needed."""
    found = last_need(by, patient)
    if found is not None and (version is None or not version.care_types or set(found.care_types) & set(version.care_types)):
        return found
    if version is None or not version.care_types:
        raise Invalid("Say first what the person needs: press “Find a service”. Then send it to a hub.", code="no-need")
    assert by.organization is not None  # whoever refers has one
    place = find_place(patient.postcode)
    return NeedProfile.objects.create(
        organization=by.organization,
        created_by=by,
        created_at=at,
        age=patient.age_on(clock.local_date(at)),
        sex=patient.sex,
        outcode=place.outcode,
        point=place.point,
        place_is_approximate=place.approximate,
        care_types=version.care_types,
    )


@transaction.atomic
def search(*, entry_id: UUID, by: User, at: datetime) -> MatchRun:
    """Rank services for an entry, by a copy of the sender's search that belongs to the hub. Raises NotFound."""
    entries = HubEntry.objects.visible_to(by).in_queue_of(by).select_related("referral__profile", "referral__pathway_version")
    entry = entries.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such referral.")
    assert by.organization is not None  # whoever works at a hub has one
    need = NeedProfile.objects.get(pk=entry.referral.profile_id)
    version = entry.referral.pathway_version
    need.pk, need.organization, need.created_by, need.created_at = uuid.uuid4(), by.organization, by, at
    need._state.adding = True
    if version is not None and version.care_types:
        need.care_types = version.care_types
    need.save(force_insert=True)
    return matching.operations.match(need, by=by, at=at)


def within_pathway(rows: Iterable[Any], version: PathwayVersion | None) -> list[Any]:
    """Of ranked lines those of the services that a pathway names; all where it names none."""
    named = set(version.services.values_list("pk", flat=True)) if version is not None else set()
    return [row for row in rows if not named or row.line.service_id in named]
