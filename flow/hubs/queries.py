"""What a hub's people and a sender read of a hub's queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from catalogue.models import Area, User
from core import audit
from flow.hubs.steps import BY_ACTION, WHOSE_MOVE, HubAction, HubState
from flow.models import Hub, HubEntry, HubStep, Pathway, Patient, Referral, ReferralTask
from flow.workflow import Status

#: What the queue shows: value, words.
SHOWN = {"open": "To do", "mine": "Mine", "nobody": "Nobody’s yet", "asked": "Waiting for the sender", "routed": "Sent on", "all": "All"}


@dataclass(frozen=True, slots=True)
class HubTold:
    """One step of an entry, in words. `who` is an organisation."""

    at: datetime
    words: str
    who: str
    reason: str
    hub: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral is that was sent to a hub, and whose move it is: what its sender reads."""

    entry: HubEntry
    words: str
    whose_move: str
    due_at: datetime | None
    told: list[HubTold]
    nobody_left: bool = False
    """It was sent on, and nobody who was asked may still help."""


def stuck() -> Any:
    """Sent on, and everybody who was asked has said no or was given up by the hub: it is the hub's move again.

    What the sender took back by themselves, or needs no more, leaves nothing to do.
    """
    from flow.moves import refused  # which reads whether a hub is to move

    asked = ReferralTask.objects.filter(referral=OuterRef("referral"))
    alive = [*Status.open(), *Status.known_to_provider()]
    given_up = HubStep.objects.filter(entry=OuterRef("pk"), action=HubAction.TAKE_BACK)
    needed = Q(referral__closed_at=None, referral__episode__ended_at=None)
    return needed & ~Exists(asked.filter(status__in=alive)) & (Exists(asked.filter(refused())) | Exists(given_up))


def nothing_left() -> Q:
    """Of entries: sent on, nobody asked has it any more, and the hub is not to find another: the sender took it back, or needs no more."""
    alive = ReferralTask.objects.filter(referral=OuterRef("referral"), status__in=[*Status.open(), *Status.known_to_provider()])
    return Q(state=HubState.ROUTED) & ~Exists(alive) & ~stuck()


def queue(user: User, *, show: str = "open", hub: str = "", urgency: str = "", pathway: str = "") -> QuerySet[HubEntry]:
    """Entries of the hubs where the user works: the oldest deadline first. `show` is one of `SHOWN`; empty filters are left out."""
    found = HubEntry.objects.visible_to(user).in_queue_of(user).annotate(is_stuck=stuck())
    again = Q(state=HubState.ROUTED, is_stuck=True)
    chosen = {
        "open": Q(state__in=HubState.with_hub()) | again,
        "mine": Q(assigned_to=user.pk) & (Q(state__in=HubState.open()) | again),
        "nobody": Q(assigned_to=None) & (Q(state__in=HubState.with_hub()) | again),
        "asked": Q(state=HubState.ASKED),
        "routed": Q(state=HubState.ROUTED, is_stuck=False),
    }
    if show in chosen:
        found = found.filter(chosen[show])
    if hub:
        found = found.filter(hub=UUID(hub))
    if urgency:
        found = found.filter(referral__urgency=urgency)
    if pathway:
        found = found.filter(referral__pathway_version__pathway=UUID(pathway))
    return found.select_related(
        "hub", "assigned_to", "referral__patient", "referral__organization", "referral__profile", "referral__pathway_version__pathway"
    ).order_by("due_at", "pk")


def pathways(user: User) -> list[Pathway]:
    """Those on which the entries of these hubs were sent, whoever may refer on them, by name."""
    entries = HubEntry.objects.visible_to(user).in_queue_of(user).order_by()
    return list(Pathway.objects.filter(pk__in=entries.values("referral__pathway_version__pathway")).order_by("name"))


def counts(user: User) -> dict[str, int]:
    """How many entries each choice of `SHOWN` has. One query."""
    found = HubEntry.objects.visible_to(user).in_queue_of(user).annotate(is_stuck=stuck()).order_by()
    todo = Q(state__in=HubState.with_hub()) | Q(state=HubState.ROUTED, is_stuck=True)
    return found.aggregate(
        open=Count("pk", filter=todo),
        mine=Count("pk", filter=Q(assigned_to=user.pk) & (todo | Q(state=HubState.ASKED))),
        nobody=Count("pk", filter=Q(assigned_to=None) & todo),
        asked=Count("pk", filter=Q(state=HubState.ASKED)),
        routed=Count("pk", filter=Q(state=HubState.ROUTED, is_stuck=False)),
        all=Count("pk"),
    )


def looked_at(user: User, entries: Iterable[HubEntry], *, refresh: bool = False) -> None:
    """Write to the read audit whom a list of the queue names, for triage. Call it in the transaction that shows them."""
    people = {entry.referral.patient_id for entry in entries}
    audit.record_reads(user=user, record_type="patient", record_ids=people, purpose="triage", refresh=refresh)


def told(entry: HubEntry) -> list[HubTold]:
    """Every step, newest first."""
    rows = HubStep.objects.filter(entry=entry).select_related("organization", "assigned_to", "hub").order_by("-at", "-pk")
    return [
        HubTold(
            at=row.at,
            words=f"{BY_ACTION[row.action].done}{f': {row.assigned_to}' if row.action in ('assign', 'take') and row.assigned_to else ''}",
            who=row.organization.name if row.organization else "Lune",
            reason=row.words,
            hub=row.hub.name,
        )
        for row in rows
    ]


def standing(referral: Referral) -> Standing | None:
    """How a referral stands with a hub; None when it was never sent to one."""
    entry = HubEntry.objects.select_related("hub").annotate(is_stuck=stuck()).filter(referral=referral).first()
    if entry is None:
        return None
    again = entry.state == HubState.ROUTED and entry.is_stuck
    words = "Nobody who was asked can help; the hub is finding another" if again else str(HubState(entry.state).label)
    waits = entry.state in HubState.open()
    return Standing(entry, words, entry.hub.name if again else _mover(entry), entry.due_at if waits else None, told(entry), again)


def _mover(entry: HubEntry) -> str:
    return entry.hub.name if entry.state in HubState.with_hub() else WHOSE_MOVE[entry.state]


def hubs_for(user: User, patient: Patient) -> QuerySet[Hub]:
    """Hubs that cover where a person lives, and those that cover everywhere."""
    inside = Area.objects.filter(outline__contains=patient.point) if patient.point else Area.objects.none()
    found = Hub.objects.visible_to(user).filter(is_active=True)
    nowhere = ~Exists(Hub.areas.through.objects.filter(hub=OuterRef("pk")))
    return found.filter(nowhere | Q(areas__in=inside.order_by().values("pk"))).distinct().select_related("organization").order_by("name")


def colleagues(hub: Hub) -> list[User]:
    """Who works at a hub."""
    return list(hub.team.members.filter(is_active=True).order_by("last_name", "first_name", "pk"))
