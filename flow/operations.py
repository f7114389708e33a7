"""What people do with referrals. Each function is one transaction: lock, read, change, record, publish.

Locks are always taken in this order, so that no two steps wait for each other in a circle: patient, referrals, tasks, pools, reservations,
each kind in primary-key order, and the episode last.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, prefetch_related_objects

import capacity.operations as places
from capacity.models import ServiceCapacity
from catalogue import usage
from catalogue.models import User
from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import drafted, publish
from flow import checks, consents, fit, steps, waterfall, workflow
from flow.asking import ask_also, ask_next, close, leave_out, move
from flow.behalf import Actor, account_of
from flow.casework.follow_ups import call_after_yes
from flow.casework.outcomes import plan_scores
from flow.consents import record_consent
from flow.deadlines import RESPOND_WITHIN, respond_by
from flow.editing import edit_referral
from flow.episodes import edit_episode, keep_apart, note_need, start_episode
from flow.holds import extend_hold, give_back_waiting, held_for_sending, hold_place, let_go, pools_held, require_fewer
from flow.hubs import ending
from flow.lateness import look as look_at_deadlines
from flow.models import Episode, Patient, Referral, ReferralTask
from flow.pathways import choosing
from flow.people import add_patient, edit_patient, lock_whose, tell_colleagues
from flow.relations import add_related, edit_related, end_related, keep_together, let_apart, link_related, record_related
from flow.reminders import messages
from flow.sharing.hubs import share_back, team_of
from flow.steps import ANOTHER_ACCEPTED
from flow.waterfall import parts_not_needed
from flow.workflow import Action, Side, Status
from matching.models import MatchRun, NeedProfile

__all__ = [
    "ANOTHER_ACCEPTED", "RESPOND_WITHIN", "accept", "add_patient", "add_related", "ask_also", "ask_next", "close", "complete", "decline",
    "edit_episode", "edit_patient", "edit_referral", "edit_related", "end_episode", "end_related", "extend_hold", "fail", "hold_place",
    "keep_apart", "keep_together", "leave_out", "let_apart", "let_go", "link_related", "look_at_deadlines", "move", "note_need", "pause",
    "receive", "record_consent", "record_related", "resume", "retract", "send", "start", "start_episode", "withdraw",
]  # fmt: skip

#: More services than this for one person is a mistake or a mailshot.
MOST_PLACES = 20
EPISODE_ENDED = "The person no longer waits for this."


@acting.across("sending is counted and held where several teams meet", seen=lambda **told: Patient.objects.filter(pk=told["patient_id"]))
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
    package_wanted: int | None = None,
    wanted: int = 1,
    in_order: bool = False,
    keep_asked: bool = False,
    answer_within: timedelta | None = None,
    even_so: bool = False,
    version_id: UUID | None = None,
    typed: Mapping[str, str] | None = None,
) -> Referral:
    """Ask one or several places for one person; keep a place at those in `hold_pool_ids`. A place that is held for this person already
    goes with the request, and no second one is counted. `package` is what `flow.packages` sends together.

    `wanted`: how many are to say yes; then the others are withdrawn. `in_order`: only as many are asked as are wanted, and the next when
    one says no or misses the deadline (`answer_within`, or what the urgency says); who missed it is withdrawn, or with `keep_asked`
    stays asked. `even_so`: also a service whose criteria speak against it. `version_id` and `typed`: the version of a pathway and what was
    answered to its questions; its deadlines hold, and every service must be one of its own.

    All or nothing: when one place has gone since it was chosen, nothing is sent. Raises NotAllowed (not a referrer), Invalid (no
    consent, nothing chosen), NotFound (a record that `by` may not see) and Conflict (`no-place`, `not-known`, `already-asked`, `ended`,
    `too-many-holds`, `consent-withdrawn`, `sharing-refused`). `consent`: the person agrees, said now; one that is on record holds too.
    The referral has `sent` and `listed`, what was made with it.
    """
    if not by.is_referrer or by.organization_id is None:
        raise NotAllowed("Only somebody who refers can send a referral.")
    if urgency not in RESPOND_WITHIN:
        raise Invalid(f"“{urgency}” is not an urgency. Use one of: {', '.join(RESPOND_WITHIN)}.")
    chosen, held = list(dict.fromkeys(pool_ids)), set(hold_pool_ids)
    if not 1 <= len(chosen) <= MOST_PLACES:
        raise Invalid(f"Choose from one to {MOST_PLACES} services.", code="no-places-chosen")
    if not held <= set(chosen):
        raise Invalid("A place can be held only at a service that you send to.")
    checks.require_sensible(wanted, len(chosen), answer_within)

    patient = Patient.objects.kept_by(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    if ServiceCapacity.objects.visible_to(by).offered(at).filter(pk__in=chosen).count() < len(chosen):
        raise NotFound("One of these services is no longer listed, or its session has begun. Search again.", code="no-such-pool")
    pools = places.lock(chosen)
    prefetch_related_objects(list(pools.values()), "service__organization")
    kinds = {pool.service.organization.kind for pool in pools.values()}
    consents.satisfy(patient, ticked=consent, kinds=kinds, by=by, at=at)
    profile = NeedProfile.objects.visible_to(by).filter(pk=profile_id).first()
    if profile is None:
        raise NotFound("That search is not one of your organisation’s. Search again.")
    if match_run_id is not None and not MatchRun.objects.visible_to(by).filter(pk=match_run_id, profile=profile).exists():
        raise NotFound("That list of matches is not one of your organisation’s. Search again.")
    if episode_id is not None:
        checks.require_waiting(patient, episode_id, by)
    asked = ReferralTask.objects.open().filter(referral__patient=patient, pool__in=chosen).values_list("pool", flat=True).first()
    if asked is not None:
        raise Conflict(
            f"{pools[asked].service.name} has already been asked for this person. Open that referral, or leave this service out.",
            code="already-asked",
            pool=str(asked),
        )
    version = choosing.chosen(version_id, by)
    answers = choosing.told(version, typed, chosen)
    checks.require_kept(pools)
    kept = held_for_sending(patient, chosen, at)
    # Of a list in order the others are looked at when it is their turn.
    first = chosen[:wanted] if in_order else chosen
    standing = fit.standing(profile, chosen, at)
    checks.require_live({pool_id: pools[pool_id] for pool_id in first if pool_id not in kept}, standing)
    if not even_so:
        checks.require_fit(pools, standing)

    referral = Referral.objects.create(
        patient=patient,
        episode_id=episode_id,
        profile=profile,
        match_run_id=match_run_id,
        organization_id=by.organization_id,
        team_id=team_of(patient, episode_id, by.organization_id),
        created_by=by,
        created_at=at,
        urgency=urgency,
        reason=reason.strip(),
        consent=True,
        package=package,
        package_wanted=package_wanted,
        wanted=wanted,
        in_order=in_order,
        keep_asked=in_order and keep_asked,
        answer_within=int(answer_within.total_seconds() // 60) if answer_within else None,
        pathway_version=version,
        pathway_answers=answers,
    )
    share_back(referral, by=by, at=at)
    referral.listed = waterfall.begin(referral, chosen, asked_now=first, held=held, at=at, even_so=even_so) if in_order else []
    reservations = {pool_id: kept[pool_id] for pool_id in first if pool_id in kept}
    to_hold = sorted((set(first) & held) - set(kept))
    for number, pool_id in enumerate(to_hold):
        require_fewer(patient, pools[pool_id], at, beside=number)
        reservations[pool_id] = places.hold(pool_id=pool_id, organization=referral.organization, by=by, at=at).pk
    if to_hold:  # what is free there is one less now
        standing |= fit.standing(profile, to_hold, at)
    now = [pools[pool_id] for pool_id in first]
    changed = drafted("flow.changed", topics=["region"])
    referral.sent = waterfall.ask(referral, now, by=by, at=at, reservations=reservations, standing=standing, beside=[changed])
    for task in referral.sent:
        task.provider = task.pool.service.organization
    begun = [usage.Seen(usage.Kind.REFERRAL, service=pool.service_id) for pool in pools.values()]
    transaction.on_commit(lambda: usage.add(begun, at=at))
    return referral


@acting.across("a yes settles what the others were asked", seen=lambda **told: ReferralTask.objects.filter(pk=told["task_id"]))
@transaction.atomic
def accept(
    *,
    task_id: UUID,
    by: Actor,
    at: datetime,
    reason: str = "",
    reason_text: str = "",
    expected_version: int | None = None,
    even_so: bool = False,
) -> ReferralTask:
    """Take the person on: the held place, or else a free one, is taken. When as many have said yes as are wanted, the other services asked
    are told that it is settled, and nobody else of the list is asked.

    `even_so` false: nothing that speaks against it now has been confirmed. Raises NotFound, NotAllowed, and Conflict (`moved-on`,
    `no-place`, `stale-version`, `consent-withdrawn`, `changed-since`, `called-off`).
    """
    task, tasks = steps.lock(task_id)
    step = steps.permit(Action.ACCEPT, task, tasks, by=by, expected_version=expected_version)
    consents.require_not_withdrawn(task)
    checks.require_takes_place(task)
    if not even_so:
        checks.require_unchanged(task, at)
    referral = task.referral
    done = 1 + sum(other.status in Status.taken_on() for other in tasks if other.pk != task.pk) >= referral.wanted
    others = [other for other in tasks if other.status == Status.REQUESTED and other.pk != task.pk] if done else []
    if done:
        others += parts_not_needed(referral)
    waiting = Q(episode__patient=referral.patient_id)
    if referral.package:  # a yes to one part leaves what is held for the others
        waiting &= Q(reservation__pool__care_type__code__in=referral.profile.care_types)
    elsewhere = pools_held(waiting) if done else set()
    before = places.lock({task.pool_id} | elsewhere | {other.pool_id for other in others if other.reservation_id})[task.pool_id]
    steps.fill(task, before.version, by=by, at=at)
    steps.take(task, step, by=by, at=at, reason=steps.reason_of(step, reason, reason_text))
    call_after_yes(task=task, at=at)
    messages.tell(task, messages.Kind.ACCEPTED, at=at)
    plan_scores(task=task, at=at)
    withdrawal = workflow.step(Action.WITHDRAW, status=Status.REQUESTED, side=Side.SYSTEM)
    for other in others:
        steps.give_back(other, by=None, at=at)
        steps.take(other, withdrawal, by=None, at=at, reason=("", ANOTHER_ACCEPTED))
    if done:
        give_back_waiting(waiting, elsewhere, at=at)
        for sent in {other.referral_id: other.referral for other in [task, *others]}.values():
            waterfall.drop_rest(sent, ANOTHER_ACCEPTED, at)
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
    checks.require_kept({pool_id: pool})
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
        respond_by=respond_by(referral, asked_at),
    )
    # Who asks for themselves stands on the referrer's side.
    steps.take(task, workflow.step(Action.SEND, status=Status.DRAFT, side=Side.REFERRER), by=None, at=asked_at)
    steps.fill(task, pool.version, by=by, at=at)
    steps.take(task, workflow.step(Action.ACCEPT, status=task.status, side=Side.PROVIDER), by=by, at=at)
    publish("flow.changed", topics=["region"])
    return task


def decline(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Say no, with a code of `workflow.Reason`. A held place is given back."""
    return _change(Action.DECLINE, task_id, by, at, reason, reason_text, expected_version)


