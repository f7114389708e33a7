"""The words of the messages: plain text, one thing to do, and how to stop. No message names a patient."""

from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from capacity import asking, demand, replies, reply_address
from capacity.models import Ask, AskingPreference, Channel, ServiceCapacity
from capacity.status import told
from core import sms
from core.clock import LONDON


def send(ask: Ask, token: str, *, at: datetime) -> str:
    """Send the question about one service. Returns what the gateway calls the message; empty for e-mail."""
    if ask.channel == Channel.SMS:
        return sms.gateway().send(ask.sent_to, text_message(ask, token, at=at))
    letter(ask, token, at=at).send()
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


def text_message(ask: Ask, token: str, *, at: datetime) -> str:
    """As short as can be: what we think, the link, how to answer by hand and how to stop."""
    pools = list(asking.asked_about(at).filter(service=ask.service)[:3])
    name = _line(ask.service.name, 40)
    question = f"{name}: {', '.join(_question(pool, len(pools)) for pool in pools)}?" if pools else f"{name}: what is free?"
    near = demand.words(ask.waiting_near)
    by_hand = replies.invitation(pools, ask.channel)
    return " ".join(filter(None, [question, near, f"Tell us in one tap: {_url('tell', token)}", by_hand, "Reply STOP to stop."]))


def letter(ask: Ask, token: str, *, at: datetime) -> EmailMessage:
    """The question as a letter. Mail programs show a button by which it stops (RFC 8058)."""
    pools = list(asking.asked_about(at).filter(service=ask.service))
    name, owner = _line(ask.service.name), _line(ask.service.organization.name)
    stop = _url("tell-stop", token)
    until = (at + asking.LINK_LASTS).astimezone(LONDON)
    subject = f"{name}: {_question(pools[0], 1)}?" if len(pools) == 1 else f"{name}: what is free?"
    figures = "\n".join(f"{_label(pool)}: {_figure(pool)}, {told(pool.reported_at, at)}" for pool in pools)
    parts = [
        reply_address.note().strip(),
        "Hello,",
        f"this is what people read about {name}{f' ({owner})' if owner != name else ''}:",
        figures,
        f"Is it still right? Open the link and press one button. You need no account.\n{_url('tell', token)}",
        replies.invitation(pools, ask.channel),
        demand.words(ask.waiting_near),
        f"The link works once, for this service alone, until {until:%H:%M on %-d %B %Y}. Whoever has it can answer by it, so please do not "
        "pass this message on.",
        f"You are not the right person, or want no more of these messages? One press: {stop}",
        settings.SITE_NAME,
    ]
    headers = {
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    } | reply_address.headers(ask.pk)
    return EmailMessage(subject=subject[:200], body="\n\n".join(filter(None, parts)) + "\n", to=[ask.sent_to], headers=headers)


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
