"""When a provider is asked for its figures, and the sending.

Nobody is asked while a figure is fresh and nobody waits for such a place; nor outside the hours that the provider chose, on a bank
holiday, or twice within a stretch. Who does not answer is asked less and less.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery

from capacity import ask_messages, asking, demand
from capacity.models import Ask, AskingPreference, CapacityReport
from capacity.status import Freshness
from catalogue.models import Service
from core import sms
from core.bank_holidays import is_bank_holiday
from core.clock import LONDON, local_date

#: The clock asks one service no more than once in this time, whatever the reason.
NOT_TWICE_WITHIN = timedelta(hours=20)
#: After so many messages in a row without an answer, only once a week.
PATIENT_AFTER, THEN_ONLY_EACH = 3, timedelta(days=7)
#: One address may answer for many services of an organisation: one message asks about up to so many at once, and it gets no more than
#: three messages in a day.
MOST_TOGETHER, MOST_A_DAY_TO_AN_ADDRESS = 10, 3
#: A figure is about to get old within this time, or a quarter of the time for which it is fresh.
LEAD = timedelta(hours=2)
#: What a mail server answers with a lower number may be otherwise in an hour.
REFUSED_FOR_GOOD = 500
_BY_CLOCK = (Ask.Why.STALE, Ask.Why.DEMAND)


def in_hours(preference: AskingPreference, at: datetime) -> bool:
    """Whether the provider chose to be asked at such an instant, by the clock of England; never on a bank holiday."""
    here = at.astimezone(LONDON)
    chosen = here.weekday() in preference.days and preference.from_time <= here.time() < preference.until_time
    return chosen and not is_bank_holiday(here.date())


def next_hours(preference: AskingPreference, at: datetime) -> datetime:
    """When the chosen hours of the next day begin on which it may be asked."""
    days = (local_date(at) + timedelta(days=ahead) for ahead in range(1, 60))
    day = next(day for day in days if day.weekday() in preference.days and not is_bank_holiday(day))
    return datetime.combine(day, preference.from_time, LONDON)


def gets_old(preference: AskingPreference, *, reported_at: datetime | None, fresh_for: timedelta, at: datetime) -> bool:
    """Whether a figure is old, or about to be; or would be before the next chance to ask, when this one ends and it is no longer new."""
    if reported_at is None:
        return True
    old_from = reported_at + fresh_for
    lead = min(LEAD, fresh_for / 4)
    if old_from <= at + lead:
        return True
    ends = datetime.combine(local_date(at), preference.until_time, LONDON)
    return ends - at <= lead and at - reported_at >= fresh_for / 2 and old_from < next_hours(preference, at)


def nudge_due(*, at: datetime) -> int:
    """What the clock does: ask those that are due, those of one organisation at one address together. Returns about how many services.

    Each message is a transaction of its own.
    """
    note_answers(at=at)
    chosen = _to_ask(at)
    found = AskingPreference.objects.filter(pk__in=chosen).order_by("service__name", "pk")
    by_address = defaultdict(list)
    for pk, *where in found.values_list("pk", "service__organization_id", "channel", "address"):
        by_address[tuple(where)].append(pk)
    return sum(_begin({pk: chosen[pk] for pk in some}, at) for all_of_it in by_address.values() for some in batched(all_of_it))


def batched(services: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """As many at once as one message may ask about."""
    return (services[first : first + MOST_TOGETHER] for first in range(0, len(services), MOST_TOGETHER))


def _to_ask(at: datetime) -> dict[UUID, tuple[str, int]]:
    """Services to ask now, why, and how many people wait near each."""
    here = at.astimezone(LONDON)
    if is_bank_holiday(here.date()):
        return {}
    lately = Ask.objects.filter(service=OuterRef("pk"), created_at__gt=at - NOT_TWICE_WITHIN)
    asked = AskingPreference.objects.filter(
        Q(when_stale=True) | Q(on_demand=True), stopped_at=None, confirmed_at__isnull=False, days__contains=[here.weekday()],
        from_time__lte=here.time(), until_time__gt=here.time(), service__in=Service.objects.public(),
    ).exclude(Exists(lately))  # fmt: skip
    preferences = {preference.pk: preference for preference in asked}
    old, ripe = set(), set()
    pools = asking.asked_about(at).filter(service__in=preferences)
    for service_id, reported_at, fresh in pools.order_by().values_list("service_id", "reported_at", "care_type__freshness__fresh_for"):
        fresh_for = fresh or Freshness().fresh_for
        if gets_old(preferences[service_id], reported_at=reported_at, fresh_for=fresh_for, at=at):
            old.add(service_id)
        if reported_at is None or at - reported_at >= fresh_for / 2:
            ripe.add(service_id)
    waiting = demand.waiting_near(old | ripe, at)
    chosen: dict[UUID, tuple[str, int]] = {}
    for service_id in old | ripe:
        preference, count = preferences[service_id], waiting.get(service_id, 0)
        if service_id in old and preference.when_stale:
            chosen[service_id] = (Ask.Why.STALE, count)
        elif count and preference.on_demand:
            chosen[service_id] = (Ask.Why.DEMAND, count)
    return chosen


@transaction.atomic
def _begin(chosen: dict[UUID, tuple[str, int]], at: datetime) -> int:
    """Ask about these services in one message, but for those that somebody else has just asked about or that said stop."""
    asked = AskingPreference.objects.select_for_update(of=("self",)).filter(pk__in=chosen, stopped_at=None, confirmed_at__isnull=False)
    due = [each for each in asked.select_related("service").order_by("pk") if in_hours(each, at) and not _asked_lately(each.pk, at)]
    if not due:
        return 0
    to_address = Ask.objects.filter(sent_to=due[0].address, with_ask=None, why__in=_BY_CLOCK, created_at__gt=at - NOT_TWICE_WITHIN)
    if to_address.count() >= MOST_A_DAY_TO_AN_ADDRESS:
        return 0
    begin(due, chosen, at)
    return len(due)


def _asked_lately(service_id: UUID, at: datetime) -> bool:
    """Whether it was asked within the last day, or the last week if it does not answer."""
    before = Ask.objects.filter(service=service_id)
    answered = before.aggregate(last=Max("answered_at"))["last"]
    mute = before.filter(why__in=_BY_CLOCK, **({"created_at__gt": answered} if answered else {})).count()
    stretch = THEN_ONLY_EACH if mute >= PATIENT_AFTER else NOT_TWICE_WITHIN
    return before.filter(created_at__gt=at - stretch).exists()


def begin(due: Sequence[AskingPreference], why: Mapping[UUID, tuple[str, int]], at: datetime) -> Ask:
    """One message about these services, which are asked at one address; `why` says for each why, and how many wait near."""
    from capacity.ask_tasks import send_ask  # the task calls this module

    first: Ask | None = None
    for preference in sorted(due, key=lambda each: (each.service.name, each.pk)):
        because, waiting = why[preference.pk]
        ask = Ask.objects.create(
            service_id=preference.pk, why=because, channel=preference.channel, sent_to=preference.address, waiting_near=waiting or None,
            created_at=at, with_ask=first,
        )  # fmt: skip
        first = first or ask
    assert first is not None
    send_ask.defer(ask_id=str(first.pk))
    return first


def note_answers(*, at: datetime) -> int:
    """Who told a figure after we asked, by whatever route, has answered. Returns how many."""
    told = CapacityReport.objects.filter(
        pool__service=OuterRef("service"), kind=CapacityReport.Kind.REPORT, received_at__gt=OuterRef("sent_at")
    )
    open_asks = Ask.objects.filter(sent_at__gt=at - timedelta(days=14), answered_at=None)
    first = told.order_by("received_at").values("received_at")[:1]
    return open_asks.annotate(told_at=Subquery(first)).exclude(told_at=None).update(answered_at=F("told_at"))


@transaction.atomic
def deliver(*, ask_id: UUID, at: datetime) -> bool:
    """Send one message. Returns whether it was taken; a fault of mail server or gateway takes the link back, and the job is tried again.

    What has become needless meanwhile is not sent: they told us, said stop, or changed the address.
    """
    asks = Ask.objects.select_for_update(of=("self",)).select_related("service__organization")
    waiting = asks.filter(Q(pk=ask_id, with_ask=None) | Q(with_ask=ask_id), sent_at=None, failed_at=None)
    together = list(waiting.order_by(F("with_ask").asc(nulls_first=True), "service__name", "pk"))
    needed = [ask for ask in together if _is_needed(ask)]
    Ask.objects.filter(pk__in=[ask.pk for ask in needed]).update(with_ask=None)  # or it would be deleted with the first one
    Ask.objects.filter(pk__in=[ask.pk for ask in together if ask not in needed]).delete()
    if not needed:
        return False
    first, *others = needed
    if first.why in _BY_CLOCK and not any(in_hours(preference, at) for preference in map(_preference_of, needed) if preference):
        return _failed(needed, "The hours in which you may be asked had passed.", at)
    link, token = asking.issue_link(
        service=first.service, also=[ask.service for ask in others], channel=first.channel, sent_to=first.sent_to, at=at
    )
    try:
        gateway_id = ask_messages.send(needed, token, at=at)
    except SMTPRecipientsRefused as error:
        if next((code for code, _ in error.recipients.values()), 0) < REFUSED_FOR_GOOD:
            raise
        link.delete()
        return _failed(needed, "The mail server says that there is no such address.", at)
    except sms.Refused:
        link.delete()
        return _failed(needed, "The text message cannot be delivered to this number.", at)
    first.link = link
    for ask in needed:
        ask.sent_at, ask.gateway_id, ask.with_ask = at, gateway_id, None if ask is first else first
        ask.save(update_fields=["link", "sent_at", "gateway_id", "with_ask"])
    return True


def _preference_of(ask: Ask) -> AskingPreference | None:
    """How its service is asked, if still at the same address."""
    return AskingPreference.objects.filter(
        pk=ask.service_id, channel=ask.channel, address=ask.sent_to, stopped_at=None, confirmed_at__isnull=False,
        service__in=Service.objects.public(),
    ).first()  # fmt: skip


def _is_needed(ask: Ask) -> bool:
    told = CapacityReport.objects.filter(pool__service=ask.service_id, kind=CapacityReport.Kind.REPORT, received_at__gt=ask.created_at)
    return _preference_of(ask) is not None and not (ask.why in _BY_CLOCK and told.exists())


@transaction.atomic
def give_up(*, ask_id: UUID, at: datetime) -> None:
    """Mail server or gateway could not be reached for so long that this message is not tried again."""
    asks = Ask.objects.select_for_update().filter(Q(pk=ask_id) | Q(with_ask=ask_id), sent_at=None, failed_at=None)
    if together := list(asks.order_by("pk")):
        _failed(together, "It could not be sent for two hours: mail or text messages were out of order.", at)


def _failed(asks: Iterable[Ask], because: str, at: datetime) -> bool:
    for ask in asks:
        ask.failed_at, ask.failed_because = at, because
        ask.save(update_fields=["failed_at", "failed_because"])
    return False
