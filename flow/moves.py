"""Whose move it is: of each referral and each request who is expected to do what, by when, and since when it is late."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, TextChoices

from catalogue.models import User
from flow.deadlines import sender_by
from flow.hubs.queries import stuck
from flow.hubs.steps import HubState
from flow.lateness import due_at
from flow.models import HubEntry, QueuedAsk, Referral, ReferralTask, Transition
from flow.workflow import Action, Status


class Mover(TextChoices):
    REFERRER = "referrer", "The sender"
    PROVIDER = "provider", "The service"
    HUB = "hub", "The hub"
    NOBODY = "nobody", "Nobody"


#: What each step is, as it is expected of somebody.
EXPECTED = {
    "answer": "to answer",
    "start": "to begin support",
    "resume": "to go on after the pause",
    "complete": "to finish support",
    "ask": "to ask somebody else, or to close the referral",
    "tell-hub": "to answer the hub",
    "triage": "to look at the referral and send it on",
}
_OF_TASK = {
    Status.REQUESTED: "answer",
    Status.ACCEPTED: "start",
    Status.ON_HOLD: "resume",
    Status.IN_PROGRESS: "complete",
}
#: States in which a provider has something to do now. Support that goes on is theirs too, but waits for nothing.
AWAITED = (Status.REQUESTED, Status.ACCEPTED, Status.ON_HOLD)


@dataclass(frozen=True, slots=True)
class Move:
    """`who` names the service or hub whose move it is; empty for the sender and for nobody."""

    side: str
    who: str = ""
    step: str = ""
    by: datetime | None = None
    overdue_since: datetime | None = None

    @property
    def words(self) -> str:
        """A sentence for the sender’s page: "Elm House is to answer"."""
        if self.side == Mover.NOBODY:
            return "Nobody needs to do anything."
        who = "You are" if self.side == Mover.REFERRER else f"{self.who} is"
        return f"{who} {EXPECTED[self.step]}."


NOBODYS = Move(Mover.NOBODY)


def of_task(task: ReferralTask, at: datetime) -> Move:
    """Of one request. Reads `pool.service`."""
    step = _OF_TASK.get(Status(task.status))
    if step is None:
        return NOBODYS
    due = due_at(task)
    return Move(Mover.PROVIDER, task.pool.service.name, step, due, _late(due, at))


def of_referral(referral: Referral, at: datetime) -> Move:
    return of_referrals([referral], at)[referral.pk]


def of_new(referral: Referral, at: datetime) -> Move:
    """Of a referral that was sent this moment straight to services: nothing has come after what it has as `sent`."""
    return _of(referral, referral.sent, None, False, at)


def of_referrals(referrals: Iterable[Referral], at: datetime) -> dict[UUID, Move]:
    """Of each referral: an answer that is awaited comes first, then what was begun; when nobody is left, it is the sender’s move."""
    sent = {referral.pk: referral for referral in referrals}
    tasks: dict[UUID, list[ReferralTask]] = defaultdict(list)
    asked = ReferralTask.objects.filter(referral__in=sent).select_related("pool__service").order_by("respond_by", "pk")
    for task in asked.annotate(refused=Exists(_withdrawn_by_provider())):
        tasks[task.referral_id].append(task)
    at_hubs = HubEntry.objects.filter(referral__in=sent).select_related("hub").annotate(is_stuck=stuck())
    entries = {entry.referral_id: entry for entry in at_hubs}
    done = _superseded(sent.values())
    return {pk: _of(referral, tasks[pk], entries.get(pk), pk in done, at) for pk, referral in sent.items()}


def _of(referral: Referral, tasks: list[ReferralTask], entry: HubEntry | None, superseded: bool, at: datetime) -> Move:
    if entry is not None and entry.state in HubState.with_hub():
        return Move(Mover.HUB, entry.hub.name, "triage", entry.due_at, _late(entry.due_at, at))
    if entry is not None and entry.state == HubState.ASKED:
        return Move(Mover.REFERRER, "", "tell-hub", entry.due_at, _late(entry.due_at, at))
    for status in (Status.REQUESTED, Status.ACCEPTED, Status.ON_HOLD, Status.IN_PROGRESS):
        moves = [of_task(task, at) for task in tasks if task.status == status]
        if len(moves) == 1:
            return moves[0]
        if moves:
            first = min((move.by for move in moves if move.by), default=None)
            return Move(Mover.PROVIDER, f"One of {len(moves)} services", moves[0].step, first, _late(first, at))
    if referral.closed_at is not None or (referral.episode_id and referral.episode and referral.episode.ended_at):
        return NOBODYS
    since = max([task.changed_at for task in tasks], default=entry.changed_at if entry else referral.created_at)
    if entry is not None and entry.state == HubState.ROUTED and entry.is_stuck:  # type: ignore[attr-defined]  # annotated above
        due = entry.due_at if entry.due_at > since else sender_by(referral, since)
        return Move(Mover.HUB, entry.hub.name, "triage", due, _late(due, at))
    if superseded:
        return NOBODYS
    returned = entry is not None and entry.state == HubState.RETURNED
    if returned or nobody_left(referral, tasks):
        due = sender_by(referral, since)
        return Move(Mover.REFERRER, "", "ask", due, _late(due, at))
    return NOBODYS


def nobody_left(referral: Referral, tasks: Iterable[ReferralTask]) -> bool:
    """Fewer have said yes than are wanted, and nobody is asked any more: somebody said no, or took a yes back, or gave up.

    What the sender took back by themselves leaves nothing to do. `tasks` come from `with_refusals`.
    """
    tasks = list(tasks)
    yes = sum(task.status in Status.taken_on() for task in tasks)
    refused = any(task.status in (Status.REJECTED, Status.FAILED) or getattr(task, "refused", False) for task in tasks)
    return refused and yes < referral.wanted and not any(task.status == Status.REQUESTED for task in tasks)


def with_refusals(referral_id: UUID) -> list[ReferralTask]:
    """The tasks of one referral with what `nobody_left` reads."""
    return list(ReferralTask.objects.filter(referral=referral_id).annotate(refused=Exists(_withdrawn_by_provider())))


def refused() -> Q:
    """Of tasks: those by which somebody is still to be found, as `nobody_left` counts them."""
    return Q(status__in=[Status.REJECTED, Status.FAILED]) | Q(Exists(_withdrawn_by_provider()))


def taken_by_provider() -> Q:
    """Of transitions: those that the provider's side took, itself or by who speaks for it.

    Its organisation alone does not say so: the sender, or the hub, may be of the same one.
    """
    spoken_for = Q(contact__isnull=False) | ~Q(said_by="")
    return Q(organization_id=F("task__provider_id")) & (spoken_for | Q(by__isnull=True) | Q(by__role=User.Role.PROVIDER))


def _withdrawn_by_provider() -> QuerySet[Transition]:
    """What a provider took back, or Lune when a deadline had passed: the sender has still to find somebody."""
    took = taken_by_provider() | Q(organization_id__isnull=True, task__answered_at__isnull=True)
    waited = Q(task__referral__in_order=True) | Q(organization_id__isnull=False) | Q(rule__isnull=False)
    return Transition.objects.filter(took, waited, task=OuterRef("pk"), action=Action.WITHDRAW, task__status=Status.CANCELLED)


def _superseded(referrals: Iterable[Referral]) -> set[UUID]:
    """Those after which another was sent for the same stay, or for the same need: the sender has moved."""
    sent = list(referrals)
    newest_of_stay = _newest_of_stay({r.episode_id for r in sent if r.episode_id})
    newest_of_need = _newest_of_need({need for r in sent for need in _needs(r)})
    return {
        r.pk
        for r in sent
        if r.package is None
        and (
            any(newest_of_need.get((r.patient_id, need), r.created_at) > r.created_at for need in _needs(r))
            or (r.episode_id and newest_of_stay.get((r.patient_id, r.episode_id), r.created_at) > r.created_at)
        )
    }


def _needs(referral: Referral) -> set[UUID]:
    """What it is for: as it was sent, and as it stands since it was edited."""
    return {need for need in (referral.first_profile_id, referral.profile_id) if need}


def _newest_of_need(ids: set[UUID]) -> dict[tuple[UUID, UUID], datetime]:
    sent = Referral.objects.filter(Q(profile__in=ids) | Q(first_profile__in=ids), package=None).order_by()
    found: dict[tuple[UUID, UUID], datetime] = {}
    for patient, profile, first, at in sent.values_list("patient", "profile", "first_profile").annotate(at=Max("created_at")):
        for need in filter(None, {profile, first}):
            found[patient, need] = max(at, found.get((patient, need), at))
    return found


def _newest_of_stay(ids: set[UUID]) -> dict[tuple[UUID, UUID], datetime]:
    rows = Referral.objects.filter(episode__in=ids, package=None).order_by().values("patient", "episode").annotate(at=Max("created_at"))
    return {(row["patient"], row["episode"]): row["at"] for row in rows}


def queue_of(referral: Referral) -> list[QueuedAsk]:
    """The list of a referral that asks in order, as its sender reads it."""
    return list(referral.queue.select_related("pool__service", "pool__service__organization").order_by("position"))


def _late(due: datetime | None, at: datetime) -> datetime | None:
    return due if due is not None and due < at else None
