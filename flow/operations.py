"""What people do with referrals. Each function is one transaction: lock, read, change, record, publish.

Locks are always taken in this order, so that no two steps wait for each other in a circle: patient, referrals, tasks, pools, reservations,
each kind in primary-key order, and the episode last.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

import capacity.operations as places
from capacity.models import ServiceCapacity
from capacity.queries import pool_states
from capacity.status import Rag
from catalogue import usage
from catalogue.models import Service, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow import workflow
from flow.holds import extend_hold, give_back_waiting, held_for_sending, hold_place, let_go, pools_held, require_fewer
from flow.models import Episode, Patient, Referral, ReferralTask, Transition
from flow.people import add_patient, keep_apart, keep_together, let_apart, note_need, start_episode, tell_colleagues
from flow.self_referral import news
from flow.workflow import Action, Reason, Side, Status, Step
from matching.models import MatchRun, NeedProfile

__all__ = [
    "accept", "add_patient", "complete", "decline", "end_episode", "extend_hold", "fail", "hold_place", "keep_apart", "keep_together",
    "let_apart", "let_go", "note_need", "pause", "receive", "resume", "retract", "send", "start", "start_episode", "withdraw",
]  # fmt: skip

#: How soon a provider is asked to answer.
RESPOND_WITHIN = {Referral.Urgency.URGENT.value: timedelta(hours=2), Referral.Urgency.ROUTINE.value: timedelta(hours=24)}
#: More services than this for one person is a mistake or a mailshot.
MOST_PLACES = 20
ANOTHER_ACCEPTED = "Another service has said yes for this person."
EPISODE_ENDED = "The person no longer waits for this."


@transaction.atomic
def send(
    *,
    patient_id: UUID,
    profile_id: UUID,
    pool_ids: Iterable[UUID],
    by: User,
    at: datetime,
    hold_pool_ids: Iterable[UUID] = (),
    episode_id: UUID | None = None,
    match_run_id: UUID | None = None,
    urgency: str = Referral.Urgency.ROUTINE,
    reason: str = "",
    consent: bool = False,
    package: UUID | None = None,
) -> Referral:
    """Ask one or several places for one person; keep a place at those in `hold_pool_ids`. A place that is held for this person already
    goes with the request, and no second one is counted. `package` is what `flow.packages` sends together.

    All or nothing: when one place has gone since it was chosen, nothing is sent. Raises NotAllowed (not a referrer), Invalid (no
    consent, nothing chosen), NotFound (a record that `by` may not see) and Conflict (`no-place`, `not-known`, `already-asked`, `ended`,
    `too-many-holds`).
    """
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers can send a referral.")
    if not consent:
        raise Invalid(
            "Ask the person, or somebody who may decide for them, and record that they agree. Then send.",
            code="no-consent",
        )
    if urgency not in RESPOND_WITHIN:
        raise Invalid(f"“{urgency}” is not an urgency. Use one of: {', '.join(RESPOND_WITHIN)}.")
    wanted, held = list(dict.fromkeys(pool_ids)), set(hold_pool_ids)
    if not 1 <= len(wanted) <= MOST_PLACES:
        raise Invalid(f"Choose from one to {MOST_PLACES} services.", code="no-places-chosen")
    if not held <= set(wanted):
        raise Invalid("A place can be held only at a service that you send to.")

    patient = Patient.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    profile = NeedProfile.objects.visible_to(by).filter(pk=profile_id).first()
    if profile is None:
        raise NotFound("That search is not one of your organisation’s. Search again.")
    if match_run_id is not None and not MatchRun.objects.visible_to(by).filter(pk=match_run_id, profile=profile).exists():
        raise NotFound("That list of matches is not one of your organisation’s. Search again.")
    if episode_id is not None:
        _require_waiting(patient, episode_id, by)
    if ServiceCapacity.objects.visible_to(by).offered(at).filter(pk__in=wanted).count() < len(wanted):
        raise NotFound("One of these services is no longer listed, or its session has begun. Search again.", code="no-such-pool")
    asked = ReferralTask.objects.open().filter(referral__patient=patient, pool__in=wanted).select_related("pool__service").first()
    if asked is not None:
        raise Conflict(
            f"{asked.pool.service.name} has already been asked for this person. Open that referral, or leave this service out.",
            code="already-asked",
            pool=str(asked.pool_id),
        )
    pools = places.lock(wanted)
    _require_kept(pools)
    kept = held_for_sending(patient, wanted, at)
    _require_live({pool_id: pool for pool_id, pool in pools.items() if pool_id not in kept}, at)

    referral = Referral.objects.create(
        patient=patient,
        episode_id=episode_id,
        profile=profile,
        match_run_id=match_run_id,
        organization=by.organization,
        created_by=by,
        created_at=at,
        urgency=urgency,
        reason=reason.strip(),
        consent=True,
        package=package,
    )
    sent = workflow.step(Action.SEND, status=Status.DRAFT, side=Side.REFERRER)
    for pool_id in sorted(wanted):
        task = ReferralTask(
            referral=referral,
            pool=pools[pool_id],
            provider_id=pools[pool_id].service.organization_id,
            requested_at=at,
            respond_by=at + RESPOND_WITHIN[urgency],
        )
        if pool_id in kept:
            task.reservation_id = kept[pool_id]
        elif pool_id in held:
            require_fewer(patient, pools[pool_id], at)
            task.reservation = places.hold(pool_id=pool_id, organization=by.organization, by=by, at=at)
        _take(task, sent, by=by, at=at)
    publish("flow.changed", topics=["region"])
    begun = [usage.Seen(usage.Kind.REFERRAL, service=pool.service_id) for pool in pools.values()]
    transaction.on_commit(lambda: usage.add(begun, at=at))
    return referral


@transaction.atomic
def accept(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Take the person on: the held place, or else a free one, is taken, and the other services asked are told that it is settled.

    Raises NotFound, NotAllowed, and Conflict (`moved-on`, `no-place`, `stale-version`).
    """
    task, tasks = _lock(task_id)
    step = _permit(Action.ACCEPT, task, tasks, by=by, expected_version=expected_version)
    others = [other for other in tasks if other.status == Status.REQUESTED and other.pk != task.pk]
    waiting = Q(episode__patient=task.referral.patient_id)
    if task.referral.package:  # a yes to one part leaves what is held for the others
        waiting &= Q(reservation__pool__care_type__code__in=task.referral.profile.care_types)
    elsewhere = pools_held(waiting)
    before = places.lock({task.pool_id} | elsewhere | {other.pool_id for other in others if other.reservation_id})[task.pool_id]
    _fill(task, before.version, by=by, at=at)
    _take(task, step, by=by, at=at, reason=_reason(step, reason, reason_text))
    withdrawal = workflow.step(Action.WITHDRAW, status=Status.REQUESTED, side=Side.SYSTEM)
    for other in others:
        _give_back(other, by=None, at=at)
        _take(other, withdrawal, by=None, at=at, reason=("", ANOTHER_ACCEPTED))
    give_back_waiting(waiting, elsewhere, at=at)
    publish("flow.changed", topics=["region"])
    return task


