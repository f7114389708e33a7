"""The words of the messages: plain text, one thing to do, and how to stop. No message names a patient."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from capacity import asking, demand, replies, reply_address
from capacity.models import Ask, AskingPreference, Channel, ServiceCapacity
from capacity.status import told
from core import sms
from core.clock import LONDON

#: So many kinds of places are named in a text message; the link lists all.
_MOST_IN_A_TEXT = 3


def send(asks: Sequence[Ask], token: str, *, at: datetime) -> str:
    """Send the question about the services of these asks. Returns what the gateway calls the message; empty for e-mail."""
    if asks[0].channel == Channel.SMS:
        return sms.gateway().send(asks[0].sent_to, text_message(asks, token, at=at))
    letter(asks, token, at=at).send()
    return ""


def send_code(preference: AskingPreference, code: str) -> None:
    """Send the code by which an address is confirmed."""
    words = (
        f"{code} is your code for {settings.SITE_NAME}. Type it there, and we may ask at this address what is free at "
        f"{_line(preference.service.name, 60)}. If you do not know of this, do nothing."
    )
    if preference.channel == Channel.SMS:
        sms.gateway().send(preference.address, words)
        return
    headers = {"Auto-Submitted": "auto-generated"}
    EmailMessage(
        subject=f"{code} is your code for {settings.SITE_NAME}", body=words + "\n", to=[preference.address], headers=headers
    ).send()


def text_message(asks: Sequence[Ask], token: str, *, at: datetime) -> str:
    """As short as can be: what we think, the link, how to answer by hand and how to stop."""
    by_service = _asked_about(asks, at)
    left, questions = _MOST_IN_A_TEXT, []
    for ask in asks:
        shown, of = by_service[ask.service_id][:left], len(by_service[ask.service_id])
        if shown:
            questions.append(f"{_line(ask.service.name, 40)}: {', '.join(_question(pool, of) for pool in shown)}")
            left -= len(shown)
    everything = sum(map(len, by_service.values()))
    more = everything - (_MOST_IN_A_TEXT - left) if len(asks) > 1 else 0
    question = f"{'; '.join(questions) or f'{_whose(asks, 40)}: what is free'}?{f' And {more} more.' if more else ''}"
    parts = [question, _near(asks), f"Tell us in one tap: {_url('tell', token)}", _by_hand(asks, by_service), "Reply STOP to stop."]
    return " ".join(filter(None, parts))


def letter(asks: Sequence[Ask], token: str, *, at: datetime) -> EmailMessage:
    """The question as a letter. Mail programs show a button by which it stops (RFC 8058)."""
    by_service, [ask, *others] = _asked_about(asks, at), asks
    pools = [pool for each in asks for pool in by_service[each.service_id]]
    name, owner = _whose(asks), _line(ask.service.organization.name)
    stop = _url("tell-stop", token)
    until = (at + asking.LINK_LASTS).astimezone(LONDON)
    subject = f"{name}: {_question(pools[0], 1)}?" if len(pools) == 1 else f"{name}: what is free?"
    blocks = [
        "\n".join([f"{_line(each.service.name)}:", *(f"  {_told(pool, at)}" for pool in by_service[each.service_id])]) for each in asks
    ]
    parts = [
        reply_address.note().strip(),
        "Hello,",
        f"this is what people read about {name}{f' ({owner})' if owner != name else ''}:",
        "\n\n".join(blocks) if others else "\n".join(_told(pool, at) for pool in pools),
        f"Is it still right? Open the link and press one button. You need no account.\n{_url('tell', token)}",
        _by_hand(asks, by_service),
        _near(asks),
        f"The link works once, for {'these services' if others else 'this service'} alone, until {until:%H:%M on %-d %B %Y}. Whoever has "
        "it can answer by it, so please do not pass this message on.",
        f"You are not the right person, or want no more of these messages? One press: {stop}",
        settings.SITE_NAME,
    ]
    headers = {
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    } | reply_address.headers(ask.pk)
    return EmailMessage(subject=subject[:200], body="\n\n".join(filter(None, parts)) + "\n", to=[ask.sent_to], headers=headers)


def _asked_about(asks: Sequence[Ask], at: datetime) -> dict[UUID, list[ServiceCapacity]]:
    """The places of each service, in the order of their names."""
    found: dict[UUID, list[ServiceCapacity]] = {ask.service_id: [] for ask in asks}
    for pool in asking.asked_about(at).filter(service__in=found):
        found[pool.service_id].append(pool)
    return found


def _whose(asks: Sequence[Ask], longest: int = 120) -> str:
    """The service, or of several their organisation."""
    service = asks[0].service
    return _line(service.name if len(asks) == 1 else service.organization.name, longest)


def _near(asks: Sequence[Ask]) -> str:
    """Of several services the most that wait near one: some may wait for two of them."""
    return demand.words(max(ask.waiting_near or 0 for ask in asks))


def _by_hand(asks: Sequence[Ask], by_service: Mapping[UUID, Sequence[ServiceCapacity]]) -> str:
    pools = by_service[asks[0].service_id]
    return replies.invitation(pools[:_MOST_IN_A_TEXT], asks[0].channel, name=_line(asks[0].service.name, 40) if len(asks) > 1 else "")


def _told(pool: ServiceCapacity, at: datetime) -> str:
    return f"{_label(pool)}: {_figure(pool)}, {told(pool.reported_at, at)}"


def _question(pool: ServiceCapacity, of: int) -> str:
    """“2 beds free”; with its name where there are several."""
    count = "?" if pool.available is None else str(pool.available)
    unit = pool.unit if pool.available == 1 else f"{pool.unit}s"
    return f"{count} {unit} free" if of == 1 else f"{_label(pool, 30)} {count} free"


def _label(pool: ServiceCapacity, longest: int = 120) -> str:
    """Its name, and when it is if it is one session."""
    when = f", {pool.starts_at.astimezone(LONDON):%-d %b %H:%M}" if pool.starts_at else ""
    return f"{_line(pool.name, longest)}{when}"


def _figure(pool: ServiceCapacity) -> str:
    return "nobody has said how many are free" if pool.available is None else f"{pool.available} free"


def _url(name: str, token: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=[token])}"


def _line(text: str, longest: int = 120) -> str:
    """Text from a feed on one line: nothing that could begin a header or a link of its own."""
    return " ".join(text.split())[:longest]


def address_in_part(channel: str, address: str) -> str:
    """Enough of an address to know it by, and not enough to learn it: “t…@example.org”, “number that ends in 123”."""
    if channel == Channel.SMS:
        return f"the number that ends in {address[-3:]}"
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
