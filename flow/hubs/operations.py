"""What a sender and a hub do with a referral in the hub's queue. Each is one transaction: lock the referral and its entry, then change.

Locks are taken as `flow.operations` says: patient, referral, tasks, pools; the entry goes with its referral.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

import capacity.operations as places
from capacity.models import ServiceCapacity
from catalogue.models import User
from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow import checks, consents, fit, steps, waterfall, workflow
from flow.holds import held_for_sending
from flow.hubs.closing import ANSWER_WITHIN
from flow.hubs.journal import MOST_WORDS, finish, log_step, tell_taken_back
from flow.hubs.steps import WHOSE_MOVE, HubAction, HubMove, HubSide, HubState, move
from flow.models import Episode, Hub, HubEntry, PathwayVersion, Patient, Referral, ReferralTask, Team
from flow.pathways import choosing
from flow.pathways.adherence import due, expected
from flow.pathways.configuration import answers
from flow.people import lock_whose
from flow.sharing.hubs import close_for, open_for, share_back, team_of
from flow.workflow import Action, Side, Status
from matching.models import MatchRun, NeedProfile

__all__ = [
    "WHOSE_MOVE", "answer", "ask", "assign", "pass_on", "put_back", "return_", "route", "send",
    "send_again", "take", "take_back", "triage", "triage_by", "withdraw",
]  # fmt: skip

#: How soon a hub looks at something urgent.
URGENT_WITHIN = timedelta(hours=2)


def _asked(*, entry_id: UUID, **told: Any) -> Any:
    return HubEntry.objects.filter(pk=entry_id)


_of_both = acting.across("a step of a hub changes what the sender reads and what another hub may", seen=_asked)


@acting.across("what a hub is sent is opened to its team", seen=lambda **told: Patient.objects.filter(pk=told["patient_id"]))
@transaction.atomic
def send(
    *,
    patient_id: UUID,
    profile_id: UUID,
    hub_id: UUID,
    by: User,
    at: datetime,
    urgency: str = Referral.Urgency.ROUTINE,
    reason: str = "",
    consent: bool = False,
    episode_id: UUID | None = None,
    version_id: UUID | None = None,
    typed: Mapping[str, str] | None = None,
) -> HubEntry:
    """Send a referral to a hub in place of services. It stays the sender's; the hub's team may read it, and nobody else there.

    `version_id` and `typed`: the version of a pathway and what was answered to its questions. Raises NotAllowed, NotFound, Invalid (with
    the `field`) and Conflict (`no-agreement`, and what consent forbids).
    """
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers can send a referral.")
    if urgency not in Referral.Urgency.values:
        raise Invalid("Choose how urgent it is.", field="urgency")
    patient = Patient.objects.kept_by(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    hub = Hub.objects.visible_to(by).select_related("organization", "team").filter(pk=hub_id, is_active=True).first()
    if hub is None:
        raise Invalid("Choose one of the hubs.", field="hub")
    consents.satisfy(patient, ticked=consent, kinds={hub.organization.kind}, by=by, at=at)
    if not NeedProfile.objects.visible_to(by).filter(pk=profile_id).exists():
        raise NotFound("That search is not one of your organisation’s. Search again.")
    episode = Episode.objects.visible_to(by).filter(pk=episode_id, patient=patient).first() if episode_id else None
    if episode is not None:
        checks.require_waiting(patient, episode.pk, by)
    version = _version(version_id, hub, by)
    referral = Referral.objects.create(
        patient=patient,
        episode=episode,
        profile_id=profile_id,
        organization=by.organization,
        created_by=by,
        created_at=at,
        urgency=urgency,
        reason=reason.strip(),
        consent=True,
        team_id=team_of(patient, episode_id, by.organization.pk),
        pathway_version=version,
        pathway_answers=answers(version, typed or {}) if version else {},
    )
    share_back(referral, by=by, at=at)
    open_for(referral, hub, by=by, at=at)
    entry = HubEntry.objects.create(
        referral=referral, hub=hub, due_at=triage_by(referral, hub, at), queued_at=at, changed_at=at, state=HubState.QUEUED
    )
    log_step(entry, HubAction.SEND, "", by=by, at=at)
    _queued(entry)
    return entry


def hand_over(referral: Referral, hub: Hub, *, at: datetime, words: str) -> HubEntry:
    """Put a referral that is under way into a hub’s queue, for a process rule: called in its transaction, with the referral locked.

    Raises Conflict (`at-a-hub`, `no-agreement`, `moved-on`, `consent-withdrawn`).
    """
    _require_going_on(referral)
    if HubEntry.objects.filter(referral=referral).exists():
        raise Conflict("This referral has been at a hub already.", code="at-a-hub")
    open_for(referral, hub, by=None, at=at)
    due = triage_by(referral, hub, at)
    entry = HubEntry.objects.create(referral=referral, hub=hub, due_at=due, queued_at=at, changed_at=at, state=HubState.QUEUED)
    log_step(entry, HubAction.SEND, "", by=None, at=at, words=words)
    _queued(entry)
    return entry


@_of_both
def take(*, entry_id: UUID, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Assign an entry to oneself. Of two who take it at once the first has it, and the other is told who (Conflict, `taken`)."""
    return _assign(HubAction.TAKE, entry_id, by, at, to=by.pk, expected_version=expected_version)