@transaction.atomic
def receive(
    *, patient: Patient, profile: NeedProfile, pool_id: UUID, asked_at: datetime, reason: str, by: User, at: datetime
) -> ReferralTask:
    """What somebody asked for themselves becomes a referral that is accepted: sent when they asked, answered now.

    That `by` answers for the service was seen to by `flow.self_referral.operations.accept`. Raises Conflict (`no-place`).
    """
    pool = places.lock([pool_id])[pool_id]
    _require_kept({pool_id: pool})
    referral = Referral.objects.create(
        patient=patient,
        profile=profile,
        organization=pool.service.organization,
        source=Referral.Source.SELF,
        created_by=by,
        created_at=asked_at,
        reason=reason,
        consent=True,
    )
    task = ReferralTask(
        referral=referral,
        pool=pool,
        provider_id=pool.service.organization_id,
        requested_at=asked_at,
        respond_by=asked_at + RESPOND_WITHIN[Referral.Urgency.ROUTINE],
    )
    # Who asks for themselves stands on the referrer's side.
    _take(task, workflow.step(Action.SEND, status=Status.DRAFT, side=Side.REFERRER), by=None, at=asked_at)
    _fill(task, pool.version, by=by, at=at)
    _take(task, workflow.step(Action.ACCEPT, status=task.status, side=Side.PROVIDER), by=by, at=at)
    publish("flow.changed", topics=["region"])
    return task


