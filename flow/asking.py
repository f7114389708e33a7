"""What a sender does with a referral that is under way: the order of those to be asked, the next one now, one more, or enough of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

import capacity.operations as places
from capacity.models import ServiceCapacity
from catalogue.models import User
from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow import checks, consents, fit, revisions, steps, waterfall, workflow
from flow.hubs import ending
from flow.models import QueuedAsk, Referral, ReferralTask
from flow.pathways import choosing
from flow.waterfall import State
from flow.workflow import Action, Side, Status

#: More services than this for one referral is a mistake or a mailshot.
MOST_ASKED = 20


def _entry_seen(**told: Any) -> QuerySet[QueuedAsk]:
    return QueuedAsk.objects.filter(pk=told["entry_id"])


def _referral_seen(**told: Any) -> QuerySet[Referral]:
    return Referral.objects.filter(pk=told["referral_id"])


@acting.across("whom a referral asks is decided where several teams meet", seen=_entry_seen)
@transaction.atomic
def move(*, entry_id: UUID, up: bool, by: User, at: datetime) -> QueuedAsk:
    """Let a service that is still to be asked change places with the one before it, or after it. At an end nothing changes."""
    entry, _ = _entry(entry_id, by)
    line = waterfall.waiting(entry.referral)
    place = next(number for number, one in enumerate(line) if one.pk == entry.pk)
    other = place - 1 if up else place + 1
    if 0 <= other < len(line):
        mine, theirs = line[place], line[other]
        mine.position, theirs.position = theirs.position, mine.position
        QueuedAsk.objects.bulk_update([mine, theirs], ["position"])
        waterfall.tell(entry.referral)
        return mine
    return entry


@acting.across("whom a referral asks is decided where several teams meet", seen=_referral_seen)
@transaction.atomic
def order(*, referral_id: UUID, pool_ids: Iterable[UUID], by: User, at: datetime, expected: str | None = None) -> Referral:
    """Put all services that are still to be asked into a new order. Raises Conflict (`moved-on`) when these are not they."""
    referral, _ = lock(referral_id, by, expected)
    line = {entry.pool_id: entry for entry in waterfall.waiting(referral)}
    wanted = list(pool_ids)
    if len(wanted) != len(line) or set(wanted) != set(line):
        raise Conflict("Name every service that is still to be asked, each once. The list may have changed: look again.", code="moved-on")
    for pool_id, position in zip(wanted, [entry.position for entry in line.values()], strict=True):
        line[pool_id].position = position
    QueuedAsk.objects.bulk_update(line.values(), ["position"])
    waterfall.tell(referral)
    return referral


@acting.across("whom a referral asks is decided where several teams meet", seen=_entry_seen)
@transaction.atomic
def leave_out(*, entry_id: UUID, by: User, at: datetime, expected: str | None = None) -> QueuedAsk:
    """Take a service that has not been asked off the list."""
    entry, _ = _entry(entry_id, by, expected)
    waterfall.settle(entry, State.DROPPED, "Taken off the list by the sender.", at)
    return entry


@acting.across("whom a referral asks is decided where several teams meet", seen=_referral_seen)
@transaction.atomic
def ask_next(*, referral_id: UUID, by: User, at: datetime, expected: str | None = None) -> ReferralTask:
    """Ask the next of the list now, without waiting for those who were asked. Raises Conflict (`nobody-left`) when nobody can be asked."""
    referral, tasks = lock(referral_id, by, expected)
    _require_going_on(referral)
    consents.satisfy(referral.patient, ticked=False, kinds=set(), by=by, at=at)
    if sum(task.status in Status.taken_on() for task in tasks) >= referral.wanted:
        raise Conflict("As many services as you want have said yes. Nobody else is asked.", code="moved-on")
    places.lock(waterfall.pools_waiting(referral))
    asked = waterfall.go_on(referral, number=1, by=by, at=at)
    if not asked:
        raise Conflict("Nobody is left in the list who could be asked now. Search again, or add a service.", code="nobody-left")
    publish("flow.changed", topics=["region"])
    return asked[0]


@acting.across("whom a referral asks is decided where several teams meet", seen=_referral_seen)
@transaction.atomic
def ask_also(
    *, referral_id: UUID, pool_ids: Iterable[UUID], by: User, at: datetime, even_so: bool = False, expected: str | None = None
) -> list[ReferralTask]:
    """Ask further services for the same thing: at once, or at the end of the list when this referral asks in order.

    Returns those that were asked now. On a pathway only its own can be asked. Raises as `flow.operations.send` does. `expected`, here as
    elsewhere: the mark of `flow.revisions` that was read; when something has changed since, nothing is done (Conflict, `stale-version`).
    """
    referral, tasks = lock(referral_id, by, expected)
    chosen = list(dict.fromkeys(pool_ids))
    if not chosen:
        raise Invalid("Choose at least one service.", code="no-places-chosen")
    known = {task.pool_id for task in tasks} | set(referral.queue.values_list("pool_id", flat=True))
    if len(known | set(chosen)) > MOST_ASKED:
        raise Invalid(f"One referral asks at most {MOST_ASKED} services.", code="too-many-places")
    if known & set(chosen):
        raise Conflict("One of these services was asked already by this referral, or stands in its list.", code="already-asked")
    _require_going_on(referral)
    if sum(task.status in Status.taken_on() for task in tasks) >= referral.wanted:
        raise Conflict("This referral is settled. Send a new one.", code="moved-on")
    if ServiceCapacity.objects.visible_to(by).offered(at).filter(pk__in=chosen).count() < len(chosen):
        raise NotFound("One of these services is no longer listed. Search again.", code="no-such-pool")
    choosing.require_inside(referral.pathway_version, chosen, field="pools")
    kinds = ServiceCapacity.objects.filter(pk__in=chosen).values_list("service__organization__kind", flat=True)
    consents.satisfy(referral.patient, ticked=False, kinds=set(kinds), by=by, at=at)
    pools = places.lock(set(chosen) | waterfall.pools_waiting(referral))
    new = {pool_id: pools[pool_id] for pool_id in chosen}
    checks.require_kept(new)
    standing = fit.standing(referral.profile, chosen, at)
    if not even_so:
        checks.require_fit(new, standing)
    if referral.in_order:
        waterfall.append(referral, chosen, even_so=even_so)
        asked = waterfall.go_on(referral, number=waterfall.missing(referral, tasks), by=by, at=at)
    else:
        checks.require_live(new, standing)
        elsewhere = ReferralTask.objects.open().filter(referral__patient=referral.patient_id, pool__in=chosen)
        if elsewhere.exists():
            raise Conflict("One of these services has already been asked for this person.", code="already-asked")
        asked = waterfall.ask(referral, list(new.values()), by=by, at=at, standing=standing)
    publish("flow.changed", topics=["region"])
    waterfall.tell(referral)
    return asked


@acting.across("whom a referral asks is decided where several teams meet", seen=_referral_seen)
@transaction.atomic
def close(*, referral_id: UUID, reason: str, by: User, at: datetime, expected: str | None = None) -> Referral:
    """Nothing more is needed of a referral: who has not answered is withdrawn, and nobody else is asked. A yes stays as it is."""
    referral, tasks = lock(referral_id, by, expected)
    reason = reason.strip()
    if not 1 <= len(reason) <= 300:
        raise Invalid("Say in a few words why nothing more is needed, in up to 300 letters.", code="reason-needed", field="reason")
    if referral.closed_at is not None:
        return referral
    waiting = [task for task in tasks if task.status == Status.REQUESTED]
    places.lock({task.pool_id for task in waiting if task.reservation_id})
    withdrawal = workflow.step(Action.WITHDRAW, status=Status.REQUESTED, side=Side.REFERRER)
    for task in waiting:
        steps.give_back(task, by=by, at=at)
        steps.take(task, withdrawal, by=by, at=at, reason=("", reason))
    waterfall.drop_rest(referral, reason, at)
    ending.end([referral.pk], why=reason, by=by, at=at)
    referral.closed_at, referral.closed_because = at, reason
    referral.save(update_fields=["closed_at", "closed_because"])
    ending.end_sent_on([referral.pk], by=by, at=at)
    if referral.wait_is_over:
        steps.end_wait(referral.episode_id, at)
    publish("flow.changed", topics=["region"])
    waterfall.tell(referral)
    return referral


def _entry(entry_id: UUID, by: User, expected: str | None = None) -> tuple[QueuedAsk, list[ReferralTask]]:
    """A service of the list that has not been asked, with its referral locked."""
    found = QueuedAsk.objects.visible_to(by).filter(pk=entry_id).values_list("referral_id", flat=True).first()
    if found is None:
        raise NotFound("That service is not in the list of this referral.")
    referral, tasks = lock(found, by, expected)
    entry = next((one for one in waterfall.waiting(referral) if one.pk == entry_id), None)
    if entry is None:
        raise Conflict("This service has been asked meanwhile, or is no longer needed. Look again.", code="moved-on")
    return entry, tasks


def _require_going_on(referral: Referral) -> None:
    if referral.closed_at is not None:
        raise Conflict("This referral is settled. Send a new one.", code="moved-on")
    if referral.episode is not None and referral.episode.ended_at is not None:
        raise Conflict(f"{waterfall.STAY_ENDED} Nobody else is asked; send a new referral if something is needed.", code="ended")


def lock(referral_id: UUID, by: User, expected: str | None = None) -> tuple[Referral, list[ReferralTask]]:
    """A referral that `by`'s team sent, and its tasks, for a change that was made on what `expected` marks."""
    seen = Referral.objects.visible_to(by).filter(pk=referral_id).values_list("organization_id", flat=True).first()
    if seen is None:
        raise NotFound("There is no such referral.")
    if not by.is_referrer or seen != by.organization_id:
        raise NotAllowed("Only the team that sent a referral can change it.")
    tasks = steps.lock_referral(referral_id, with_person=True)
    beside = ("patient", "profile", "organization", "episode", "pathway_version__pathway")
    referral = Referral.objects.select_related(*beside).get(pk=referral_id)
    revisions.require(referral, expected)
    return referral, tasks
