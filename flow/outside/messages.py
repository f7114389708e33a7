"""The messages to a registered contact: plain text, one thing to do. Of the person who is referred they say nothing at all."""

from datetime import datetime
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse

from capacity.models import Channel
from catalogue.models import Service
from core import sms
from core.clock import LONDON
from core.events import publish
from flow.models import ReferralTask, ReleaseCode, ReplyContact, TaskLink
from flow.outside import codes, links
from flow.workflow import Status

#: From this answer of a mail server on, it will be the same in an hour.
REFUSED_FOR_GOOD = 500


def link_channel(contact: ReplyContact) -> str:
    """By which way links go: e-mail where there is one, as it costs nothing and leaves the telephone for the code."""
    return Channel.EMAIL if contact.email else Channel.SMS


def code_channel(contact: ReplyContact, link: TaskLink) -> str:
    """By which way the code goes: another one than the link's. Empty where there is none: then the sender rings and reads one out."""
    if link.channel == Channel.EMAIL:
        return Channel.SMS if contact.phone and sms.is_set_up() else ""
    return Channel.EMAIL if contact.email else ""


def has_one_way(contact: ReplyContact) -> bool:
    """Whether link and code could only go to the same address."""
    return not (contact.email and contact.phone and sms.is_set_up())


def address(contact: ReplyContact, channel: str) -> str:
    return contact.phone if channel == Channel.SMS else contact.email


@transaction.atomic
def send_link(*, task_id: UUID, at: datetime) -> bool:
    """Send a link to one request to whoever answers for the service. Returns whether it was taken; a fault is tried again by the job."""
    tasks = ReferralTask.objects.select_for_update(of=("self",), no_key=True).filter(pool__service__in=Service.objects.public())
    task = tasks.filter(pk=task_id, status__in=Status.open()).select_related("pool__service__organization", "referral").first()
    contact = ReplyContact.objects.active().filter(service=task.pool.service_id).first() if task else None
    if task is None or contact is None or links.too_soon(task, at):
        return False
    channel = link_channel(contact)
    token = links.issue(task, contact, kind=TaskLink.Kind.SENT, channel=channel, at=at)
    subject, *words = _words(task, f"{settings.SITE_URL}{reverse('reply', args=[token])}", at)
    try:
        with transaction.atomic():
            _send(channel, address(contact, channel), subject, words)
    except (sms.Refused, SMTPRecipientsRefused) as error:
        if isinstance(error, SMTPRecipientsRefused) and next((code for code, _ in error.recipients.values()), 0) < REFUSED_FOR_GOOD:
            raise
        TaskLink.objects.filter(task=task, contact=contact, created_at=at).delete()
        ReplyContact.objects.filter(pk=contact.pk).update(refused_at=at)
        sender = task.referral.organization_id
        publish(
            "reply.not-delivered",
            topics=[f"org:{sender}", f"referral:{task.referral_id}"],
            audience=[sender],
            data={"task": str(task.pk), "referral": str(task.referral_id)},
        )
        return False
    ReplyContact.objects.filter(pk=contact.pk, refused_at__isnull=False).update(refused_at=None)
    return True


@transaction.atomic
def send_code(*, code_id: UUID, at: datetime) -> bool:
    """Send one code; a new one at each try, so that none waits in a queue. Returns whether it was needed."""
    row = ReleaseCode.objects.select_for_update(of=("self",)).select_related("contact").filter(pk=code_id, used_at=None).first()
    # What was put by for an address that has become the link's own is not sent there.
    if row is not None and has_one_way(row.contact):
        return False
    if row is None or row.contact.ended_at is not None or row.task.status not in Status.known_to_provider():
        return False
    code = codes.make(row, at=at)
    until = row.expires_at.astimezone(LONDON)
    subject = f"Your code for {settings.SITE_NAME}"
    words = [f"{code} is your code. Type it on the page that you have open. It works until {until:%H:%M}.", "Tell it to nobody."]
    try:
        _send(row.channel, address(row.contact, row.channel), subject, words)
    except (sms.Refused, SMTPRecipientsRefused):
        return False
    return True


def _send(channel: str, to: str, subject: str, words: list[str]) -> None:
    if channel == Channel.SMS:
        sms.gateway().send(to, " ".join([f"{settings.SITE_NAME}:", *words]))
        return
    EmailMessage(
        subject=subject, body="\n\n".join([*words, settings.SITE_NAME]) + "\n", to=[to], headers={"Auto-Submitted": "auto-generated"}
    ).send()


def _words(task: ReferralTask, url: str, at: datetime) -> list[str]:
    """Which service is asked, by when, and the link. Who asks, for whom and what they need stands behind the link."""
    name = " ".join(task.pool.service.name.split())[:80]
    until = (at + links.LINK_LASTS).astimezone(LONDON)
    once = f"The link works once, until {until:%H:%M on %-d %B}. Do not pass it on."
    if task.status != Status.REQUESTED:
        return [f"{name}: your link", f"Your link for a request that {name} has taken on: {url}", once]
    by = f" Please answer by {task.respond_by.astimezone(LONDON):%H:%M on %-d %B}." if task.respond_by else ""
    return [f"{name}: a request waits for your answer", f"Somebody asks {name} for help.{by} Read it and answer: {url}", once]
