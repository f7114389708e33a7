"""Calls to providers who are not on the platform: what was said is written down, and taken as their step."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core.clock import LONDON, local_date
from core.errors import Conflict, Invalid, NotFound
from core.events import publish
from flow import operations as referrals
from flow.behalf import OnBehalf
from flow.casework.follow_ups import finish, follow_up
from flow.models import FollowUp, PhoneCall, ReferralTask, ReplyContact
from flow.outside.contacts import signs_in
from flow.workflow import Side, Status

Said = PhoneCall.Said
_VERBS = {
    Said.YES: referrals.accept,
    Said.NO: referrals.decline,
    Said.STARTED: referrals.start,
    Said.FINISHED: referrals.complete,
    Said.FAILED: referrals.fail,
}
#: A call is written down within this time, or the clock of the referral says nothing.
AT_LATEST = timedelta(days=14)
RING_AGAIN_WITHIN = timedelta(days=60)
#: After what they are rung again.
AGAIN = (Said.CALL_BACK, Said.NOBODY)


def refusal(task: ReferralTask, at: datetime) -> str:
    """Why no call is written down for this request, in words; empty when one may be. Reads `pool.service.organization`."""
    name = task.pool.service.organization.name
    if signs_in(task.provider_id):
        return f"{name} signs in and answers for itself. If it has told you something by telephone, ask it to answer here."
    contact = ReplyContact.objects.active().filter(service=task.pool.service_id).first()
    due = task.respond_by if task.status == Status.REQUESTED else None
    if contact is not None and contact.refused_at is None and due is not None and at < due:
        return (
            f"{name} answers by a link that we sent, until {due.astimezone(LONDON):%H:%M on %-d %B}. "
            "Ask it to use the link; after that time you can write down what it says."
        )
    return ""


def answers_to_hear(task: ReferralTask) -> list[PhoneCall.Said]:
    """What a provider can have said of a request as it stands."""
    if task.status == Status.REQUESTED:
        return [Said.YES, Said.NO, Said.CALL_BACK, Said.NOBODY]
    if task.status == Status.ACCEPTED:
        return [Said.STARTED, Said.FINISHED, Said.FAILED, Said.CALL_BACK, Said.NOBODY]
    if task.status in Status.open():
        return [Said.FINISHED, Said.FAILED, Said.CALL_BACK, Said.NOBODY]
    return []


@transaction.atomic
def log(
    *,
    task_id: UUID,
    rung: str,
    rung_at: datetime,
    said: str,
    by: User,
    at: datetime,
    reason: str = "",
    words: str = "",
    ring_again_on: date | None = None,
    expected_version: int | None = None,
) -> PhoneCall:
    """Write down a call, and take the step that the provider said, on its behalf.

    Raises NotFound, Invalid (with `field`), Conflict (`answers-itself` for a provider who answers for itself, and what the step raises).
    """
    tasks = ReferralTask.objects.visible_to(by).select_related("referral", "pool__service__organization", "provider")
    task = tasks.filter(pk=task_id).first()
    if task is None or task.side_of(by) != Side.REFERRER:
        raise NotFound("There is no such referral.")
    if why := refusal(task, at):
        raise Conflict(why, code="answers-itself")
    rung, words = " ".join(rung.split()), words.strip()
    if not rung or len(rung) > 80:
        raise Invalid("Say who you rang, in at most 80 letters.", field="rung")
    if not at - AT_LATEST <= rung_at <= at:
        raise Invalid(f"Give the time of the call: within the last {AT_LATEST.days} days, and not in the future.", field="rung_at")
    if said not in Said.values:
        raise Invalid("Choose what they said.", field="said")
    if said not in answers_to_hear(task):
        raise Conflict(f"“{Said(said).label}” is no longer possible: this request has moved on. Look again.", code="moved-on")
    if len(words) > 300:
        raise Invalid("Shorten this to 300 letters or fewer.", field="words")
    if said not in AGAIN:
        ring_again_on = None
    if (said == Said.CALL_BACK or ring_again_on) and not (
        ring_again_on and local_date(at) <= ring_again_on <= local_date(at) + RING_AGAIN_WITHIN
    ):
        raise Invalid(f"Say on which day to ring again, within {RING_AGAIN_WITHIN.days} days.", field="ring_again_on")
    call = PhoneCall.objects.create(
        task=task, organization_id=task.referral.organization_id, by=by, rung=rung, rung_at=rung_at, said=said, reason=reason,
        words=words, ring_again_on=ring_again_on, follow_up=_again(task, ring_again_on, by, at) if ring_again_on else None, at=at,
    )  # fmt: skip
    if verb := _VERBS.get(Said(said)):
        who = OnBehalf(
            organization_id=task.provider_id,
            words=f"{task.referral.organization.name}, on behalf of {task.provider.name} by telephone ({rung}, "
            f"{rung_at.astimezone(LONDON):%H:%M on %-d %B})",
            account=by,
        )
        given: dict[str, Any] = {"reason": reason if said == Said.NO else "", "reason_text": words}
        if said == Said.YES:  # asked what has changed since, they answered on the telephone
            given["even_so"] = True
        verb(task_id=task.pk, by=who, at=at, expected_version=expected_version, **given)
    else:
        sender = task.referral.organization_id
        publish("referral.rung", topics=[f"referral:{task.referral_id}"], audience=[sender], data={"task": str(task.pk), "said": said})
    _end_waiting(call, at)
    return call


def _again(task: ReferralTask, due_on: date, by: User, at: datetime) -> FollowUp:
    """What is to be done by a day stands with all else that is: in the caller's own list, and that of the team."""
    return follow_up(
        patient_id=task.referral.patient_id,
        referral_id=task.referral_id,
        words=f"Ring {task.pool.service.name} again about this referral."[:300],
        due_on=due_on,
        user_id=by.pk,
        by=by,
        at=at,
    )


def _end_waiting(call: PhoneCall, at: datetime) -> None:
    """They were rung again: what the calls before left to be done is done."""
    assert call.by is not None  # who has just written it down
    before = PhoneCall.objects.filter(task=call.task).exclude(pk=call.pk).values("follow_up")
    for each in FollowUp.objects.visible_to(call.by).open().filter(pk__in=before).order_by("pk"):
        came = f"Rung at {call.rung_at.astimezone(LONDON):%H:%M on %-d %B}: {str(Said(call.said).label).lower()}."
        finish(follow_up_id=each.pk, outcome=came, by=call.by, at=at)
