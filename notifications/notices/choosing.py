"""A person chooses what they are told, by which routes and when; a manager chooses for those who have not; a number is confirmed."""

import secrets
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from catalogue.models import User
from core import sms
from core.errors import Conflict, Invalid, NotAllowed
from notifications.models import OrganizationChoices, PersonChoices
from notifications.models.settings import Choices
from notifications.notices.kinds import BY_CODE, Choice

CODE_LASTS = timedelta(minutes=30)
_NOT_TWICE_WITHIN = timedelta(minutes=1)
_MOST_TRIES = 5
#: Codes to one number until it is confirmed: nobody's telephone is rung all day.
_MOST_CODES = 5


@transaction.atomic
def choose(
    *,
    by: User,
    at: datetime,
    choices: Mapping[str, Choice],
    quiet_from: time | None,
    quiet_until: time | None,
    urgent_passes: bool,
    daily_hour: int,
    whole_organization: bool = False,
) -> PersonChoices:
    """What `by` is told from now on. What was put by already goes as it was. Raises Invalid."""
    PersonChoices.objects.get_or_create(user=by)
    own = PersonChoices.objects.select_for_update().get(user=by)
    _set(own, choices, quiet_from, quiet_until, urgent_passes, daily_hour, at)
    own.whole_organization = whole_organization
    own.save()
    return own


@transaction.atomic
def choose_for_all(
    *,
    by: User,
    at: datetime,
    choices: Mapping[str, Choice],
    quiet_from: time | None,
    quiet_until: time | None,
    urgent_passes: bool,
    daily_hour: int,
) -> OrganizationChoices:
    """What everybody of the organisation is told who has chosen nothing. Raises Invalid, or NotAllowed for who does not manage it."""
    if not by.is_manager or by.organization_id is None:
        raise NotAllowed("What suits all is for your organisation’s manager to choose. You can choose for yourself.")
    OrganizationChoices.objects.get_or_create(organization_id=by.organization_id)
    theirs = OrganizationChoices.objects.select_for_update().get(organization_id=by.organization_id)
    _set(theirs, choices, quiet_from, quiet_until, urgent_passes, daily_hour, at)
    theirs.changed_by = by
    theirs.save()
    return theirs


def _set(
    row: Choices, choices: Mapping[str, Choice], begins: time | None, ends: time | None, urgent_passes: bool, daily_hour: int, at: datetime
) -> None:
    if unknown := set(choices) - set(BY_CODE):
        raise Invalid(f"“{sorted(unknown)[0]}” is no kind of notice.")
    if (begins is None) != (ends is None):
        raise Invalid("Say from when and until when it is quiet, or neither.")
    if not 0 <= daily_hour <= 23:
        raise Invalid("Choose an hour from 0 to 23.")
    row.choices = {code: choice.as_json() for code, choice in choices.items()}
    row.quiet_from, row.quiet_until, row.urgent_passes, row.daily_hour, row.changed_at = begins, ends, urgent_passes, daily_hour, at


# --- a mobile number


@transaction.atomic
def set_mobile(*, number: str, by: User, at: datetime) -> PersonChoices:
    """Text messages are to go to this number; a code goes there first. An empty one: to none. Raises Invalid or Conflict."""
    from notifications.notices.tasks import send_code  # the task calls this module

    PersonChoices.objects.get_or_create(user=by)
    own = PersonChoices.objects.select_for_update().get(user=by)
    if not number.strip():
        own.mobile, own.mobile_confirmed_at, own.code_hash = "", None, ""
        own.save(update_fields=["mobile", "mobile_confirmed_at", "code_hash"])
        return own
    if not sms.is_set_up():
        raise Invalid("This site cannot send text messages.", code="no-sms")
    mobile = sms.number(number)
    if mobile == own.mobile and own.mobile_confirmed_at:
        return own
    if own.code_sent_at is not None and at < own.code_sent_at + _NOT_TWICE_WITHIN:
        raise Conflict("A code was sent less than a minute ago. Wait a minute, then ask again.", code="too-soon")
    if own.codes_sent >= _MOST_CODES:
        raise Conflict("Too many codes were sent. Ask your administrator to help.", code="too-many")
    own.mobile, own.mobile_confirmed_at, own.code_hash, own.code_tries, own.code_sent_at = mobile, None, "", 0, at
    own.codes_sent += 1
    own.sms_stopped_at, own.sms_stopped_because = None, ""
    own.save()
    send_code.defer(user_id=str(by.pk))
    return own


def send_code(*, user_id: UUID, at: datetime) -> bool:
    """Make a code, and send it to the number that waits for one. Returns whether one does."""
    with transaction.atomic():
        own = PersonChoices.objects.select_for_update().filter(user_id=user_id, mobile_confirmed_at=None).exclude(mobile="").first()
        if own is None:
            return False
        code = f"{secrets.randbelow(1_000_000):06}"
        own.code_hash, own.code_sent_at = _hash(own, code), at
        own.save(update_fields=["code_hash", "code_sent_at"])
    try:
        sms.gateway().send(own.mobile, f"{code} is your code for {settings.SITE_NAME}. If you did not ask for it, do nothing.")
    except sms.Refused:
        return False
    return True


def confirm_mobile(*, code: str, by: User, at: datetime) -> PersonChoices:
    """The code that came was typed in: text messages go there from now on. Raises Invalid; a wrong guess counts although it is refused."""
    with transaction.atomic():
        own = PersonChoices.objects.select_for_update().filter(user=by).first()
        if own is None:
            raise Invalid("First say which number it is.")
        good = bool(own.code_hash) and own.code_tries < _MOST_TRIES and own.code_sent_at is not None and at < own.code_sent_at + CODE_LASTS
        right = good and constant_time_compare(own.code_hash, _hash(own, "".join(code.split())))
        own.code_tries = min(own.code_tries + 1, _MOST_TRIES)
        if right:
            own.mobile_confirmed_at, own.code_hash, own.codes_sent = at, "", 0
        own.save(update_fields=["mobile_confirmed_at", "code_hash", "code_tries", "codes_sent"])
    if not right:
        raise Invalid("That is not the code. Look at the message again." if good else "This code can no longer be used. Ask for a new one.")
    return own


def _hash(own: PersonChoices, code: str) -> str:
    return salted_hmac("lune.notices.mobile", f"{own.user_id}/{own.mobile}/{code}", algorithm="sha256").hexdigest()
