"""Signed links: by one, somebody without an account says what is free at one service, or at several of one organisation, once.

A link is a capability. Its token is 192 random bits, of which only the hash is kept: nobody who reads the database can answer for
anybody. It ends when it is used, runs out or is taken back; for some minutes after its use it can only undo.
"""

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from capacity import operations
from capacity.holding import HeldPlace, held_of
from capacity.models import Ask, AskingPreference, Per, ServiceCapacity, UpdateLink, Via
from capacity.recording import FIGURES
from catalogue.assurance import token_hash
from catalogue.models import Service, User
from core.errors import Invalid, NotAllowed, NotFound

LINK_LASTS = timedelta(hours=48)
SESSIONS_AHEAD = timedelta(days=7)
UNDO_FOR = timedelta(minutes=15)
MOST_PLACES = 9_999
ACTIONS = ("same", "more", "less", "full", "other")


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody said of one pool, and the version of the figure that they were looking at. `number` is for “other”."""

    action: str
    version: int
    number: int | None = None


def pools(services: Iterable[Service], at: datetime) -> QuerySet[ServiceCapacity]:
    """The places of services that somebody can tell of now, in the order of their names."""
    coming = Q(ends_at=None) | Q(ends_at__gt=at)
    found = ServiceCapacity.objects.filter(coming, service__in=[service.pk for service in services], is_open=True)
    return found.order_by("service__name", "service_id", "name", "starts_at", "pk")


def asked_about(at: datetime) -> QuerySet[ServiceCapacity]:
    """The places, of all services, that a message asks about: of sessions those of the coming week, not what they are made from."""
    week = Q(starts_at=None) | Q(starts_at__gt=at, starts_at__lte=at + SESSIONS_AHEAD)
    found = ServiceCapacity.objects.filter(week, is_open=True).exclude(per=Per.SESSION, starts_at=None)
    return found.order_by("service__name", "service_id", "name", "starts_at", "pk")


def issue_link(*, service: Service, channel: str, sent_to: str, at: datetime, also: Iterable[Service] = ()) -> tuple[UpdateLink, str]:
    """Make a link for a message to one address; `also` are other services of the organisation. The token is told here and never again."""
    token = secrets.token_urlsafe(24)
    link = UpdateLink.objects.create(
        service=service, token_hash=token_hash(token), channel=channel, sent_to=sent_to, created_at=at, expires_at=at + LINK_LASTS
    )
    link.also.set(also)
    return link, token


def any_link(*, token: str) -> UpdateLink:
    """The link of a token, whatever has become of it, with its service. Raises NotFound.

    A service that has become confidential meanwhile is shown to nobody by a link.
    """
    links = UpdateLink.objects.select_related("service__organization").filter(service__in=Service.objects.public())
    link = links.filter(token_hash=token_hash(token)).first()
    if link is None:
        raise NotFound("This link cannot be used.", code="no-such-link")
    return link


def read_link(*, token: str, at: datetime) -> UpdateLink:
    """A link that can still be used. Changes nothing. Raises NotFound: a spent link is told from a wrong one to nobody."""
    link = any_link(token=token)
    if not link.is_open(at):
        raise NotFound("This link cannot be used.", code="no-such-link")
    return link


def read_used_link(*, token: str, at: datetime) -> UpdateLink:
    """A link that was used within the last minutes. Changes nothing. Raises NotFound."""
    link = any_link(token=token)
    if link.used_at is None or link.revoked_at is not None or at >= link.used_at + UNDO_FOR:
        raise NotFound("This link cannot be used.", code="no-such-link")
    return link


@transaction.atomic
def use_link(*, token: str, told: Mapping[UUID, Told], at: datetime, withdraw_because: str | None = None) -> UpdateLink:
    """Somebody says by link what is free. The second press of two that were made at once changes nothing.

    Pools that are not named keep their figure and its age. With `withdraw_because` places that are held are taken back.

    Raises NotFound; Invalid when nothing is said, or of places of another service; and what `operations.report` raises. When anything is
    refused nothing is kept, and the link stays good.
    """
    link = _locked(token)
    if not link.is_open(at):
        return read_used_link(token=token, at=at)
    own = dict(asked_about(at).filter(service__in=link.services()).values_list("pk", "service_id"))
    if not told or not told.keys() <= own.keys():
        raise Invalid("Say of at least one kind of place how many are free.", code="nothing-told")
    kept = {}
    for pool_id, pool in operations.lock(told).items():
        before = _as_it_stood(pool)
        sent = {"expected_version": told[pool_id].version, "withdraw_because": withdraw_because, **_changes(pool, told[pool_id])}
        after = operations.report(pool_id=pool_id, by=None, at=at, via=Via.LINK, **sent)
        kept[str(pool_id)] = {"version": after.version, "before": before, "taken_back": pool.held - after.held}
    link.used_at, link.told = at, kept
    link.save(update_fields=["used_at", "told"])
    answered = {own[pool_id] for pool_id in told}
    for service_id in answered:
        revoke_open(service_id, at)
    Ask.objects.filter(service__in=answered, sent_at__isnull=False, answered_at=None).update(answered_at=at)
    return link


def would_lose(*, link: UpdateLink, told: Mapping[UUID, Told], at: datetime) -> list[HeldPlace]:
    """Which held places these answers would cost their teams: the youngest of each pool. Never for whom they are held."""
    lost = []
    for pool in asked_about(at).filter(service__in=link.services(), pk__in=told, held__gt=0):
        with suppress(Invalid):
            left = _changes(pool, told[pool.pk]).get("available", pool.available)
            lost += sorted(held_of([pool.pk]), key=lambda place: (place.since, str(place.id)))[left or 0 :]
    return lost


@transaction.atomic
def undo(*, token: str, at: datetime) -> UpdateLink:
    """Take back what was said by a link some minutes ago: each figure is what it was, and as old as it was. The link can be used again.

    Holds that were taken back stay ended: their teams have been told. Raises NotFound; Conflict when something has happened to these
    places since, and then nothing is taken back.
    """
    _locked(token)
    link = read_used_link(token=token, at=at)
    for pool_id, kept in link.told.items():
        before = dict(kept["before"])
        for name, read in (("closed_until", date.fromisoformat), ("reported_at", datetime.fromisoformat)):
            before[name] = read(before[name]) if before[name] else None
        operations.take_back(pool_id=UUID(pool_id), version=kept["version"], before=before, by=None, at=at, via=Via.LINK)
    link.used_at, link.told = None, {}
    link.expires_at = max(link.expires_at, at + UNDO_FOR)
    link.save(update_fields=["used_at", "told", "expires_at"])
    Ask.objects.filter(Q(link=link) | Q(with_ask__link=link)).update(answered_at=None)
    return link


@transaction.atomic
def revoke(*, service_id: UUID, by: User, at: datetime) -> int:
    """Its provider, or a curator, takes back every open link of a service. Returns how many there were."""
    if not Service.objects.visible_to(by).filter(pk=service_id).exists():
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    own = by.is_provider and Service.objects.visible_to(by).owned_by(by).filter(pk=service_id).exists()
    if not (own or by.is_curator or by.is_administrator):
        raise NotAllowed("Only those who run this service, or a curator, take back its links.")
    return revoke_open(service_id, at)


def revoke_open(service_id: UUID, at: datetime) -> int:
    """The same for what has been decided already: an address that changed, or messages that were stopped."""
    for_it = UpdateLink.objects.filter(Q(service=service_id) | Q(also=service_id)).values("pk")
    return UpdateLink.objects.filter(pk__in=for_it, used_at=None, revoked_at=None, expires_at__gt=at).update(revoked_at=at)


def preferences_of(link: UpdateLink) -> QuerySet[AskingPreference]:
    """How its services are asked: those that still are at the address that this link went to."""
    return AskingPreference.objects.filter(service__in=link.services(), channel=link.channel, address=link.sent_to).order_by("pk")


@transaction.atomic
def stop(*, token: str, at: datetime) -> UpdateLink:
    """Whoever has the message wants no more. Works by links that were used or have run out, too; open ones are taken back.

    An address that the service has changed since is not asked anyhow: the new one is left alone by the old one's link. Raises NotFound.
    """
    link = any_link(token=token)
    stop_at(list(preferences_of(link).values_list("pk", flat=True)), at)
    return link


@transaction.atomic
def start(*, token: str, at: datetime) -> UpdateLink:
    """By the same link they want messages again. Raises NotFound."""
    link = any_link(token=token)
    preferences_of(link).update(stopped_at=None, changed_at=at)
    return link


@transaction.atomic
def stop_from(*, channel: str, sender: str, at: datetime) -> int:
    """Somebody answered “STOP” from this address: no more messages to it, about any service. Returns how many services that were."""
    asked = AskingPreference.objects.filter(channel=channel, address__iexact=sender, stopped_at=None)
    return stop_at(list(asked.values_list("pk", flat=True)), at)


def stop_at(services: list[UUID], at: datetime) -> int:
    """Stop the messages about these services and take back their open links."""
    for service_id in services:
        revoke_open(service_id, at)
    return AskingPreference.objects.filter(pk__in=services, stopped_at=None).update(stopped_at=at, changed_at=at)


def _locked(token: str) -> UpdateLink:
    """A link of which nobody else changes anything now: first its services, so that two links of one cannot lock each other out."""
    link = any_link(token=token)
    services = Q(pk=link.service_id) | Q(pk__in=link.also.values("pk"))
    list(Service.objects.select_for_update(of=("self",), no_key=True).filter(services).order_by("pk"))
    return UpdateLink.objects.select_for_update(of=("self",)).select_related("service__organization").get(pk=link.pk)


def _as_it_stood(pool: ServiceCapacity) -> dict[str, Any]:
    figures = {name: getattr(pool, name) for name in FIGURES}
    figures["closed_until"] = pool.closed_until.isoformat() if pool.closed_until else None
    told = pool.reported_at.isoformat() if pool.reported_at else None
    return figures | {"reported_at": told, "reported_by_id": pool.reported_by_id, "reported_via": pool.reported_via}


def _changes(pool: ServiceCapacity, told: Told) -> dict[str, Any]:
    """What to hand to `operations.report`. “Same” renews the time and nothing else."""
    if pool.available is None and told.action in ("same", "more", "less"):
        raise Invalid(f"Nobody has told us yet how many are free of {pool.name}. Write the number.", code="number-needed")
    match told.action:
        case "same":
            return {}
        case "more" | "less":
            return {"available": max(0, (pool.available or 0) + (1 if told.action == "more" else -1))}
        case "full":
            return {"available": 0}
        case "other" if told.number is not None and 0 <= told.number <= MOST_PLACES:
            return {"available": told.number}
        case "other":
            raise Invalid(f"Write how many are free of {pool.name} in figures, for example 3.", code="number-needed", pool=str(pool.pk))
    raise Invalid("Press one of the buttons.", code="no-such-answer")
