"""How a service wants to be asked. An address is used only when somebody who reads there has typed the code that went to it."""

import secrets
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from capacity import asking, nudging
from capacity.models import Ask, AskingPreference, Channel
from catalogue.models import Service, User
from core import sms
from core.errors import Conflict, Invalid, NotAllowed, NotFound

CODE_LASTS = timedelta(minutes=30)
CODE_NOT_TWICE_WITHIN = timedelta(minutes=1)
#: Guesses at one code, and codes to addresses that nobody confirmed: nobody's telephone is rung all night from our screen.
MOST_TRIES, MOST_CODES = 5, 8
#: A link that was asked for by a button is not sent twice within this time.
LINK_NOT_TWICE_WITHIN = timedelta(minutes=2)


@transaction.atomic
def save(
    *,
    service_id: UUID,
    channel: str,
    address: str,
    days: Sequence[int],
    from_time: time,
    until_time: time,
    when_stale: bool,
    on_demand: bool,
    by: User,
    at: datetime,
    everywhere: bool = False,
) -> AskingPreference:
    """Set how a service is asked. A new address gets a code and is not used before it is confirmed; links to the old one end.

    `everywhere`: all other services of the organisation that have places are asked so too. An address that the organisation has confirmed
    for one of its services needs no code for another.

    Raises NotFound, NotAllowed and Invalid with `errors` by field.
    """
    service = _own(service_id, by)
    if not Service.objects.public().filter(pk=service_id).exists():
        raise Invalid(
            "This service is confidential or not listed, so no links to it are sent. Sign in to say what is free.", code="no-links"
        )
    address = _address(channel, address)
    if not days or not set(days) <= set(range(7)):
        raise _wrong("days", "Choose at least one day, or stop the messages.")
    if until_time <= from_time:
        raise _wrong("until_time", "The hours must end later than they begin.")
    how = {
        "channel": channel, "address": address, "days": sorted(set(days)), "from_time": from_time, "until_time": until_time,
        "when_stale": when_stale, "on_demand": on_demand, "changed_by": by, "changed_at": at,
    }  # fmt: skip
    preference, moved = _set(service, how, at)
    if moved and preference.confirmed_at is None:
        _begin_code(preference, at)
    preference.save()
    if everywhere:
        others = Service.objects.public().filter(organization=service.organization_id, capacities__isnull=False).exclude(pk=service.pk)
        for other in others.distinct().order_by("pk"):
            _set(other, how, at)[0].save()
    return preference


def _set(service: Service, how: dict[str, Any], at: datetime) -> tuple[AskingPreference, bool]:
    """How a service is asked from now on, to be saved, and whether the address is another.

    A new address that this organisation has not confirmed is not used yet.
    """
    preference = AskingPreference.objects.select_for_update().filter(pk=service.pk).first() or AskingPreference(service=service)
    moved = (preference.channel, preference.address) != (how["channel"], how["address"])
    for name, value in how.items():
        setattr(preference, name, value)
    if moved:
        asking.revoke_open(service.pk, at)
        preference.confirmed_at = at if _alike(preference).filter(confirmed_at__isnull=False).exists() else None
    return preference, moved


def _alike(preference: AskingPreference) -> QuerySet[AskingPreference]:
    """How other services of the same organisation are asked at the same address."""
    same = {"channel": preference.channel, "address": preference.address, "service__organization": preference.service.organization_id}
    return AskingPreference.objects.filter(**same).exclude(pk=preference.pk)


@transaction.atomic
def new_code(*, service_id: UUID, by: User, at: datetime) -> AskingPreference:
    """Send another code to an address that is not confirmed yet. Raises NotFound, NotAllowed and Conflict."""
    preference = _preference(service_id, by)
    if preference.confirmed_at is None:
        _begin_code(preference, at)
        preference.save(update_fields=["code_hash", "code_sent_at", "code_tries", "codes_sent"])
    return preference


def _begin_code(preference: AskingPreference, at: datetime) -> None:
    from capacity.ask_tasks import send_code  # the task calls this module

    if preference.code_sent_at and at - preference.code_sent_at < CODE_NOT_TWICE_WITHIN:
        raise Conflict("We sent a code a moment ago. Wait a minute, then ask for another one.", code="too-soon")
    if preference.codes_sent >= MOST_CODES:
        raise Conflict("Too many codes were sent and none was used. Ask the directory's curator for help.", code="too-many-codes")
    preference.code_hash, preference.code_sent_at, preference.code_tries = "", at, 0
    preference.codes_sent += 1
    send_code.defer(service_id=str(preference.pk))


@transaction.atomic
def make_code(*, service_id: UUID, at: datetime) -> tuple[AskingPreference, str] | None:
    """The code that goes to an address now, told here and never again; None when it was confirmed meanwhile."""
    preference = AskingPreference.objects.select_for_update(of=("self",)).select_related("service").filter(pk=service_id).first()
    if preference is None or preference.confirmed_at is not None:
        return None
    code = f"{secrets.randbelow(1_000_000):06}"
    preference.code_hash, preference.code_sent_at = _code_hash(preference, code), at
    preference.save(update_fields=["code_hash", "code_sent_at"])
    return preference, code


