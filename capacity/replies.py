"""What comes back by text message or e-mail: whose it is, what was done, and what is written back.

A sender is known by the address at which its service is asked, and that it confirmed; an answer by e-mail needs besides the address that
only our question carried. A stranger changes nothing and is told nothing. No word of a message is ever logged.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet

from capacity import asking, operations, reply_address, sessions
from capacity.models import Ask, AskingPreference, CapacityReport, Channel, Reply, ServiceCapacity, Via
from capacity.reply_mail import Mail
from capacity.reply_text import own_words
from capacity.understand import AskAgain, PoolWords, Stop, Understood, describe, example, understand
from catalogue.models import Service
from core import sms
from core.errors import LuneError

Outcome = Reply.Outcome
#: Whatever the words hold, they are gone after this time.
WORDS_KEPT = timedelta(days=30)
#: Two machines that answer each other stop after so many messages in an hour.
MOST_ANSWERS_AN_HOUR = 5
#: An answer belongs to a question for so long.
ASK_LASTS = timedelta(days=14)
#: Of several services at one address, the one that was asked lately and has not answered is meant.
LATELY = timedelta(hours=48)
LONGEST_ANSWER = 1_000
FROM_ELSEWHERE = "An answer came from another address, so nothing is changed. Please answer from this one, or open the link that we sent."
_VIA = {Channel.SMS: Via.SMS, Channel.EMAIL: Via.EMAIL}


@transaction.atomic
def receive_sms(*, message: sms.Inbound, at: datetime) -> Reply:
    """Take in a text message that a gateway signed. The same one twice is one."""
    known = _asked(Channel.SMS, message.sender)
    return _receive(Channel.SMS, message.id, message.sender, message.text, known, ask=None, at=at, seen_at=at)


@transaction.atomic
def receive_mail(*, mail: Mail, at: datetime) -> Reply | None:
    """Take in an e-mail. What a machine wrote, such as a notice of absence, is not kept and not answered: None."""
    if mail.automatic:
        return None
    ask_id = reply_address.ask_of(mail.recipients)
    ask = Ask.objects.filter(pk=ask_id, channel=Channel.EMAIL, created_at__gt=at - ASK_LASTS).first() if ask_id else None
    known = _asked(Channel.EMAIL, ask.sent_to).filter(service__in=_together(ask)) if ask else AskingPreference.objects.none()
    seen_at = min(mail.sent_at, at) if mail.sent_at else at
    return _receive(Channel.EMAIL, mail.id, mail.sender, mail.text, known, ask=ask, at=at, seen_at=seen_at)


def receipt(*, told: sms.Receipt) -> None:
    """A text message of ours that never arrived: whoever looks after the asking sees it."""
    if not told.delivered:
        failed = Ask.objects.filter(gateway_id=told.id, channel=Channel.SMS, failed_at=None).exclude(gateway_id="")
        because = "The text message did not reach this number."
        for ask in failed:
            ask.failed_at, ask.failed_because = ask.sent_at or ask.created_at, because
            ask.save(update_fields=["failed_at", "failed_because"])


def is_asked(number: str) -> bool:
    """Whether a service is asked at this number what is free."""
    return _asked(Channel.SMS, number).exists()


def _asked(channel: str, address: str) -> QuerySet[AskingPreference]:
    """The services that are asked at an address. One that has become confidential answers to nobody by message."""
    found = AskingPreference.objects.filter(channel=channel, address__iexact=address, confirmed_at__isnull=False)
    return found.filter(service__in=Service.objects.public()).select_related("service__organization").order_by("service__name", "pk")


def _receive(
    channel: str, gateway_id: str, sender: str, text: str, known: QuerySet[AskingPreference], *,
    ask: Ask | None, at: datetime, seen_at: datetime,
) -> Reply:  # fmt: skip
    gateway_id = gateway_id or hashlib.sha256(f"{sender} {at:%Y-%m-%dT%H:%M} {text}".encode(errors="replace")).hexdigest()
    words = own_words(text)[:2_000]
    reply, new = Reply.objects.get_or_create(
        channel=channel, gateway_id=gateway_id[:200],
        defaults={"sender": sender[:254], "words": words, "received_at": at, "outcome": Outcome.STRANGER, "ask": ask},
    )  # fmt: skip
    if not new:
        return reply
    services = [preference.service for preference in known]
    if services:
        if ask is not None and reply.sender != ask.sent_to.lower():
            reply.answer = FROM_ELSEWHERE  # it goes to the address that we know, never to the other
        else:
            _answer(reply, services, text, at=at, seen_at=seen_at)
        reply.answer = reply.answer[:LONGEST_ANSWER]
        lately = Reply.objects.filter(channel=channel, sender=reply.sender, received_at__gt=at - timedelta(hours=1))
        if lately.exclude(answer="").count() >= MOST_ANSWERS_AN_HOUR:
            reply.answer = ""
    reply.save()
    if reply.answer:
        from capacity.reply_tasks import send_answer  # the task calls this module

        send_answer.defer(reply_id=str(reply.pk))
    return reply


def _answer(reply: Reply, services: Sequence[Service], text: str, *, at: datetime, seen_at: datetime) -> None:
    """Do what a known sender wrote, and say what was done; `reply` is saved by the caller."""
    if isinstance(understand(text, ()), Stop):
        asking.stop_from(channel=reply.channel, sender=reply.ask.sent_to if reply.ask else reply.sender, at=at)
        reply.outcome = Outcome.STOPPED
        reply.service = services[0] if len(services) == 1 else None
        reply.answer = f"You will get no more of these messages. {settings.SITE_NAME}"
        return
    reply.outcome = Outcome.ASKED_AGAIN
    service = services[0] if len(services) == 1 else _meant(services, text, reply.sender, at)
    meant = [service] if service else _of_one_question(services, reply, at)
    if not meant:
        names = ", ".join(_line(one.name) for one in services[:6])
        reply.answer = (
            f"Sorry, we cannot tell which service you mean, so nothing is changed. Please begin with its name, like: "
            f"{_line(services[0].name)}: none. Yours are: {names}."
        )
        return
    reply.service = meant[0]
    rows = list(asking.pools(meant, at).filter(starts_at=None).select_related("location", "service"))
    pools = [_words(pool, rows, seen_at) for pool in rows]
    read = understand(text, pools, names=_names(meant))
    if isinstance(read, Understood):
        _apply(reply, read, pools, meant, at=at, seen_at=seen_at)
    elif isinstance(read, AskAgain):
        reply.understood = {str(reading.pool.key): reading.figure for reading in read.readings}
        who = f"This is {settings.SITE_NAME}. " if read.why == "question" else ""
        reply.answer = _again(f"{who}{read.question} Reply STOP to end.", meant, at, reply)
    if reply.outcome == Outcome.APPLIED:
        told = {row.service_id for row in rows if str(row.pk) in reply.understood}
        Ask.objects.filter(service__in=told, sent_at__isnull=False, answered_at=None).update(answered_at=at)


def _together(ask: Ask) -> set[UUID]:
    """The services that were asked about in the message of an ask."""
    return set(Ask.objects.filter(Q(pk=ask.pk) | Q(with_ask=ask)).values_list("service_id", flat=True))


def _of_one_question(services: Sequence[Service], reply: Reply, at: datetime) -> list[Service]:
    """Of several services those that the last message of ours asked about, if it asked about several and none has answered it."""
    asked = Ask.objects.filter(with_ask=None, service__in=services, sent_to__iexact=reply.sender, sent_at__gt=at - LATELY)
    last = reply.ask or asked.order_by("-sent_at", "-pk").first()
    together = Ask.objects.filter(Q(pk=last.pk) | Q(with_ask=last)) if last else Ask.objects.none()
    if together.filter(answered_at__isnull=False).exists() or together.count() < 2:
        return []
    wanted = set(together.values_list("service_id", flat=True))
    return [service for service in services if service.pk in wanted]


def _apply(
    reply: Reply, read: Understood, pools: Sequence[PoolWords], services: Sequence[Service], *, at: datetime, seen_at: datetime
) -> None:
    """Keep all figures or none: what is refused is said in words, with how to write it."""
    newer = []
    try:
        with transaction.atomic():
            told = [cast(UUID, reading.pool.key) for reading in read.readings]
            operations.lock(told)
            sessions.lock_coming(told, at)
            for reading in read.readings:
                figures: dict[str, Any] = {} if read.same else {"available": reading.figure}
                pool = operations.report(
                    pool_id=cast(UUID, reading.pool.key), by=None, at=at, observed_at=seen_at, via=_VIA[Channel(reply.channel)],
                    key=f"{reply.channel}:{reply.pk}", **figures,
                )  # fmt: skip
                if pool.reported_at is not None and pool.reported_at > seen_at:
                    newer.append(f"{pool.available} {reading.pool.label}")
    except LuneError as error:
        by_hand = " For that open the link that we sent, or sign in." if error.code == "below-held" else ""
        question = f"Sorry, nothing is changed. We read: {describe(read.readings)}. {error.message}{by_hand}"
        reply.answer = _again(f"{question} You can write, for example: {example(pools)}.", services, at, reply)
        return
    reply.understood = {str(reading.pool.key): reading.figure for reading in read.readings}
    reply.outcome = Outcome.APPLIED
    later = f" Somebody told us later: {', '.join(newer)}. That stays." if newer else ""
    names = " and ".join(_line(service.name) for service in services[:3])
    reply.answer = f"Thank you. Kept for {names}: {describe(read.readings)}.{later} Reply STOP to end."


def _again(question: str, services: Sequence[Service], at: datetime, reply: Reply) -> str:
    """Ask what was meant. It is a question like any other, so that the answer to it can come by e-mail too."""
    sent_to = reply.ask.sent_to if reply.ask else reply.sender
    asked = {"why": Ask.Why.AGAIN, "channel": reply.channel, "sent_to": sent_to, "created_at": at, "sent_at": at}
    again = Ask.objects.create(service=services[0], **asked)
    for service in services[1:]:
        Ask.objects.create(service=service, with_ask=again, **asked)
    if reply.channel == Channel.EMAIL:
        reply.ask = again
    return question


def _meant(services: Sequence[Service], text: str, sender: str, at: datetime) -> Service | None:
    """Which of several services: the one that is named; else the only one that was asked lately and has not answered."""
    said = _plain(own_words(text))
    named = [one for one in services if f" {_plain(one.name).strip()} " in said]
    named = [one for one in named if not any(_plain(one.name).strip() in _plain(other.name) for other in named if other is not one)]
    if named:
        return named[0] if len(named) == 1 else None
    asked = Ask.objects.filter(service__in=services, sent_to__iexact=sender, sent_at__gt=at - LATELY, answered_at=None)
    waiting = set(asked.exclude(why=Ask.Why.AGAIN).values_list("service_id", flat=True))
    return next((one for one in services if one.pk in waiting), None) if len(waiting) == 1 else None


def _plain(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.casefold()))} "


def _names(services: Sequence[Service]) -> list[str]:
    """What people may call the service in a greeting. Of several the names tell them apart, so that none is mere greeting."""
    names = {service.organization.name for service in services}
    return list(names | {services[0].name} if len(services) == 1 else names)


def _words(pool: ServiceCapacity, rows: Sequence[ServiceCapacity], seen_at: datetime) -> PoolWords:
    """A pool as people speak of it, with the figure that they knew. Where it stands is said only to tell two of one name apart."""
    known = pool.reports.filter(received_at__lte=seen_at).exclude(kind=CapacityReport.Kind.LATE).order_by("-version").first()
    several = len({row.service_id for row in rows}) > 1
    alike = sum(row.name == pool.name for row in rows) > 1
    return PoolWords(
        key=pool.pk, name=pool.name, unit=pool.unit, bed_type=pool.bed_type, for_sex=pool.for_sex,
        available=known.available if known else pool.available, maximum=pool.maximum,
        place=pool.service.name if several else pool.location.name if alike and pool.location else "",
    )  # fmt: skip


def _line(text: str) -> str:
    return " ".join(text.split())[:60]


def invitation(pools: Sequence[ServiceCapacity], channel: str, *, name: str = "") -> str:
    """What a question says of answering by hand; empty where this site could not take the answer. `name` of one service among several."""
    asked = [PoolWords(key=pool.pk, name=pool.name, unit=pool.unit) for pool in pools if pool.starts_at is None]
    if not asked or (channel == Channel.EMAIL and not reply_address.is_set_up()):
        return ""
    return f"Or just answer, like: {f'{name}: ' if name else ''}{example(asked[:2])}.{' Or: same, if all is right.' if name else ''}"


def send_answer(*, reply_id: UUID) -> bool:
    """Send what is written back. Returns whether it was taken; a fault of mail server or gateway is raised, and the job tried again."""
    reply = Reply.objects.select_related("ask").exclude(answer="").filter(pk=reply_id).first()
    if reply is None:
        return False
    if reply.channel == Channel.SMS:
        try:
            sms.gateway().send(reply.sender, reply.answer)
        except sms.Refused:
            return False
        return True
    if reply.ask is None:
        return False
    headers = {"Auto-Submitted": "auto-replied", **reply_address.headers(reply.ask.pk)}
    if re.fullmatch(r"<[^\s<>]{1,190}>", reply.gateway_id):
        headers |= {"In-Reply-To": reply.gateway_id, "References": reply.gateway_id}
    subject = f"What is free at {_line(reply.service.name)}" if reply.service else "What is free"
    body = f"{reply_address.note()}\n{reply.answer}\n\n{settings.SITE_NAME}\n"
    EmailMessage(subject=subject, body=body, to=[reply.ask.sent_to], headers=headers).send()
    return True


def forget_words(*, at: datetime) -> int:
    """Delete what people wrote, and what was written back, after some weeks; of strangers the address too. Returns how many."""
    old = Reply.objects.filter(received_at__lt=at - WORDS_KEPT)
    strangers = old.filter(outcome=Outcome.STRANGER).exclude(sender="").update(sender="")
    return old.filter(~Q(words="") | ~Q(answer="")).update(words="", answer="") or strangers