def decline(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Say no, with a code of `workflow.Reason`. A held place is given back."""
    return _change(Action.DECLINE, task_id, by, at, reason, reason_text, expected_version)


def withdraw(
    *, task_id: UUID, by: User | None, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Take the request back, or the yes that was given. The place is free again. `by` None is Lune itself."""
    return _change(Action.WITHDRAW, task_id, by, at, reason, reason_text, expected_version)


def start(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Support has begun: the person has moved in, or the first visit was made. Their wait ends."""
    return _change(Action.START, task_id, by, at, reason, reason_text, expected_version)


def pause(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Stop for now, and say why. The place stays the person's."""
    return _change(Action.PAUSE, task_id, by, at, reason, reason_text, expected_version)


def resume(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Go on after a pause. Their wait ends, if it had not."""
    return _change(Action.RESUME, task_id, by, at, reason, reason_text, expected_version)


def complete(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Support is finished. Whether the place is free again is the provider's to report: a room may need a week."""
    return _change(Action.COMPLETE, task_id, by, at, reason, reason_text, expected_version)


def fail(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Support could not be finished, and why. The place, as with `complete`, is the provider's to report."""
    return _change(Action.FAIL, task_id, by, at, reason, reason_text, expected_version)


def retract(
    *, task_id: UUID, by: User, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """It should never have been sent: the wrong person, or the wrong service. The provider may no longer see who it was."""
    return _change(Action.RETRACT, task_id, by, at, reason, reason_text, expected_version)


@transaction.atomic
def end_episode(*, episode_id: UUID, by: User, at: datetime) -> Episode:
    """The stay or wait is over. Requests that nobody has answered are withdrawn. Ending it twice changes nothing."""
    episode = Episode.objects.visible_to(by).filter(pk=episode_id).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    Patient.objects.select_for_update(no_key=True).get(pk=episode.patient_id)
    referrals = [r.pk for r in Referral.objects.select_for_update(no_key=True).filter(episode=episode).order_by("pk")]
    tasks = list(_tasks().filter(referral__in=referrals, status=Status.REQUESTED))
    held = pools_held(Q(episode=episode))
    places.lock(held | {task.pool_id for task in tasks if task.reservation_id})
    withdrawal = workflow.step(Action.WITHDRAW, status=Status.REQUESTED, side=Side.SYSTEM)
    for task in tasks:
        _give_back(task, by=None, at=at)
        _take(task, withdrawal, by=None, at=at, reason=("", EPISODE_ENDED))
    give_back_waiting(Q(episode=episode), held, at=at)
    _end_wait(episode.pk, at)
    episode.refresh_from_db()
    publish("flow.changed", topics=["region"])
    tell_colleagues(episode.organization_id)
    return episode


@transaction.atomic
def _change(
    action: Action, task_id: UUID, by: User | None, at: datetime, reason: str, reason_text: str, expected_version: int | None
) -> ReferralTask:
    """Any step that concerns one task alone."""
    task, tasks = _lock(task_id)
    step = _permit(action, task, tasks, by=by, expected_version=expected_version)
    why = _reason(step, reason, reason_text)
    if step.target in (Status.REJECTED, Status.CANCELLED, Status.ENTERED_IN_ERROR):
        _give_back(task, by=by, at=at)
    _take(task, step, by=by, at=at, reason=why)
    begins = step.target in (Status.IN_PROGRESS, Status.COMPLETED)
    # Of what was sent together, a part that comes to nothing may be the last that was waited for.
    if (begins or (task.referral.package and step.target != Status.ON_HOLD)) and task.referral.wait_is_over:
        _end_wait(task.referral.episode_id, at)
    publish("flow.changed", topics=["region"])
    return task


def _tasks() -> QuerySet[ReferralTask]:
    """Tasks to be locked, in their order, with what the steps read."""
    return ReferralTask.objects.select_for_update(of=("self",), no_key=True).select_related("referral", "pool__service").order_by("pk")


def _lock(task_id: UUID) -> tuple[ReferralTask, list[ReferralTask]]:
    """Lock a task's referral and then all its tasks: an answer to one is an answer for all.

    Of what was sent together the person is locked before, so that of two parts that begin at once the later sees the earlier.
    """
    found = ReferralTask.objects.filter(pk=task_id).values_list("referral_id", "referral__patient_id", "referral__package").first()
    if found is None:
        raise NotFound("There is no such referral.")
    referral_id, patient_id, package = found
    if package is not None:
        Patient.objects.select_for_update(no_key=True).get(pk=patient_id)
    Referral.objects.select_for_update(no_key=True).get(pk=referral_id)
    tasks = list(_tasks().filter(referral_id=referral_id))
    return next(task for task in tasks if task.pk == task_id), tasks


def _permit(action: Action, task: ReferralTask, tasks: list[ReferralTask], *, by: User | None, expected_version: int | None) -> Step:
    """The step, if `by` may take it now."""
    side = Side.SYSTEM if by is None else task.side_of(by)
    if side is None:
        raise NotFound("There is no such referral.")
    settled = any(other.status in Status.known_to_provider() for other in tasks if other.pk != task.pk)
    if action == Action.ACCEPT and side == Side.PROVIDER and task.status == Status.CANCELLED and settled:
        raise Conflict(f"{ANOTHER_ACCEPTED} Nothing more is needed from you.", code="moved-on")
    step = workflow.step(action, status=task.status, side=side)
    if expected_version is not None and expected_version != task.version:
        raise Conflict("This referral has changed since you looked. Look again, then answer.", code="stale-version", version=task.version)
    return step


def _reason(step: Step, reason: str, text: str) -> tuple[str, str]:
    """The code and words of a reason, when the step needs one. Words may be left out when the code says enough."""
    text = text.strip()
    if reason and reason not in Reason.values:
        raise Invalid(f"“{reason}” is not a reason. Use one of: {', '.join(Reason.values)}.", code="unknown-reason")
    if len(text) > 300:
        raise Invalid("Shorten the reason to 300 letters or fewer.")
    if step.action == Action.DECLINE and not reason:
        raise Invalid("Choose why you cannot take this person, so that the team can do better next time.", code="reason-needed")
    if reason == Reason.OTHER and not text:
        raise Invalid("Say in a few words what the other reason is.", code="reason-needed")
    if step.needs_reason and not (reason or text):
        raise Invalid("Say why in a few words.", code="reason-needed")
    return reason, text or (str(Reason(reason).label) if reason else "")


def _take(task: ReferralTask, step: Step, *, by: User | None, at: datetime, reason: tuple[str, str] = ("", "")) -> None:
    """Save a step that was checked: the status, its transition row and the event for both sides."""
    source = task.status
    task.status = step.target
    task.status_reason, task.status_reason_text = reason
    task.changed_at = at
    if step.action in (Action.ACCEPT, Action.DECLINE):
        task.answered_at = at
    if not task._state.adding:
        task.version += 1
    task.save()
    Transition.objects.create(
        task=task,
        action=step.action,
        from_status=source,
        to_status=step.target,
        reason=reason[0],
        reason_text=reason[1],
        by=by,
        organization_id=by.organization_id if by else None,
        at=at,
    )
    sender = task.referral.organization_id
    publish(
        "referral.changed",
        topics=[f"org:{sender}", f"org:{task.provider_id}", f"referral:{task.referral_id}"],
        audience=[sender, task.provider_id],
        data={"task": str(task.pk), "referral": str(task.referral_id), "status": str(task.status), "version": task.version},
    )
    if by is not None and task.referral.source == Referral.Source.SELF and source != Status.REQUESTED:
        news.tell(task.referral.self_referral.pk)


def _fill(task: ReferralTask, version: int, *, by: User, at: datetime) -> None:
    """Take the held place of a task, or else a free one. `version` is the pool's before: one that counts nothing stays as it is."""
    try:
        filled = places.fill(pool_id=task.pool_id, reservation_id=task.reservation_id, by=by, at=at)
    except Conflict as error:
        raise Conflict(
            f"Your figures say that no place is free at {task.pool.service.name}. Correct them, then say yes; or say no to this request.",
            code="no-place",
            pool=str(task.pool_id),
        ) from error
    task.took_place = filled.version > version


def _give_back(task: ReferralTask, *, by: User | None, at: datetime) -> None:
    """Free the place that a task holds or has taken. What has already ended stays so."""
    if task.took_place and task.status in Status.open():
        places.reopen(pool_id=task.pool_id, by=by, at=at)
        task.took_place = False
    elif task.reservation_id:
        places.release(reservation_id=task.reservation_id, by=by, at=at)


def _end_wait(episode_id: UUID | None, at: datetime) -> None:
    """End an episode that has not ended, and what is held for it. Called last: an episode's row is locked after all others."""
    if episode_id is not None:
        held = pools_held(Q(episode=episode_id))
        places.lock(held)
        give_back_waiting(Q(episode=episode_id), held, at=at)
        Episode.objects.filter(pk=episode_id, ended_at__isnull=True, started_at__lte=at).update(ended_at=at)


def _require_waiting(patient: Patient, episode_id: UUID, by: User) -> None:
    episode = Episode.objects.visible_to(by).filter(pk=episode_id, patient=patient).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    if episode.ended_at is not None:
        raise Conflict("That stay has ended. Record a new one if the person waits again.", code="ended")


def _require_kept(pools: dict[UUID, ServiceCapacity]) -> None:
    """Refuse a service that a curator is merging into another at this moment: the lock waits for the merge, or makes it wait."""
    services = Service.objects.select_for_update(of=("self",), no_key=True).filter(pk__in={pool.service_id for pool in pools.values()})
    gone = {service.pk for service in services.order_by("pk") if service.merged_into_id}
    for pool in pools.values():
        if pool.service_id in gone:
            raise Conflict(
                f"{pool.service.name} has just been merged with another record of the same service. Search again; nothing has been sent.",
                code="no-place",
                pool=str(pool.pk),
            )


def _require_live(pools: dict[UUID, ServiceCapacity], at: datetime) -> None:
    """Refuse a place that is known to be closed or full: sending there only costs the person time."""
    states = pool_states(pools, at)
    for pool in pools.values():
        state = states[pool.pk]
        if state.rag != Rag.RED:
            continue
        if state.word.startswith("Full"):
            raise places.no_place(pool)
        raise Conflict(
            f"{pool.service.name} is not accepting anybody now. Choose another service; nothing has been sent.",
            code="no-place",
            pool=str(pool.pk),
        )
