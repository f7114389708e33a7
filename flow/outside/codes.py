"""The second factor: six digits by another way than the link, before anybody is named. Ten minutes, five tries, hashed."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from core.errors import Conflict, Invalid
from flow.models import ReferralTask, ReleaseCode, ReplyContact, TaskLink

LASTS = timedelta(minutes=10)
MOST_TRIES = 5
NOT_TWICE_WITHIN = timedelta(minutes=1)
#: For one request in a day: so many messages, and so many guesses at six digits, whatever is pressed.
MOST_A_DAY = 6


@transaction.atomic
def begin(link: TaskLink, *, channel: str, at: datetime) -> ReleaseCode:
    """Send a code for what this link opens; the ones before end. Raises Conflict (`too-soon`, `too-many-codes`)."""
    from flow.outside.jobs import send_release_code  # the job calls this module

    row = _new(link.task, link.contact, channel=channel, at=at)
    send_release_code.defer(code_id=str(row.pk))
    return row


@transaction.atomic
def read_out(task: ReferralTask, contact: ReplyContact, *, channel: str, at: datetime) -> str:
    """A code that somebody reads out on the telephone; told here and never again. Raises what `begin` does."""
    return make(_new(task, contact, channel=channel, at=at), at=at)


def _new(task: ReferralTask, contact: ReplyContact, *, channel: str, at: datetime) -> ReleaseCode:
    before = ReleaseCode.objects.filter(task=task)
    if before.filter(created_at__gt=at - NOT_TWICE_WITHIN).exists():
        raise Conflict("We sent a code a moment ago. Wait a minute, then ask for another one.", code="too-soon")
    if before.filter(created_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        raise Conflict("Too many codes were sent today. Ring the team that asked you, and they tell you who it is.", code="too-many-codes")
    before.exclude(code_hash="").update(code_hash="")
    return ReleaseCode.objects.create(task=task, contact=contact, channel=channel, created_at=at, expires_at=at + LASTS)


def make(row: ReleaseCode, *, at: datetime) -> str:
    """The code that leaves now, told here and never again."""
    code = f"{secrets.randbelow(1_000_000):06}"
    row.code_hash, row.expires_at = _hash(row, code), at + LASTS
    row.save(update_fields=["code_hash", "expires_at"])
    return code


def newest(link: TaskLink, *, at: datetime) -> ReleaseCode | None:
    """The code that is waited for, if it can still be typed."""
    row = ReleaseCode.objects.filter(task=link.task_id, contact=link.contact_id).first()
    return row if row and row.used_at is None and at < row.expires_at and row.tries < MOST_TRIES else None


def check(link: TaskLink, code: str, *, at: datetime) -> ReleaseCode:
    """Use the code that was typed. A wrong guess is kept although it is refused, so call it in no transaction that ends with the refusal.

    Raises Invalid (`field` code).
    """
    with transaction.atomic():
        row = ReleaseCode.objects.select_for_update(of=("self",)).filter(task=link.task_id, contact=link.contact_id).first()
        good = row is not None and bool(row.code_hash) and at < row.expires_at and row.tries < MOST_TRIES
        right = False
        if row is not None and good:
            right = constant_time_compare(row.code_hash, _hash(row, "".join(code.split())[:20]))
            row.tries += 1
            if right:
                row.code_hash, row.used_at = "", at
            row.save(update_fields=["tries", "code_hash", "used_at"])
    if row is None or not right:
        last = good and row is not None and row.tries >= MOST_TRIES
        words = "That is not the code. Look at the message again." if good and not last else "Ask for a new code: this one cannot be used."
        raise Invalid(words, code="wrong-code", field="code")
    return row


def _hash(row: ReleaseCode, code: str) -> str:
    return salted_hmac("flow.outside.codes", f"{row.pk}:{code}", algorithm="sha256").hexdigest()
