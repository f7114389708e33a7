"""What a provider's registered contact does by a link. Each function is one transaction, except that a wrong guess at a code is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core import acting, audit
from core.clock import LONDON, local_date
from core.errors import Conflict, Invalid, LuneError, NotFound
from flow import consents
from flow import operations as referrals
from flow.attendance import operations as attendance
from flow.behalf import OnBehalf
from flow.casework import operations as casework
from flow.models import FollowUp, ReferralTask, ReplyContact, TaskLink
from flow.outside import asked, codes, links, messages
from flow.outside.calls import log as log_call
from flow.outside.contacts import end as end_contact
from flow.outside.contacts import register as register_contact
from flow.outside.messages import send_link
from flow.reminders import sending
from flow.workflow import Action, Side, Status

__all__ = [
    "answer", "ask", "attended", "end_contact", "log_call", "read_out_code", "register_contact", "release", "send_again", "send_code",
    "send_link",
]  # fmt: skip

#: The steps that a link takes. Pausing, resuming and taking back a yes are for those who sign in, or for the telephone.
VERBS: dict[str, Callable[..., ReferralTask]] = {
    Action.ACCEPT: referrals.accept,
    Action.DECLINE: referrals.decline,
    Action.START: referrals.start,
    Action.COMPLETE: referrals.complete,
    Action.FAIL: referrals.fail,
}


@dataclass(frozen=True, slots=True)
class Released:
    """Whom to ring: all that the code releases. Shown in one answer, and kept nowhere on the device."""

    given_name: str
    family_name: str
    phone: str
    language: str


@dataclass(frozen=True, slots=True)
class Reader:
    """The registered contact, as the read audit writes who looked."""

    pk: UUID
    organization_id: UUID
    role: str = "reply-contact"


#: What somebody with one address only asks of the sender: link and code must not go the same way. Several services of a referral may.
ASKS_FOR_CODE = "{service} ({provider}) asks who it is, and has one address only. Ring the number that they publish, and read them a code."


def on_behalf(link: TaskLink) -> OnBehalf:
    """The contact of a link as who takes a step."""
    return OnBehalf(
        organization_id=link.task.provider_id,
        words=f"{link.contact.name}, {link.task.provider.name}, by a signed link",
        contact=link.contact,
    )


@acting.across("whoever has the link may")
@transaction.atomic
def answer(
    *, token: str, action: str, at: datetime, expected_version: int, reason: str = "", reason_text: str = "", even_so: bool = False
) -> str:
    """Take one step by a link. Returns the token of the door that it opens on this device.

    Refused, nothing is kept and the link stays good. Raises NotFound, and what the step raises: Conflict (`link-spent`, `moved-on`,
    `no-place`, `stale-version`, `changed-since` until `even_so`) and Invalid.
    """
    link = links.find(token, at=at, lock=True)
    verb = VERBS.get(action)
    if verb is None:
        raise Invalid("Press one of the buttons.", code="no-such-answer")
    why: dict[str, Any] = {"reason": reason, "reason_text": reason_text}
    if action == Action.ACCEPT:
        why["even_so"] = even_so
    verb(task_id=link.task_id, by=on_behalf(link), at=at, expected_version=expected_version, **why)
    return _door(link, token, at)


@acting.across("whoever has the link may")
@transaction.atomic
def ask(*, token: str, words: str, at: datetime, code: str = "") -> str:
    """Ask the sender something before answering. Returns the token of the door. The answer comes with a link of its own."""
    link = links.find(token, at=at, lock=True)
    casework.ask(task_id=link.task_id, by=None, at=at, code=code, words=words)
    return _door(link, token, at)


@acting.across("whoever has the link may")
@transaction.atomic
def attended(*, token: str, day: date, mark: str, reason: str, at: datetime) -> str:
    """Say that the person came on a day, or did not, and why. Returns the token of the door."""
    link = links.find(token, at=at, lock=True)
    if not local_date(link.task.requested_at or at) <= day <= local_date(at):
        raise Invalid("Give a day between that of the request and today.", field="day")
    noon = datetime.combine(day, time(12), tzinfo=LONDON)
    attendance.note(task_id=link.task_id, starts_at=noon, mark=mark, reason=reason, by=on_behalf(link), at=at)
    return _door(link, token, at)


@acting.across("whoever has the link may")
@transaction.atomic
def send_code(*, token: str, at: datetime) -> str:
    """Send the code that names the person. Returns the token of the door. Raises NotFound and Conflict."""
    link = links.find(token, at=at, lock=True)
    _require_taken_on(link.task)
    consents.require_not_withdrawn(link.task)
    by = messages.code_channel(link.contact, link)
    if by:
        codes.begin(link, channel=by, at=at)
        return _door(link, token, at)
    words = ASKS_FOR_CODE.format(service=link.task.pool.service.name[:90], provider=link.task.provider.name[:90])
    if not FollowUp.objects.open().filter(referral=link.task.referral_id, kind=FollowUp.Kind.MESSAGE, words=words).exists():
        sending.tell_sender(link.task, words, at=at)
    return _door(link, token, at)


@acting.across("the sender proves who it is by the telephone", seen=lambda **told: ReferralTask.objects.filter(pk=told["task_id"]))
def read_out_code(*, task_id: UUID, by: User, at: datetime) -> str:
    """A code for whoever answers by link and has one address only: the sender rings them and reads it out. Told here and never again.

    Raises NotFound and Conflict (`not-needed`, `too-soon`, `too-many-codes`).
    """
    task = ReferralTask.objects.visible_to(by).select_related("referral", "pool").filter(pk=task_id).first()
    if task is None or task.side_of(by) != Side.REFERRER:
        raise NotFound("There is no such referral.")
    contact = ReplyContact.objects.active().filter(service=task.pool.service_id).first()
    if contact is None or not messages.has_one_way(contact) or task.status not in Status.known_to_provider():
        raise Conflict("They need no code from you: they have not said yes, or get it by another way.", code="not-needed")
    consents.require_not_withdrawn(task)
    return codes.read_out(task, contact, channel=messages.link_channel(contact), at=at)


@acting.across("whoever has the link may")
def release(*, token: str, code: str, at: datetime) -> tuple[TaskLink, Released]:
    """The right code names the person, once; the look is written to the read audit as the contact's. Raises NotFound, Conflict, Invalid.

    Afterwards nothing names them until another code is asked for.
    """
    link = links.find(token, at=at)
    _require_taken_on(link.task)
    consents.require_not_withdrawn(link.task)
    codes.check(link, code, at=at)
    with transaction.atomic():
        task = ReferralTask.objects.select_for_update(of=("self",), no_key=True).select_related("referral__patient").get(pk=link.task_id)
        _require_taken_on(task)
        consents.require_not_withdrawn(task)
        patient = task.referral.patient
        reader = Reader(pk=link.contact_id, organization_id=task.provider_id)
        audit.record_read(user=reader, record_type="patient", record_id=patient.pk)
        return link, Released(patient.given_name, patient.family_name, patient.phone, patient.preferred_language)


@acting.across("whoever has the link may")
def send_again(*, token: str, at: datetime) -> None:
    """Whoever shows a link, spent or not, gets the next one sent to the registered address, and nowhere else. Says nothing of whether."""
    try:
        link = links.any_link(token)
    except LuneError:
        return
    if not links.too_soon(link.task, at):
        asked.tell([link.task])


def _door(link: TaskLink, token: str, at: datetime) -> str:
    """A link that was sent is used up, and opens a door; a door stays open."""
    if link.kind == TaskLink.Kind.DOOR:
        return token
    TaskLink.objects.filter(pk=link.pk).update(used_at=at)
    return links.issue(link.task, link.contact, kind=TaskLink.Kind.DOOR, channel=link.channel, at=at)


def _require_taken_on(task: ReferralTask) -> None:
    if task.status == Status.CANCELLED:
        raise Conflict("This request was withdrawn, so nobody is named any more. Nothing more is needed from you.", code="moved-on")
    if task.status not in Status.known_to_provider():
        raise NotFound("Say yes first: only then do you learn who it is.")
