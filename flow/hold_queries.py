"""Questions about held places, as the team that holds them reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from capacity.models import Reservation
from catalogue.models import User
from flow.models import Episode, Patient, ReferralTask
from flow.workflow import Status
from matching.models import MatchRun

#: How long the worklist goes on saying that a place was lost.
NEWS = timedelta(days=1)
#: How long ended holds are listed.
ENDED = timedelta(days=7)
State = Reservation.State
NOW, LOST = (State.HELD,), (State.WITHDRAWN, State.EXPIRED)
_OVER = tuple(state for state in State if state != State.HELD)


@dataclass(frozen=True, slots=True)
class Hold:
    """One place that one's own organisation holds or held, and for whom.

    `referral` is the one that was sent with it; `run` is the newest list of services for what the person needs.
    """

    id: UUID
    pool: UUID
    pool_name: str
    service: UUID
    service_name: str
    state: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    because: str
    longer: timedelta
    patient: UUID
    name: str
    birth_date: date
    episode: UUID | None
    referral: UUID | None
    waits_for_answer: bool
    run: UUID | None

    @property
    def may_extend(self) -> bool:
        """It is held, and can be made longer once more."""
        return self.state == State.HELD and bool(self.longer)


def holds(user: User, at: datetime, *, over: bool = False, patient: Patient | None = None) -> list[Hold]:
    """What the user's organisation holds now, what ends soonest first; or, `over`, what ended in the last week, newest first."""
    found = _of(user)
    if patient is not None:
        found = found.filter(Q(episode_hold__episode__patient=patient) | Q(referral_task__referral__patient=patient))
    if over:
        return _as_holds(found.filter(state__in=_OVER, ended_at__gt=at - ENDED).order_by("-ended_at", "pk"))
    return _as_holds(found.filter(state__in=NOW).order_by("expires_at", "pk"))


def one_hold(user: User, hold_id: UUID) -> Hold | None:
    """One hold of the user's organisation, whatever has become of it."""
    return next(iter(_as_holds(_of(user).filter(pk=hold_id))), None)


def lost(user: User, at: datetime) -> list[Hold]:
    """Places that were taken back or ran out in the last day while the person still waits, and nothing else was done since."""
    whose = Q(episode_hold__episode__ended_at__isnull=True, episode_hold__isnull=False) | Q(referral_task__status=Status.REQUESTED)
    found = _as_holds(_of(user).filter(whose, state__in=LOST, ended_at__gt=at - NEWS).order_by("-ended_at", "pk"))
    if not found:
        return []
    people = {hold.patient for hold in found}
    since = _acted_since(user, people)
    latest = {hold.patient: hold for hold in reversed(found)}
    return [hold for hold in latest.values() if hold.ended_at and since.get(hold.patient, hold.ended_at) <= hold.ended_at]


def _acted_since(user: User, people: Iterable[UUID]) -> dict[UUID, datetime]:
    """When somebody last held or asked another place for these people, or another said yes."""
    acts: dict[UUID, datetime] = {}

    def note(patient: UUID, moment: datetime | None) -> None:
        if moment is not None:
            acts[patient] = max(moment, acts.get(patient, moment))

    for hold in _as_holds(_of(user).filter(state=State.HELD)):
        note(hold.patient, hold.created_at)
    asked = ReferralTask.objects.visible_to(user).open().filter(referral__patient__in=people)
    for patient, status, requested_at, changed_at in asked.values_list("referral__patient", "status", "requested_at", "changed_at"):
        note(patient, requested_at if status == Status.REQUESTED else changed_at)
    return acts


def _of(user: User) -> QuerySet[Reservation]:
    """Reservations of the user's organisation that are for somebody."""
    if user.organization_id is None:
        return Reservation.objects.none()
    newest = MatchRun.objects.filter(organization=OuterRef("organization"))
    return (
        Reservation.objects.visible_to(user)
        .filter(organization_id=user.organization_id)
        .filter(Q(episode_hold__isnull=False) | Q(referral_task__isnull=False))
        .select_related("pool__service", "episode_hold__episode__patient", "referral_task__referral__patient")
        .annotate(
            longer=F("pool__care_type__freshness__hold_extension"),
            held_run=Subquery(newest.filter(profile=OuterRef("episode_hold__episode__profile")).order_by("-at").values("pk")[:1]),
        )
    )


def _as_holds(found: QuerySet[Reservation]) -> list[Hold]:
    return [_hold(row) for row in found]


def _hold(row: Any) -> Hold:
    task: ReferralTask | None = getattr(row, "referral_task", None)
    episode: Episode | None = row.episode_hold.episode if hasattr(row, "episode_hold") else None
    referral = task.referral if task else None
    patient = episode.patient if episode else row.referral_task.referral.patient
    return Hold(
        id=row.pk,
        pool=row.pool_id,
        pool_name=row.pool.name,
        service=row.pool.service_id,
        service_name=row.pool.service.name,
        state=row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        because=row.ended_because,
        longer=timedelta(0) if row.extended_at else row.longer or timedelta(0),
        patient=patient.pk,
        name=patient.full_name,
        birth_date=patient.birth_date,
        episode=episode.pk if episode else row.referral_task.referral.episode_id,
        referral=referral.pk if referral else None,
        waits_for_answer=bool(task and task.status == Status.REQUESTED),
        run=row.held_run or (referral.match_run_id if referral else None),
    )
