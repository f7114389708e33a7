"""What a hub may read no longer: it goes back to its sender, so that it is never lost between the two. And what is late there is told."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from catalogue.models import User
from core import acting
from core.events import publish
from flow.apart import apart
from flow.hubs.journal import log_step, tell_change
from flow.hubs.queries import nothing_left, stuck
from flow.hubs.steps import HubAction, HubState
from flow.models import Grant, HubEntry, Patient, Referral, Team
from flow.models.sharing import Purpose

#: How soon a sender looks at what came back.
ANSWER_WITHIN = timedelta(days=2)
#: Seen in one go; what is more waits for the next minute.
AT_ONCE = 500
RUN_OUT = "The hub may read this no longer, because its time or the agreement has run out. Send it again, or send it to services."
NO = "The person said no, or took back their agreement. The hub reads this no longer."


@acting.across("the clock gives back what a hub may read no longer, and tells what is late there")
def look(*, at: datetime) -> int:
    """Give back whatever no grant opens to its hub any more, close what is left there, and tell each deadline that has passed, once."""
    left = HubEntry.objects.filter(nothing_left()).order_by("pk").values_list("pk", "referral")[:AT_ONCE]
    late = HubEntry.objects.filter(_late(at)).order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
    acted = give_back(at=at, words=RUN_OUT)
    for pk, referral in list(left):
        with apart("nothing left at a hub:", pk):
            acted += _end(referral, at)
    for pk in list(late):
        with apart("late at a hub:", pk):
            acted += _tell_late(pk, at)
    return acted


@acting.across("what a hub may read no longer goes back to its sender")
def give_back(*, at: datetime, words: str, referrals: Iterable[UUID] | None = None) -> int:
    """Return to their senders the entries that wait at a hub to which they are not open. Returns how many."""
    found = _closed(at) if referrals is None else _closed(at).filter(referral__in=list(referrals))
    entries = list(found.order_by("referral", "pk").values_list("pk", "referral")[:AT_ONCE])
    return sum(_give_back(entry, referral, at, words) for entry, referral in entries)


@acting.across("what is opened and closed is changed with its referral locked")
def hold(referrals: Iterable[UUID]) -> None:
    """Lock referrals before their grants, as every step of a hub does."""
    list(Referral.objects.select_for_update(no_key=True).filter(pk__in=list(referrals)).order_by("pk").values_list("pk"))


@acting.across("a no closes what rests on the person’s agreement, and tells whoever holds it")
def close_after_no(patient: Patient, kind: str, *, by: User, at: datetime) -> None:
    """Revoke what is open of a person, to that kind of organisation or (empty) to anybody, and tell each that something is withdrawn.

    What is shared for safeguarding stays open, for its ground in law is not the person's agreement; its holder is told as well.
    """
    whose = Q(patient=patient) | Q(referral__patient=patient)
    grants = Grant.objects.filter(whose, revoked_at__isnull=True, ends_at__gt=at)
    # What others sent for the person stays open to those whose record it is.
    grants = grants.exclude(Q(to_organization=patient.organization_id) & ~Q(organization=patient.organization_id))
    if kind:
        grants = grants.filter(to_organization__kind=kind).exclude(to_organization=F("organization"))
    hold({referral for referral in grants.values_list("referral", flat=True) if referral})
    held = list(grants.select_for_update(of=("self",), no_key=True).order_by("pk"))
    closed = [grant.pk for grant in held if grant.purpose != Purpose.SAFEGUARDING]
    Grant.objects.filter(pk__in=closed).update(revoked_at=at, revoked_by=by)
    for grant in held:
        parties = {grant.organization_id, grant.to_organization_id}
        topics = [f"org:{party}" for party in parties]
        data = {"grant": str(grant.pk), "by": str(by.pk), **({"referral": str(grant.referral_id)} if grant.referral_id else {})}
        publish("consent.withdrawn", topics=topics, audience=parties, data=data)
        publish("sharing.changed", topics=topics, audience=parties)
    give_back(at=at, words=NO, referrals={grant.referral_id for grant in held if grant.referral_id})


def _closed(at: datetime) -> QuerySet[HubEntry]:
    """Entries that somebody has still to move, and that are not open to the hub where they are."""
    grants = Grant.objects.in_force(at).filter(Q(to_team=None) | Q(to_team=OuterRef("hub__team")))
    grants = grants.filter(referral=OuterRef("referral"), to_organization=OuterRef("hub__organization"))
    waits = Q(state__in=HubState.open()) | Q(state=HubState.ROUTED, is_stuck=True)
    return HubEntry.objects.annotate(is_stuck=stuck()).filter(waits).exclude(Exists(grants))


@transaction.atomic
def _give_back(entry_id: UUID, referral_id: UUID, at: datetime, words: str) -> bool:
    hold([referral_id])
    entry = _closed(at).select_for_update(of=("self",)).select_related("hub", "referral").filter(pk=entry_id).first()
    if entry is None:
        return False
    source = entry.state
    entry.state, entry.assigned_to, entry.due_at, entry.changed_at = HubState.RETURNED, None, at + ANSWER_WITHIN, at
    entry.version += 1
    entry.save()
    log_step(entry, HubAction.RETURN, source, by=None, at=at, words=words)
    tell_change(entry)
    return True


@transaction.atomic
def _end(referral_id: UUID, at: datetime) -> int:
    """What is closed as it happens is found here only where it was not, such as before there was that."""
    from flow.hubs.ending import end_sent_on  # which reaches consents, which closes what rests on them

    hold([referral_id])
    return end_sent_on([referral_id], by=None, at=at)


def _late(at: datetime) -> Q:
    """The condition that a deadline of an entry has passed of which nobody was told."""
    return Q(state__in=[*HubState.open(), HubState.RETURNED], due_at__lt=at) & (Q(late_told_of=None) | ~Q(late_told_of=F("due_at")))


@transaction.atomic
def _tell_late(entry_id: UUID, at: datetime) -> bool:
    """To who works at the hub and who sent it, when it is the hub's move; to the sender's team when it is theirs."""
    entries = HubEntry.objects.select_for_update(of=("self",)).select_related("hub", "referral")
    entry = entries.filter(_late(at), pk=entry_id).first()
    if entry is None:
        return False
    entry.late_told_of = entry.due_at
    entry.save(update_fields=["late_told_of"])
    referral = entry.referral
    parties, data = {referral.organization_id}, {"referral": str(referral.pk), "entry": str(entry.pk), "due": entry.due_at.isoformat()}
    if entry.state in HubState.with_hub():
        parties.add(entry.hub.organization_id)
        staff = Team.members.through.objects.filter(team=entry.hub.team_id, user__is_active=True).values_list("user_id", flat=True)
        to = {"to": sorted(str(user) for user in {*staff, referral.created_by_id} if user)}
    else:
        to = {}
    topics = [*(f"org:{party}" for party in parties), f"referral:{referral.pk}"]
    publish("referral.overdue", topics=topics, audience=parties, data=data | to)
    return True