def withdraw(
    *, task_id: UUID, by: User | None, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Take the request back, or the yes that was given. The place is free again. `by` None is Lune itself."""
    return _change(Action.WITHDRAW, task_id, by, at, reason, reason_text, expected_version)


def start(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Support has begun: the person has moved in, or the first visit was made. Their wait ends."""
    return _change(Action.START, task_id, by, at, reason, reason_text, expected_version)


def pause(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Stop for now, and say why. The place stays the person's."""
    return _change(Action.PAUSE, task_id, by, at, reason, reason_text, expected_version)


def resume(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Go on after a pause. Their wait ends, if it had not."""
    return _change(Action.RESUME, task_id, by, at, reason, reason_text, expected_version)


def complete(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Support is finished. Whether the place is free again is the provider's to report: a room may need a week."""
    return _change(Action.COMPLETE, task_id, by, at, reason, reason_text, expected_version)


def fail(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """Support could not be finished, and why. The place, as with `complete`, is the provider's to report."""
    return _change(Action.FAIL, task_id, by, at, reason, reason_text, expected_version)


def retract(
    *, task_id: UUID, by: Actor, at: datetime, reason: str = "", reason_text: str = "", expected_version: int | None = None
) -> ReferralTask:
    """It should never have been sent: the wrong person, or the wrong service. The provider may no longer see who it was."""
    return _change(Action.RETRACT, task_id, by, at, reason, reason_text, expected_version)


@acting.across("the end of a wait takes requests back", seen=lambda **told: Episode.objects.filter(pk=told["episode_id"]))
@transaction.atomic
def end_episode(*, episode_id: UUID, by: User, at: datetime) -> Episode:
    """The stay or wait is over. Requests that nobody has answered are withdrawn. Ending it twice changes nothing."""
    episode = Episode.objects.of_ones_own(by).filter(pk=episode_id).first()
    if episode is None:
        raise NotFound("That stay is not in your organisation’s records.")
    lock_whose(episode.patient_id, Episode.objects.filter(pk=episode_id))
    referrals = [r.pk for r in Referral.objects.select_for_update(no_key=True).filter(episode=episode).order_by("pk")]
    tasks = list(steps.tasks_to_lock().filter(referral__in=referrals, status=Status.REQUESTED))
    for referral in Referral.objects.filter(pk__in=referrals, in_order=True):
        waterfall.drop_rest(referral, EPISODE_ENDED, at)
    ending.end(referrals, why=EPISODE_ENDED, by=by, at=at)
    held = pools_held(Q(episode=episode))
    places.lock(held | {task.pool_id for task in tasks if task.reservation_id})
    withdrawal = workflow.step(Action.WITHDRAW, status=Status.REQUESTED, side=Side.SYSTEM)
    for task in tasks:
        steps.give_back(task, by=None, at=at)
        steps.take(task, withdrawal, by=None, at=at, reason=("", EPISODE_ENDED))
    give_back_waiting(Q(episode=episode), held, at=at)
    steps.end_wait(episode.pk, at)
    ending.end_sent_on(referrals, by=by, at=at)
    episode.refresh_from_db()
    publish("flow.changed", topics=["region"])
    tell_colleagues(episode.organization_id)
    return episode


@acting.across("a step of one side changes what the other reads", seen=lambda action, pk, *rest: ReferralTask.objects.filter(pk=pk))
@transaction.atomic
def _change(
    action: Action, task_id: UUID, by: Actor | None, at: datetime, reason: str, reason_text: str, expected_version: int | None
) -> ReferralTask:
    """Any step that concerns one task alone; of a list in order the next service is asked when this one will not help."""
    task, tasks = steps.lock(task_id)
    step = steps.permit(action, task, tasks, by=by, expected_version=expected_version)
    why = steps.reason_of(step, reason, reason_text)
    # What a sender takes back is the sender's to follow up: there is a button for the next one.
    refused = by is not None and task.side_of(by) == Side.PROVIDER and task.status == Status.REQUESTED
    if refused:
        places.lock({task.pool_id} | waterfall.pools_waiting(task.referral))
    if step.target in (Status.REJECTED, Status.CANCELLED, Status.ENTERED_IN_ERROR):
        steps.give_back(task, by=by, at=at)
    steps.take(task, step, by=by, at=at, reason=why)
    if refused:
        waterfall.go_on(task.referral, number=waterfall.missing(task.referral, tasks), by=None, at=at)
    begins = step.target in (Status.IN_PROGRESS, Status.COMPLETED)
    # Of what was sent together, or where several are wanted, what comes to nothing may be the last that was waited for.
    several = task.referral.package or task.referral.wanted > 1
    if (begins or (several and step.target != Status.ON_HOLD)) and task.referral.wait_is_over:
        steps.end_wait(task.referral.episode_id, at)
    if step.target in (Status.CANCELLED, Status.ENTERED_IN_ERROR):
        ending.end_sent_on([task.referral_id], by=account_of(by), at=at)
    publish("flow.changed", topics=["region"])
    return task
