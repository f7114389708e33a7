"""From the journal to each person: notices are written, messages put by, and our place moved, in one transaction or not at all."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from catalogue.models import User
from core.errors import NotFound
from core.events import publish
from notifications.models import Delivery, Notice, Webhook
from notifications.models.delivery import Route, State
from notifications.notices import hearing, outbox, preferences, reading, signing
from notifications.notices.hearing import Happened, Telling
from notifications.notices.kinds import BY_CODE, When
from notifications.notices.preferences import Preferences

#: Names in one event; a page of the relay's stays small.
_TOPICS = 100


@transaction.atomic
def read_on(*, at: datetime) -> bool:
    """Turn the next page of the journal into notices. Returns whether there was one.

    Whatever dies in here takes all of it along: our place is where it was, and the same page is read again.
    """
    place = reading.locked_place()
    page = reading.after(place)
    if page.upto is None:
        return False
    if page.events:
        tellings, chosen = hearing.hear(page.events)
        tell(tellings, chosen, at=at)
        _tell_systems(page.events, at=at)
    place.xid, place.event_id = page.upto
    place.save(update_fields=["xid", "event_id"])
    return True


def tell(tellings: Iterable[Telling], chosen: dict[UUID, Preferences], *, at: datetime) -> None:
    """Write what each person is told, and put by the messages that they want of it."""
    notices: list[Notice] = []
    messages: dict[tuple[UUID, Route, datetime], list[Notice]] = defaultdict(list)
    for told in tellings:
        wanted = chosen[told.user.pk].of(told.kind)
        routes = {Route.EMAIL: wanted.email, Route.SMS: wanted.sms}
        wanted_at = {
            route: chosen[told.user.pk].due(when, at=at, urgent=told.urgent)
            for route, when in routes.items()
            if when != When.OFF and outbox.address(chosen[told.user.pk], route)
        }
        if not wanted.app and not wanted_at:
            continue
        notice = Notice(
            user=told.user, organization_id=told.user.organization_id, kind=told.kind.code, urgent=told.urgent,
            event_id=told.event.id or None, data={name: value for name, value in told.event.data.items() if name not in ("to", "by")},
            at=at, listed=wanted.app,
        )  # fmt: skip
        notices.append(notice)
        for route, due_at in wanted_at.items():
            messages[told.user.pk, route, due_at].append(notice)
    Notice.objects.bulk_create(notices)
    outbox.put_by(messages, at=at)
    _tell_pages(notice.user_id for notice in notices if notice.listed)


def say(code: str, *, users: Iterable[User], data: dict[str, Any], at: datetime) -> None:
    """What Lune itself has to tell: that messages to somebody have stopped, for example. Within the caller's transaction."""
    event = Happened(id=0, type="", audience=(), data=data, at=at)
    everybody = [user for user in users if user.is_active]
    tell([Telling(event, BY_CODE[code], user, urgent=False) for user in everybody], preferences.of_users(everybody), at=at)


def _tell_systems(events: Iterable[Happened], *, at: datetime) -> None:
    """A message to each address whose organisation may learn of the event and asked for its kind."""
    ours = [event for event in events if event.type in hearing.FOR_SYSTEMS]
    concerned = {pk for event in ours for pk in event.audience}
    working = Webhook.objects.filter(organization__in=concerned, removed_at=None, stopped_at=None)
    deliveries = [
        Delivery(
            route=Route.WEBHOOK, webhook=webhook, organization_id=webhook.organization_id, event_id=event.id, sent_to=webhook.url,
            payload=signing.payload(event), due_at=at, created_at=at,
        )
        for webhook in working for event in ours
        if webhook.organization_id in event.audience and (not webhook.types or event.type in webhook.types)
    ]  # fmt: skip
    Delivery.objects.bulk_create(deliveries)
    for delivery in deliveries:
        outbox.enqueue(delivery)


def _tell_pages(user_ids: Iterable[UUID]) -> None:
    """Open pages of these people count anew."""
    topics = sorted({f"user:{pk}" for pk in user_ids})
    for first in range(0, len(topics), _TOPICS):
        publish("notice.changed", topics=topics[first : first + _TOPICS])


# --- what people do with theirs


@transaction.atomic
def mark_read(*, notice_id: UUID, by: User, at: datetime) -> Notice:
    """This person has read it. Raises NotFound."""
    notice = Notice.objects.visible_to(by).select_for_update().filter(pk=notice_id).first()
    if notice is None:
        raise NotFound("There is no such notice.")
    if notice.read_at is None:
        notice.read_at = max(at, notice.at)
        notice.save(update_fields=["read_at"])
        _tell_pages([by.pk])
    return notice


@transaction.atomic
def mark_all_read(*, by: User, at: datetime, kind: str = "") -> int:
    """All of this person's are read, or all of one kind. Returns how many were not."""
    unread = Notice.objects.visible_to(by).unread().filter(at__lte=at)
    count = (unread.filter(kind=kind) if kind else unread).update(read_at=at)
    if count:
        _tell_pages([by.pk])
    return count


@transaction.atomic
def forget(*, at: datetime) -> int:
    """Delete notices and messages that are older than the site keeps them. Returns how many rows. What is under way stays."""
    before = at - timedelta(days=settings.NOTICE_KEEP_DAYS)
    old = Delivery.objects.filter(created_at__lt=before).exclude(state__in=[State.WAITING, State.TRYING])
    deliveries, _ = old.delete()
    notices, _ = Notice.objects.filter(at__lt=before).exclude(deliveries__state__in=[State.WAITING, State.TRYING]).delete()
    return deliveries + notices