def confirm(*, service_id: UUID, code: str, by: User, at: datetime) -> AskingPreference:
    """The code that came to the address was typed in: from now on we may ask there. Raises NotFound, NotAllowed and Invalid.

    A wrong guess counts, so it is kept although it is refused.
    """
    with transaction.atomic():
        preference = _preference(service_id, by)
        in_time = preference.code_sent_at is not None and at < preference.code_sent_at + CODE_LASTS
        good = bool(preference.code_hash) and in_time and preference.code_tries < MOST_TRIES
        right = good and constant_time_compare(preference.code_hash, _code_hash(preference, "".join(code.split())))
        preference.code_tries = min(preference.code_tries + 1, MOST_TRIES)
        if right:
            preference.confirmed_at, preference.code_hash, preference.codes_sent = at, "", 0
        preference.save(update_fields=["confirmed_at", "code_hash", "code_tries", "codes_sent"])
        if right:
            _alike(preference).filter(confirmed_at=None).update(confirmed_at=at, code_hash="", codes_sent=0)
    if not right:
        message = "That is not the code. Look at the message again." if good else "This code can no longer be used. Ask for a new one."
        raise Invalid(message, errors={"code": [message]})
    return preference


@transaction.atomic
def switch(*, service_id: UUID, on: bool, by: User, at: datetime) -> AskingPreference:
    """Stop the messages about a service, or start them again. Its open links end when it stops. Raises NotFound and NotAllowed."""
    preference = _preference(service_id, by)
    if on:
        preference.stopped_at, preference.changed_by, preference.changed_at = None, by, at
        preference.save(update_fields=["stopped_at", "changed_by", "changed_at"])
    else:
        asking.stop_at([preference.pk], at)
        preference.refresh_from_db()
    return preference


@transaction.atomic
def ask_now(*, service_id: UUID, by: User, at: datetime) -> Ask:
    """Its provider wants a link at once, at any hour. Raises NotFound, NotAllowed and Conflict."""
    return _request([_preference(service_id, by)], at)


@transaction.atomic
def ask_again(*, token: str, at: datetime) -> Ask:
    """Whoever has a link, spent or not, wants the next one: it goes to the address that the first one went to, and nowhere else.

    Raises NotFound and Conflict; neither must be told to whoever shows the token.
    """
    link = asking.any_link(token=token)
    asked = list(asking.preferences_of(link).select_for_update(of=("self",)).select_related("service"))
    if not asked:
        raise NotFound("This link cannot be used.", code="no-such-link")
    return _request(asked, at)


def _request(asked: Sequence[AskingPreference], at: datetime) -> Ask:
    """A link now, for those of the services at one address that may be asked. Raises Conflict when none may."""
    confirmed = [preference for preference in asked if preference.confirmed_at is not None]
    if not confirmed:
        raise Conflict("Confirm the address first, by the code that we sent to it.", code="not-confirmed")
    running = [preference for preference in confirmed if preference.stopped_at is None]
    if not running:
        raise Conflict("The messages are stopped. Start them first.", code="stopped")
    if Ask.objects.filter(service__in=[each.pk for each in running], created_at__gt=at - LINK_NOT_TWICE_WITHIN).exists():
        raise Conflict("We sent a link a moment ago. Look again in your messages.", code="too-soon")
    return nudging.begin(running, {preference.pk: (Ask.Why.REQUEST, 0) for preference in running}, at)


def _own(service_id: UUID, by: User) -> Service:
    service = Service.objects.visible_to(by).filter(pk=service_id).first()
    if service is None:
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    if not (by.is_provider and service.organization_id == by.organization_id):
        raise NotAllowed("Only those who run this service decide how it is asked.")
    return service


def _preference(service_id: UUID, by: User) -> AskingPreference:
    _own(service_id, by)
    preference = AskingPreference.objects.select_for_update(of=("self",)).select_related("service").filter(pk=service_id).first()
    if preference is None:
        raise NotFound("Say first how we may ask you.", code="not-asked")
    return preference


def _address(channel: str, address: str) -> str:
    if channel not in Channel.values:
        raise _wrong("channel", "Choose e-mail or text message.")
    if channel == Channel.SMS:
        if not sms.is_set_up():
            raise _wrong("channel", "This site cannot send text messages. Choose e-mail.")
        try:
            return sms.number(address)
        except Invalid as error:
            raise _wrong("address", error.message) from error
    try:
        validate_email(address.strip())
    except ValidationError as error:
        raise _wrong("address", "Enter an e-mail address, like name@example.org.") from error
    return address.strip().lower()


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(message, errors={field: [message]})


def _code_hash(preference: AskingPreference, code: str) -> str:
    return salted_hmac("capacity.preferences.code", f"{preference.pk}:{preference.address}:{code}", algorithm="sha256").hexdigest()
