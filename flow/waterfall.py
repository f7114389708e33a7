"""Asking one service after the other: whose turn it is, who is passed over and why.

Everything here happens under the locks of `flow.operations`: the person, the referral, its tasks and the pools in the list are locked.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from django.db.models import Max

import capacity.operations as places
from capacity.models import ServiceCapacity
from capacity.queries import pool_states
from capacity.status import Rag
from core.errors import LuneError
from core.events import publish
from core.models import Event
from flow import consents, fit, steps, workflow
from flow.consents import Purpose
from flow.deadlines import respond_by
from flow.holds import held_for_sending, require_fewer
from flow.models import QueuedAsk, Referral, ReferralTask, RuleVersion
from flow.workflow import Action, Side, Status
from matching.engine import explain

State = QueuedAsk.State
STAY_ENDED = "The stay or wait for which this was sent has ended."
_NONE: Mapping[UUID, UUID] = MappingProxyType({})


def ask(
    referral: Referral,
    pools: Sequence[ServiceCapacity],
    *,
    by: steps.Actor | None,
    at: datetime,
    reservations: Mapping[UUID, UUID] = _NONE,
    standing: Mapping[UUID, fit.Standing] | None = None,
    rule: RuleVersion | None = None,
    beside: Sequence[Event] = (),
) -> list[ReferralTask]:
    """Ask services now, in the order of their keys. Whether they may be asked was looked at before: `standing` is how they stood then.

    `beside`: events that are told in the same breath.
    """
    if standing is None:
        standing = fit.standing(referral.profile, [pool.pk for pool in pools], at)
    until = respond_by(referral, at)
    tasks = [
        ReferralTask(
            referral=referral,
            pool=pool,
            provider_id=pool.service.organization_id,
            requested_at=at,
            respond_by=until,
            reservation_id=reservations.get(pool.pk),
            checked=standing[pool.pk].as_asked() if pool.pk in standing else {},
        )
        for pool in sorted(pools, key=lambda pool: pool.pk)
    ]
    side = Side.SYSTEM if by is None else Side.REFERRER
    steps.send_all(tasks, workflow.step(Action.SEND, status=Status.DRAFT, side=side), by=by, at=at, rule=rule, beside=beside)
    return tasks


def begin(
    referral: Referral,
    pool_ids: Sequence[UUID],
    *,
    asked_now: Collection[UUID],
    held: Collection[UUID],
    at: datetime,
    even_so: bool = False,
) -> list[QueuedAsk]:
    """Write the list down. A place is kept at those in `held` when it is their turn, and never before: the others’ are free for others.

    `even_so`: they are asked also where their entries speak against the person, which the sender has read.
    """
    return QueuedAsk.objects.bulk_create(
        QueuedAsk(
            referral=referral,
            pool_id=pool_id,
            position=number,
            hold=pool_id in held,
            even_so=even_so,
            state=State.ASKED if pool_id in asked_now else State.WAITING,
            decided_at=at if pool_id in asked_now else None,
        )
        for number, pool_id in enumerate(pool_ids, 1)
    )


def append(referral: Referral, pool_ids: Sequence[UUID], *, even_so: bool = False) -> None:
    """Put further services at the end of the list."""
    last = referral.queue.aggregate(last=Max("position"))["last"] or 0
    QueuedAsk.objects.bulk_create(
        QueuedAsk(referral=referral, pool_id=pool_id, position=number, even_so=even_so) for number, pool_id in enumerate(pool_ids, last + 1)
    )


def waiting(referral: Referral) -> list[QueuedAsk]:
    """Who is still to be asked, in order."""
    return list(referral.queue.filter(state=State.WAITING).select_related("pool__service__organization").order_by("position"))


def pools_waiting(referral: Referral) -> set[UUID]:
    """The places in the list that are to be locked before the next is asked."""
    return {entry.pool_id for entry in waiting(referral)} if referral.in_order else set()


def missing(referral: Referral, tasks: Sequence[ReferralTask]) -> int:
    """How many more must be asked now, so that as many are asked as are wanted. Who missed a deadline and stays asked does not count."""
    yes = sum(task.status in Status.taken_on() for task in tasks)
    asked = sum(task.status == Status.REQUESTED and not task.late for task in tasks)
    return max(0, referral.wanted - yes - asked)


def next_ready(referral: Referral, at: datetime) -> QueuedAsk | None:
    """The next service of the list that can be asked now. Those before it that cannot are passed over, and the reason is written.

    Once the stay for which it was sent has ended – another service has begun – nobody else is asked.
    """
    if not referral.in_order:
        return None
    if referral.episode is not None and referral.episode.ended_at is not None:
        drop_rest(referral, STAY_ENDED, at)
        return None
    for entry in waiting(referral):
        why = obstacle(referral, entry.pool, at, even_so=entry.even_so)
        if not why:
            return entry
        settle(entry, State.PASSED, why, at)
    return None


def go_on(referral: Referral, *, number: int, by: steps.Actor | None, at: datetime, rule: RuleVersion | None = None) -> list[ReferralTask]:
    """Ask the next `number` services of the list that can be asked."""
    asked: list[ReferralTask] = []
    while len(asked) < number and (entry := next_ready(referral, at)):
        held = held_for_sending(referral.patient, [entry.pool_id], at).get(entry.pool_id) or (_hold(entry, at) if entry.hold else None)
        settle(entry, State.ASKED, "", at)
        asked += ask(referral, [entry.pool], by=by, at=at, reservations={entry.pool_id: held} if held else _NONE, rule=rule)
    return asked


def obstacle(referral: Referral, pool: ServiceCapacity, at: datetime, *, even_so: bool = False) -> str:
    """Why a service cannot be asked now, in words for the sender; empty when it can. Its figures and criteria are read anew, and what
    the person agreed to. `even_so`: the sender has read that its entry speaks against the person.
    """
    kind = pool.service.organization.kind
    if consents.says_no(referral.patient, Purpose.CARE) or consents.says_no(referral.patient, Purpose.SHARING, kind):
        return "What the person agrees to did not allow to ask it when its turn came."
    if pool.service.merged_into_id or not ServiceCapacity.objects.offered(at).filter(pk=pool.pk, service__status="active").exists():
        return "It was no longer listed when its turn came."
    if ReferralTask.objects.open().filter(referral__patient=referral.patient_id, pool=pool).exists():
        return "It had already been asked for this person when its turn came."
    if pool.pk not in held_for_sending(referral.patient, [pool.pk], at):
        state = pool_states([pool.pk], at)[pool.pk]
        if state.rag == Rag.RED:
            return f"{'It was full' if state.word.startswith('Full') else 'It took nobody'} when its turn came."
    against = () if even_so else fit.failed(referral.profile, [pool.pk], at).get(pool.pk, ())
    if against:
        return f"Its entry no longer fitted when its turn came: {' and '.join(explain.label(code) for code in against)}."
    return ""


def parts_not_needed(referral: Referral) -> list[ReferralTask]:
    """Of a package of which some parts are enough: what is still asked for, once this part makes them enough. All of it is locked."""
    if referral.package_wanted is None:
        return []
    others = Referral.objects.filter(package=referral.package, package_wanted__isnull=False).exclude(pk=referral.pk)
    yes = ReferralTask.objects.filter(referral__in=others, status__in=Status.taken_on()).order_by().values("referral").distinct()
    if yes.count() + 1 < referral.package_wanted:
        return []
    return list(steps.tasks_to_lock().filter(referral__in=others, status=Status.REQUESTED))


def settle(entry: QueuedAsk, state: State, why: str, at: datetime) -> None:
    """Write what became of one service of the list, and tell the sender's screens."""
    entry.state, entry.because, entry.decided_at = state, why, at
    entry.save(update_fields=["state", "because", "decided_at"])
    tell(entry.referral)


def drop_rest(referral: Referral, why: str, at: datetime) -> None:
    """Nobody else of the list is needed."""
    if referral.in_order and referral.queue.filter(state=State.WAITING).update(state=State.DROPPED, because=why, decided_at=at):
        tell(referral)


def tell(referral: Referral) -> None:
    """The sender's screens show the list; a provider hears nothing of it."""
    publish(
        "referral.queue",
        topics=[f"org:{referral.organization_id}", f"referral:{referral.pk}"],
        audience=[referral.organization_id],
        data={"referral": str(referral.pk)},
    )


def _hold(entry: QueuedAsk, at: datetime) -> UUID | None:
    """Keep a place at the service whose turn it is. When none can be kept it is asked without: a place is counted at the yes."""
    referral = entry.referral
    try:
        require_fewer(referral.patient, entry.pool, at)
        return places.hold(pool_id=entry.pool_id, organization=referral.organization, by=None, at=at).pk
    except LuneError:
        return None
