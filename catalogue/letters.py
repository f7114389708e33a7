"""To whom no letters go, why, and when letters go out at all.

An owner stops letters by the link in each of them, about one service or all, and starts them again by the same link, though it has been
answered. An address from which mail came back is left alone for every later letter at once, until a curator says that it works.
"""

from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from catalogue.assurance import LinkSpent, lock_for_keeper, token_hash
from catalogue.models import AssuranceLink, NoLetters, Service, User
from core.bank_holidays import is_bank_holiday
from core.clock import LONDON
from core.errors import NotFound

Why = NoLetters.Why
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
#: A worker that was away in the morning still writes the letters of the day, but not in the evening.
LAST_HOUR = 17
#: Mail comes back within days; what says so later is not believed, nor of an address to which we did not write.
COMES_BACK_WITHIN = timedelta(days=60)
LARGEST_REPORT = 1_000_000


def is_time(at: datetime) -> bool:
    """Whether letters of the clock go out now: on the days and from the hour that are set, by the clock of England, on no bank holiday."""
    here = at.astimezone(LONDON)
    first: int = settings.LETTER_HOUR
    return DAYS[here.weekday()] in settings.LETTER_DAYS and first <= here.hour <= max(first, LAST_HOUR) and not is_bank_holiday(here.date())


def silenced() -> Exists:
    """Of services with `owner_email`: no letter goes to that address, about this service or any."""
    return Exists(NoLetters.objects.filter(Q(service=None) | Q(service=OuterRef("pk")), email=Lower(OuterRef("owner_email"))))


def by_link(token: str) -> tuple[AssuranceLink, NoLetters | None]:
    """The letter that a link came in, answered or not, and whether its owner stopped letters. Raises NotFound or LinkSpent."""
    link = AssuranceLink.objects.select_related("service__organization").filter(token_hash=token_hash(token)).first()
    if link is None:
        raise NotFound("This link cannot be used.", code="no-such-link")
    if not Service.objects.public().filter(pk=link.service_id).exists():
        raise LinkSpent("This link cannot be used any more.")
    return link, _stopped(link).order_by("-service").first()


@transaction.atomic
def stop(*, token: str, everything: bool, at: datetime) -> NoLetters:
    """The owner wants no more letters about this service, or about none. Its open links still work."""
    link, _ = by_link(token)
    row, _ = NoLetters.objects.get_or_create(
        email=link.sent_to.lower(), service=None if everything else link.service, why=Why.STOPPED, defaults={"since": at}
    )
    return row


@transaction.atomic
def start(*, token: str, at: datetime) -> int:
    """The owner wants letters about this service again; if it had stopped all, then all. Returns how many stops were taken back."""
    link, _ = by_link(token)
    return _stopped(link).delete()[0]


def _stopped(link: AssuranceLink) -> Any:
    return NoLetters.objects.filter(Q(service=None) | Q(service=link.service_id), email=link.sent_to.lower(), why=Why.STOPPED)


@transaction.atomic
def mail_came_back(*, service_id: UUID, by: User, at: datetime) -> int:
    """A curator says that nobody gets mail at the address of a service's last letter. Returns how many open links that made void."""
    service = lock_for_keeper(service_id, by)
    last = AssuranceLink.objects.filter(service=service, answer="", bounced_at=None).order_by("-created_at").first()
    return mark_dead(last.sent_to, at=at) if last else 0


@transaction.atomic
def works_again(*, service_id: UUID, by: User, at: datetime) -> int:
    """A curator knows that the address of a service gets mail after all. Returns how many addresses that were left alone this frees."""
    from catalogue.reminders import with_owner  # it asks here who is left alone

    service = lock_for_keeper(service_id, by)
    owner = with_owner(Service.objects.filter(pk=service.pk)).values_list("owner_email", flat=True).get()
    AssuranceLink.objects.filter(sent_to__iexact=owner, bounced_at__isnull=False).update(bounced_at=None, revoked_at=at)
    return NoLetters.objects.filter(email=owner.lower(), why=Why.BOUNCED).delete()[0]


def mark_dead(address: str, *, at: datetime, code: str = "") -> int:
    """Write no more to an address, about any service. Returns how many open links in letters to it are void from now on."""
    NoLetters.objects.get_or_create(email=address.lower(), service=None, why=Why.BOUNCED, defaults={"since": at, "code": code[:20]})
    return AssuranceLink.objects.filter(sent_to__iexact=address, answer="", bounced_at=None).update(bounced_at=at)


@transaction.atomic
def read_report(report: bytes, *, at: datetime) -> list[str]:
    """Take in what a mail server writes when a letter could not be delivered (RFC 3464). Returns the addresses that are left alone now.

    Only what has failed for good counts, and only of addresses to which a letter went lately: whoever makes up a report can silence
    nobody else, and a report of anything else changes nothing.
    """
    dead = []
    for address, code in failed_for_good(report):
        wrote = AssuranceLink.objects.filter(sent_to__iexact=address, created_at__gt=at - COMES_BACK_WITHIN)
        if wrote.exists():
            mark_dead(address, at=at, code=code)
            dead.append(address)
    return dead


def failed_for_good(report: bytes) -> list[tuple[str, str]]:
    """Addresses of a report that will never get mail, each with the code of the status: `[("a@example.org", "5.1.1")]`."""
    message = BytesParser(policy=policy.default).parsebytes(report[:LARGEST_REPORT])
    found: dict[str, str] = {}
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for recipient in part.get_payload() if part.is_multipart() else []:
            if isinstance(recipient, EmailMessage):
                found |= _failed(recipient)
    return list(found.items())


def _failed(recipient: EmailMessage) -> dict[str, str]:
    """The block of one recipient: both the address that we wrote to and the one that it led to, if it has failed for good."""
    code = str(recipient.get("Status", "")).split("(")[0].strip()
    if str(recipient.get("Action", "")).strip().lower() != "failed" or not code.startswith("5."):
        return {}
    told = (str(recipient.get(name, "")).rpartition(";")[2].strip(" <>") for name in ("Original-Recipient", "Final-Recipient"))
    return {address.lower(): code for address in told if "@" in address}
