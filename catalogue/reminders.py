"""Asking the owners of records whether these still hold: whom, how often, and in which words.

A record's owner is asked when the record is due within two weeks or overdue, once more two weeks later, and then not again until it has
been checked: from there on it is the curators' work. An owner of many records gets one letter with all of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.urls import reverse
from django.utils import timezone

from catalogue import assurance, letters
from catalogue.currency import ASSURANCE_LASTS, DUE_SOON
from catalogue.models import AssuranceLink, AssuranceRound, Contact, Service, User
from core.clock import LONDON
from core.errors import Invalid, NotAllowed

ASK_AGAIN = timedelta(days=14)
#: Nobody is asked twice within this time by two curators, or by a second press.
NOT_TWICE_WITHIN = timedelta(hours=20)
MOST_IN_A_LETTER = 50
#: What a mail server answers with a lower number may be otherwise in an hour: the letter is tried again.
REFUSED_FOR_GOOD = 500
#: A large first import must not make us a sender of bulk mail: the rest follows on the next days, the longest unchecked first.
LETTERS_A_DAY = 500


def with_owner(services: QuerySet[Service]) -> QuerySet[Any]:
    """Each service with `owner_email`: its own address, else its organisation's, else a public contact's; empty when there is none."""
    contacts = Contact.objects.filter(service=OuterRef("pk"), is_public=True).exclude(email="").order_by("pk").values("email")[:1]
    return services.annotate(
        owner_email=Coalesce(NullIf("email", Value("")), NullIf("organization__email", Value("")), Subquery(contacts), Value(""))
    )


def to_ask(at: datetime) -> QuerySet[Any]:
    """Public services whose owner should get a letter now, the longest unchecked first. Those without an address are left out.

    A cycle begins with the last check. In it an owner gets two letters at most, and none after an answer. Confidential services are
    never asked by a letter that anybody could forward: curators ring.
    """
    today = timezone.localdate(at)
    in_cycle = AssuranceLink.objects.filter(service=OuterRef("pk")).filter(
        Q(service__assured_date=None) | Q(created_at__date__gt=OuterRef("assured_date"))
    )
    sent = in_cycle.filter(bounced_at=None).order_by().values("service")
    due = with_owner(Service.objects.public()).exclude(owner_email="").exclude(letters.silenced())
    due = due.filter(Q(assured_date=None) | Q(assured_date__lte=today + DUE_SOON - ASSURANCE_LASTS))
    due = due.exclude(Exists(in_cycle.filter(Q(bounced_at__isnull=False, sent_to=OuterRef("owner_email")) | ~Q(answer=""))))
    return (
        due.annotate(
            asked=Coalesce(Subquery(sent.annotate(n=Count("pk")).values("n")), 0),
            last_asked=Subquery(sent.annotate(last=Max("created_at")).values("last")),
        )
        .filter(Q(asked=0) | Q(asked=1, last_asked__lte=at - ASK_AGAIN))
        .order_by(F("assured_date").asc(nulls_first=True), "pk")
    )


def is_time(at: datetime) -> bool:
    """Whether the clock should ask now: in the hours of letters, unless it has already asked today."""
    today = timezone.localdate(at)
    return letters.is_time(at) and not AssuranceRound.objects.filter(asked_by=None, asked_at__date=today).exists()


@transaction.atomic
def ask_those_due(*, at: datetime) -> AssuranceRound | None:
    """What the clock does on each working day. Returns the round, or None when nobody had to be asked."""
    found = list(to_ask(at).values_list("pk", "owner_email")[: LETTERS_A_DAY * MOST_IN_A_LETTER])
    return _begin(found, by=None, at=at) if found else None


@transaction.atomic
def ask(*, service_ids: Sequence[UUID], by: User, at: datetime) -> AssuranceRound:
    """A curator asks the owners of these services now, due or not. Whoever was asked in the last hours is left in peace.

    The letters go out in the background; the round counts them.
    """
    if not (by.is_curator or by.is_administrator):
        raise NotAllowed("Only a curator of the directory asks the owners of its records.")
    chosen = _not_just_asked(service_ids, at)
    found = list(chosen.order_by("pk").values_list("pk", "owner_email"))
    if not found:
        raise Invalid(
            "There is nobody to write to: these records are confidential or closed, or their owners were asked within the last day, "
            "stopped letters, or get no mail.",
            code="nobody-to-ask",
        )
    return _begin(found, by=by, at=at)


def _not_just_asked(service_ids: Sequence[UUID], at: datetime) -> QuerySet[Any]:
    just_asked = AssuranceLink.objects.filter(service=OuterRef("pk"), created_at__gt=at - NOT_TWICE_WITHIN, bounced_at=None)
    return with_owner(Service.objects.public().filter(pk__in=service_ids)).exclude(Exists(just_asked)).exclude(letters.silenced())


def _begin(found: Iterable[tuple[UUID, str]], *, by: User | None, at: datetime) -> AssuranceRound:
    from catalogue.tasks import send_letter  # the task calls this module

    by_address: dict[str, list[UUID]] = defaultdict(list)
    for service_id, address in found:
        by_address[address.lower()].append(service_id)
    unreachable = by_address.pop("", [])
    planned = [
        (address, ids[start : start + MOST_IN_A_LETTER])
        for address, ids in by_address.items()
        for start in range(0, len(ids) if by else 1, MOST_IN_A_LETTER)  # by the clock: one letter a day to an address
    ]
    if by is None:
        planned = planned[:LETTERS_A_DAY]
    begun = AssuranceRound.objects.create(
        asked_by=by,
        asked_at=at,
        services=sum(len(ids) for _, ids in planned),
        unreachable=len(unreachable),
        letters=len(planned),
    )
    for address, ids in planned:
        # One letter to an address at a time. The address itself is looked up when the letter is written.
        lock = "letter:" + hashlib.sha256(address.encode()).hexdigest()
        send_letter.configure(lock=lock).defer(service_ids=[str(pk) for pk in ids], round_id=str(begun.pk))
    return begun


@transaction.atomic
def write(*, service_ids: Sequence[UUID], round_id: UUID, at: datetime) -> bool:
    """Write one letter about these services to their owner and hand it to the mail server. Returns whether it was taken.

    The links are kept only when the letter has gone: a fault of the mail server takes them back, and the job is tried again.
    """
    begun = AssuranceRound.objects.filter(pk=round_id).first()
    chosen = _not_just_asked(service_ids, at).exclude(owner_email="").select_related("organization")
    services = list(chosen.order_by("organization__name", "name", "pk"))
    if not services:
        _count(round_id, "failed")
        return False
    address = services[0].owner_email
    services = [service for service in services if service.owner_email.lower() == address.lower()]
    links = assurance.issue_links(services=services, sent_to=address, at=at, asked_in=begun)
    try:
        letter(address, links, at=at).send()
    except SMTPRecipientsRefused as error:
        code = next((code for code, _ in error.recipients.values()), 0)
        if code < REFUSED_FOR_GOOD:
            raise
        letters.mark_dead(address, at=at, code=str(code))
        _count(round_id, "failed")
        return False
    _count(round_id, "sent")
    return True


def give_up(*, round_id: UUID) -> None:
    """The mail server could not be reached for so long that this letter is not tried again."""
    _count(round_id, "failed")


def _count(round_id: UUID, column: str) -> None:
    AssuranceRound.objects.filter(pk=round_id).update(**{column: F(column) + 1})


def letter(address: str, links: Sequence[tuple[Service, str]], *, at: datetime) -> EmailMessage:
    """The letter itself: plain text, so that every mail program and screen reader shows it and nothing in it is fetched."""
    site = settings.SITE_NAME
    until = (at + assurance.LINK_LASTS).astimezone(LONDON)
    one = len(links) == 1
    stop = f"{settings.SITE_URL}{reverse('still-correct-letters', args=[links[0][1]])}"
    subject = f"Is this still correct? {_line(links[0][0].name)}" if one else f"Are these {len(links)} entries still correct?"
    parts = [
        "Hello,",
        f"{site} lists {'this service' if one else f'these {len(links)} services'}, so that people, and those who help them, can find "
        f"{'it' if one else 'them'}. Please tell us whether the {'entry is' if one else 'entries are'} still correct: open the link, "
        "look, and press one button. You need no account.",
        *(_entry(service, token) for service, token in links),
        f"Each link opens one entry, works once, and runs out on {until:%-d %B %Y}. Whoever has a link can answer by it, so please do not "
        "pass this letter on.",
        "Are you not the right person to ask? Open the link, choose “Change something”, and write the e-mail address of whoever is.",
        f"You want no more of these letters, about one entry or all? One press: {stop}",
        site,
    ]
    return EmailMessage(
        subject=subject[:200],
        body="\n\n".join(parts) + "\n",
        to=[address],
        # Mail programs show a button for it (RFC 8058).
        headers={
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def _entry(service: Service, token: str) -> str:
    owner = service.organization.name
    name = _line(service.name) + (f" ({_line(owner)})" if owner != service.name else "")
    checked = f"Last checked: {service.assured_date:%-d %B %Y}" if service.assured_date else "Nobody has checked it yet"
    return f"{name}\n{checked}\n{settings.SITE_URL}{reverse('still-correct', args=[token])}"


def _line(text: str) -> str:
    """Text from a feed on one line: nothing that could begin a header or a link of its own."""
    return " ".join(text.split())[:120]