@_of_both
def put_back(*, entry_id: UUID, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Nobody's again, for any colleague to take."""
    return _assign(HubAction.PUT_BACK, entry_id, by, at, to=None, expected_version=expected_version)


@_of_both
def assign(*, entry_id: UUID, user_id: UUID, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Give it to a colleague of the hub, whoever has it now."""
    return _assign(HubAction.ASSIGN, entry_id, by, at, to=user_id, expected_version=expected_version)


@_of_both
@transaction.atomic
def triage(*, entry_id: UUID, urgency: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Accept it into the hub and say how urgent it is. It is then the hub's to find a service."""
    entry, step = _begin(HubAction.TRIAGE, entry_id, by, expected_version)
    if urgency not in Referral.Urgency.values:
        raise Invalid("Choose how urgent it is.", field="urgency")
    if entry.referral.urgency != urgency:
        entry.referral.urgency = urgency
        entry.referral.save(update_fields=["urgency"])
    entry.assigned_to_id = entry.assigned_to_id or by.pk
    return finish(entry, step, by=by, at=at, words=f"Urgency: {entry.referral.get_urgency_display().lower()}")


@_of_both
@transaction.atomic
def ask(*, entry_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Ask the sender for more. It is the sender's move, and the entry stays whose it is."""
    entry, step = _begin(HubAction.ASK, entry_id, by, expected_version)
    return finish(entry, step, by=by, at=at, words=words, due_at=at + ANSWER_WITHIN)


@_of_both
@transaction.atomic
def answer(*, entry_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """The sender answers what the hub asked; it is in the queue again."""
    entry, step = _begin(HubAction.ANSWER, entry_id, by, expected_version)
    entry = finish(entry, step, by=by, at=at, words=words, due_at=triage_by(entry.referral, entry.hub, at))
    _queued(entry)
    return entry


@_of_both
@transaction.atomic
def return_(*, entry_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Give it back to the sender, with the reason. The hub reads it no longer."""
    entry, step = _begin(HubAction.RETURN, entry_id, by, expected_version)
    entry.assigned_to = None
    entry = finish(entry, step, by=by, at=at, words=words, due_at=at + ANSWER_WITHIN)
    close_for(entry.referral, by=by, at=at)
    return entry


@_of_both
@transaction.atomic
def send_again(*, entry_id: UUID, words: str = "", by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Send what was returned to the same hub again."""
    entry, step = _begin(HubAction.SEND, entry_id, by, expected_version)
    open_for(entry.referral, entry.hub, by=by, at=at)
    entry.queued_at = at
    entry = finish(entry, step, by=by, at=at, words=words, due_at=triage_by(entry.referral, entry.hub, at))
    _queued(entry)
    return entry


@_of_both
@transaction.atomic
def pass_on(*, entry_id: UUID, hub_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Pass it to another hub, in one step: it is never in neither. That hub may read it from now on and this one no longer.

    Raises Conflict (`no-agreement`) when the sender shares nothing with that hub; then it stays where it is.
    """
    entry, step = _begin(HubAction.PASS_ON, entry_id, by, expected_version)
    hub = Hub.objects.visible_to(by).select_related("organization", "team").filter(pk=hub_id, is_active=True).first()
    if hub is None or hub.pk == entry.hub_id:
        raise Invalid("Choose another hub.", field="hub")
    close_for(entry.referral, by=by, at=at)
    open_for(entry.referral, hub, by=by, at=at)
    before = entry.hub.organization_id
    entry.hub, entry.assigned_to, entry.queued_at = hub, None, at
    entry = finish(entry, step, by=by, at=at, words=words, due_at=triage_by(entry.referral, hub, at), also=before)
    _queued(entry)
    return entry


@_of_both
@transaction.atomic
def withdraw(*, entry_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """The sender takes it back before the hub has sent it on. The hub reads it no longer."""
    entry, step = _begin(HubAction.WITHDRAW, entry_id, by, expected_version)
    entry.assigned_to = None
    entry = finish(entry, step, by=by, at=at, words=words)
    close_for(entry.referral, by=by, at=at)
    return entry


@_of_both
@transaction.atomic
def route(
    *, entry_id: UUID, run_id: UUID, pool_ids: Iterable[UUID], by: User, at: datetime, expected_version: int | None = None
) -> HubEntry:
    """Ask services on behalf of the sender, who stays the owner and follows every answer. Again, when those asked have said no.

    All or nothing. Raises what `flow.operations.send` raises, and Conflict (`settled`) when a service has said yes already.
    """
    entry, step = _begin(HubAction.ROUTE, entry_id, by, expected_version)
    referral, chosen = entry.referral, list(dict.fromkeys(pool_ids))
    _require_going_on(referral)
    if not 1 <= len(chosen) <= 20:
        raise Invalid("Choose from one to 20 services.", code="no-places-chosen", field="pools")
    run = MatchRun.objects.visible_to(by).filter(pk=run_id).first()
    if run is None:
        raise NotFound("That list of services is not one of your hub’s. Search again.")
    if any(task.status in Status.known_to_provider() for task in ReferralTask.objects.filter(referral=referral)):
        raise Conflict("A service has said yes already. Nothing has been sent.", code="settled")
    if ServiceCapacity.objects.visible_to(by).offered(at).filter(pk__in=chosen).count() < len(chosen):
        raise NotFound("One of these services is no longer listed, or its session has begun. Search again.", code="no-such-pool")
    choosing.require_inside(referral.pathway_version, chosen, field="pools")
    asked = ReferralTask.objects.filter(Q(referral=referral) | Q(referral__patient=referral.patient_id, status__in=Status.open()))
    before = asked.filter(pool__in=chosen).select_related("pool__service").first()
    if before is not None:
        raise Conflict(
            f"{before.pool.service.name} has already been asked for this person. Leave this service out.",
            code="already-asked",
            pool=str(before.pool_id),
        )
    kinds = ServiceCapacity.objects.filter(pk__in=chosen).values_list("service__organization__kind", flat=True)
    consents.satisfy(referral.patient, ticked=False, kinds=set(kinds), by=by, at=at)
    pools = places.lock(chosen)
    checks.require_kept(pools)
    kept = held_for_sending(referral.patient, chosen, at)
    standing = fit.standing(referral.profile, chosen, at)
    checks.require_live({pool_id: pool for pool_id, pool in pools.items() if pool_id not in kept}, standing)
    checks.require_fit(pools, standing)
    waterfall.ask(referral, list(pools.values()), by=by, at=at, reservations=kept, standing=standing)
    entry.assigned_to_id = entry.assigned_to_id or by.pk
    entry = finish(entry, step, by=by, at=at, words=", ".join(sorted({pool.service.name for pool in pools.values()}))[:MOST_WORDS])
    publish("flow.changed", topics=["region"])
    return entry


@_of_both
@transaction.atomic
def take_back(*, entry_id: UUID, task_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> HubEntry:
    """Withdraw one request from a service, on behalf of the sender: the place is free again, and a service that had said yes loses sight.

    Raises NotFound, Invalid, and Conflict (`moved-on` for what has ended, `stale-version`).
    """
    asked = ReferralTask.objects.filter(pk=task_id, referral__hub_entry__in=HubEntry.objects.visible_to(by).filter(pk=entry_id))
    referral_id = asked.values_list("referral", flat=True).first()
    if referral_id is None:
        raise NotFound("That service was not asked for this referral.")
    tasks = steps.lock_referral(referral_id, with_person=True)
    entry, step = _begin(HubAction.TAKE_BACK, entry_id, by, expected_version)
    task = next(each for each in tasks if each.pk == task_id)
    taken = workflow.step(Action.WITHDRAW, status=task.status, side=Side.REFERRER)
    why = steps.reason_of(taken, "", words)
    steps.give_back(task, by=by, at=at)
    steps.take(task, taken, by=by, at=at, reason=why)
    if task.referral.package and task.referral.wait_is_over:
        steps.end_wait(task.referral.episode_id, at)
    alive = any(each.status in (*Status.open(), *Status.known_to_provider()) for each in tasks)
    again = None if alive else triage_by(entry.referral, entry.hub, at)
    entry = finish(entry, step, by=by, at=at, words=f"{task.pool.service.name}: {words.strip()}"[:MOST_WORDS], due_at=again)
    tell_taken_back(entry, task, by=by)
    publish("flow.changed", topics=["region"])
    return entry


def _require_going_on(referral: Referral) -> None:
    """Nobody is asked for a referral of which its sender needs nothing more."""
    if referral.closed_at is not None or (referral.episode is not None and referral.episode.ended_at is not None):
        raise Conflict("Its sender has closed this referral, or the stay has ended. Nothing has been sent.", code="moved-on")


@transaction.atomic
def _assign(action: HubAction, entry_id: UUID, by: User, at: datetime, *, to: UUID | None, expected_version: int | None) -> HubEntry:
    entry, step = _begin(action, entry_id, by, expected_version)
    if action == HubAction.TAKE and entry.assigned_to is not None:
        who = "You have" if entry.assigned_to_id == by.pk else f"{entry.assigned_to} has"
        raise Conflict(f"{who} taken this already.", code="taken", by=str(entry.assigned_to_id))
    if to is not None and not Team.members.through.objects.filter(team=entry.hub.team_id, user=to, user__is_active=True).exists():
        raise Invalid("Choose somebody who works at this hub.", field="colleague")
    entry.assigned_to_id = to
    entry = finish(entry, step, by=by, at=at)
    if to is not None and to != by.pk:
        publish(
            "hub.assigned",
            topics=[f"org:{entry.hub.organization_id}"],
            audience=[entry.hub.organization_id],
            data={"entry": str(entry.pk), "to": [str(to)]},
        )
    return entry


def _begin(action: HubAction, entry_id: UUID, by: User, expected_version: int | None) -> tuple[HubEntry, HubMove]:
    """Lock an entry and the rows above it, and see whether `by` may take the step now."""
    found = HubEntry.objects.visible_to(by).filter(pk=entry_id).values_list("referral_id", "referral__patient_id").first()
    if found is None:
        raise NotFound("There is no such referral.")
    if action == HubAction.ROUTE:
        lock_whose(found[1], Referral.objects.filter(pk=found[0]))
    Referral.objects.select_for_update(no_key=True).get(pk=found[0])
    entries = HubEntry.objects.select_for_update(of=("self",)).select_related(
        "hub__organization", "assigned_to", "referral__patient", "referral__profile", "referral__pathway_version__pathway"
    )
    entry = entries.get(pk=entry_id)
    side = side_of(entry, by, action)
    step = move(action, state=entry.state, side=side)
    if expected_version is not None and expected_version != entry.version and action != HubAction.TAKE:
        raise Conflict("This referral has changed since you looked. Look again, then go on.", code="stale-version", version=entry.version)
    return entry, step


def side_of(entry: HubEntry, by: User, action: HubAction | None = None) -> HubSide:
    """On which side `by` stands; of somebody who is on both, the one that may take the step. Raises NotFound for neither."""
    works_there = by.is_referrer and Team.members.through.objects.filter(team=entry.hub.team_id, user=by.pk).exists()
    sent_it = by.is_referrer and entry.referral.organization_id == by.organization_id
    if works_there and not (sent_it and action in (HubAction.SEND, HubAction.ANSWER, HubAction.WITHDRAW)):
        return HubSide.HUB
    if sent_it:
        return HubSide.SENDER
    raise NotFound("There is no such referral.")


def _queued(entry: HubEntry) -> None:
    staff = Team.members.through.objects.filter(team=entry.hub.team_id, user__is_active=True).order_by("user_id")
    publish(
        "hub.queued",
        topics=[f"org:{entry.hub.organization_id}"],
        audience=[entry.hub.organization_id],
        data={"entry": str(entry.pk), "to": [str(user) for user in staff.values_list("user_id", flat=True)]},
    )


def triage_by(referral: Referral, hub: Hub, at: datetime) -> datetime:
    """The pathway's own deadline, or the hub's; something urgent sooner than either."""
    named = expected(referral.pathway_version, "triaged")
    usual = due(named, at) if named else at + timedelta(hours=hub.triage_hours)
    return min(usual, at + URGENT_WITHIN) if referral.urgency == Referral.Urgency.URGENT else usual


def _version(version_id: UUID | None, hub: Hub, by: User) -> PathwayVersion | None:
    version = choosing.chosen(version_id, by)
    if version is None:
        return None
    covered = set(hub.pathways.values_list("pk", flat=True))
    if covered and version.pathway_id not in covered:
        raise Invalid(f"{hub.name} does not take people on this pathway. Choose another hub.", field="hub")
    return version
