"""Stays in hospital and waits in the community: begun, changed, looked up for. Reached through `flow.operations`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from capacity.models import Infection
from catalogue.models import User
from core import clock
from core.errors import Conflict, Invalid, NotFound
from core.events import publish
from flow.models import Episode, Patient
from flow.people import clean, organization_of, own_patient, require_version, tell_colleagues
from matching.models import NeedProfile

#: What `edit_episode` changes.
EDITABLE = (
    "ward", "discharge_pathway", "started_at", "criteria_to_reside", "reside_reviewed_on", "ready_at", "expected_on", "delay_reason",
)  # fmt: skip


@transaction.atomic
def start_episode(
    *,
    patient_id: UUID,
    by: User,
    at: datetime,
    kind: str,
    discharge_pathway: str,
    started_at: datetime | None = None,
    ready_at: datetime | None = None,
    expected_on: date | None = None,
    ward: str = "",
    delay_reason: str = "",
    criteria_to_reside: str = "",
    reside_reviewed_on: date | None = None,
) -> Episode:
    """Record a stay in hospital or a wait in the community. With `ready_at` the person waits to move on.

    Raises NotAllowed, NotFound, Invalid, and Conflict (`already-waiting`) when one of the same kind is still open.
    """
    patient = own_patient(patient_id, by, lock=True)
    if patient.episodes.filter(kind=kind, ended_at__isnull=True).exists():
        raise Conflict("This person already has an open stay or wait of this kind. End that one first.", code="already-waiting")
    episode = Episode(
        patient=patient,
        organization=patient.organization,
        kind=kind,
        ward=ward.strip(),
        discharge_pathway=discharge_pathway,
        started_at=started_at or at,
        ready_at=ready_at,
        expected_on=expected_on,
        delay_reason=delay_reason,
        criteria_to_reside=criteria_to_reside,
        reside_reviewed_on=reside_reviewed_on,
    )
    _check(episode, at)
    episode.save(force_insert=True)
    _tell(episode)
    return episode


@transaction.atomic
def edit_episode(*, episode_id: UUID, version: int, by: User, at: datetime, **changes: Any) -> Episode:
    """Change what is recorded of an open stay or wait: fields of `EDITABLE`. `version` is the one that was looked at.

    Raises NotAllowed, NotFound, Invalid (with `field`) and Conflict (`stale-version`, `ended`).
    """
    organization_of(by)
    episode = Episode.objects.of_ones_own(by).filter(pk=episode_id).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    own_patient(episode.patient_id, by, lock=True)
    episode = Episode.objects.of_ones_own(by).select_for_update(of=("self",), no_key=True).get(pk=episode_id)
    require_version(episode, version, "This stay or wait")
    if episode.ended_at is not None:
        raise Conflict("That stay has ended and stays as it is. Record a new one if the person waits again.", code="ended")
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise Invalid(f"A stay has no field that can be changed called {', '.join(unknown)[:100]}.")
    for name, value in changes.items():
        setattr(episode, name, value.strip() if isinstance(value, str) else value)
    _check(episode, at)
    episode.changed_at, episode.changed_by = at, by
    episode.save(update_fields=[*changes, "changed_at", "changed_by"])
    episode.refresh_from_db(fields=["version"])
    _tell(episode)
    return episode


@transaction.atomic
def note_need(*, patient_id: UUID, profile_id: UUID, by: User) -> Episode | None:
    """Remember on a person's open stay or wait what was last looked for. None when no episode is open.

    Raises NotFound for a person or profile that `by` may not see.
    """
    if not Patient.objects.visible_to(by).filter(pk=patient_id).exists():
        raise NotFound("That person is not in your organisation’s records.")
    if not NeedProfile.objects.visible_to(by).filter(pk=profile_id).exists():
        raise NotFound("That search is not one of your organisation’s.")
    episode = Episode.objects.of_ones_own(by).filter(patient=patient_id, ended_at__isnull=True).first()
    if episode is not None:
        episode.profile_id = profile_id
        episode.save(update_fields=["profile"])
    return episode


@transaction.atomic
def keep_apart(*, patient_id: UUID, infection: str, by: User, at: datetime) -> Episode:
    """Note on a person's open stay for which infection they are kept apart, or that there is none. Raises NotFound and Invalid."""
    if infection not in Infection.values:
        raise Invalid("Choose one of the infections, or that none is known.", field="infection")
    episode = Episode.objects.of_ones_own(by).select_for_update().filter(patient=patient_id, ended_at__isnull=True).first()
    if episode is None:
        raise NotFound("This person has no open stay or wait. Record one first.")
    episode.infection = infection
    episode.changed_at, episode.changed_by = at, by
    episode.save(update_fields=["infection", "changed_at", "changed_by"])
    tell_colleagues(episode.organization_id)
    return episode


def _check(episode: Episode, at: datetime) -> None:
    ready = episode.ready_at
    if episode.started_at > at or (ready is not None and not episode.started_at <= ready <= at):
        raise Invalid("Check the times: a stay begins, then the person is ready, and neither is in the future.", field="ready_at")
    if episode.reside_reviewed_on is not None and episode.reside_reviewed_on > clock.local_date(at):
        raise Invalid("The criteria to reside cannot have been looked at in the future.", field="reside_reviewed_on")
    if episode.kind == Episode.Kind.COMMUNITY and episode.criteria_to_reside:
        raise Invalid("Criteria to reside are for somebody in a hospital bed. Leave them out.", field="criteria_to_reside")
    if ready is not None and episode.criteria_to_reside == Episode.Reside.MEETS:
        raise Invalid("Somebody who meets the criteria to reside is not ready to leave. Change one of the two.", field="criteria_to_reside")
    clean(episode)


def _tell(episode: Episode) -> None:
    publish("flow.changed", topics=["region"])
    tell_colleagues(episode.organization_id)
