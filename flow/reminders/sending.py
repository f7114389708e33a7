"""One message to one person: looked at once more, sent, tried again, and what became of it kept and told to the sender.

The attempt is written down before it is made and its outcome after, each in a transaction of its own, as with notices. Once a message
could not be delivered for good, whoever referred the person gets a follow-up: then somebody has to ring.
"""

from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse

from capacity.models import Channel
from core import acting, mail, sms
from core.clock import LONDON, local_date
from flow.casework.operations import follow_up
from flow.models import FollowUp, PersonMessage, ReferralTask, SessionCancellation
from flow.reminders import messages, reaching
from flow.reminders.wording import TEXTS, moment

Kind, State = PersonMessage.Kind, PersonMessage.State
#: Seconds until the next try.
AGAIN = (6, 36, 240, 1_320, 7_200)
_FORGOTTEN = timedelta(minutes=10)
#: By so much the clocks of worker and database may differ.
_SKEW = timedelta(minutes=1)
CALL_WITHIN = timedelta(days=1)
#: How the reason begins where no carrier took a message: then the fault is ours or theirs, and not the number's.
NOT_HANDED_OVER = "It could not be handed over to the text or mail service"


def send(*, message_id: UUID, at: datetime) -> PersonMessage.State | None:
    """Send one message, if it is still to be sent and due. Returns what became of it."""
    message = _begin(message_id, at)
    if message is None:
        return None
    try:
        gateway_id, because, never = _hand_over(message), "", False
    except SMTPRecipientsRefused:
        gateway_id, because, never = "", "The mail server does not know this address.", True
    except sms.Refused as error:
        gateway_id, because, never = "", str(error), True
    except OSError as error:  # of which every fault of mail server and gateway is one; its words may quote the address
        gateway_id, because, never = "", f"{NOT_HANDED_OVER} ({type(error).__name__}).", False
    return _end(message.pk, gateway_id, because, never=never, at=at)


@transaction.atomic
def _begin(message_id: UUID, at: datetime) -> PersonMessage | None:
    """Lock it, and see whether what it says is still so and still wanted, and by which way."""
    found = PersonMessage.objects.select_for_update(of=("self",)).filter(pk=message_id, state=State.WAITING)
    message = found.select_related("patient", "task__pool__service", "task__referral__created_by").first()
    if message is None or message.due_at > at + _SKEW:
        return None
    if messages.is_undecided(message):
        message.due_at = at + _SKEW * 2
        message.save(update_fields=["due_at"])
        enqueue(message)
        return None
    reach = reaching.way(message.patient)
    over = message.starts_at is not None and message.starts_at <= at
    stands = messages.stands(message)
    if reach is None or over or not stands:
        message.state = State.NOT_NEEDED
        message.save(update_fields=["state"])
        if stands and message.kind == Kind.CALLED_OFF and message.starts_at is not None:
            when = f"{message.starts_at.astimezone(LONDON):%-d %B, %H:%M}"
            tell_sender(message.task, f"Their time on {when} is off, and no message told them in time. Ring them.", at=at)
        return None
    message.channel, message.sent_to, message.related = reach.channel, reach.address, reach.related
    message.attempts += 1
    message.save(update_fields=["channel", "sent_to", "related", "attempts"])
    return message


def _hand_over(message: PersonMessage) -> str:
    """Returns what the carrier calls it."""
    subject, *lines = words(message)
    if message.channel == Channel.SMS:
        return sms.gateway().send(message.sent_to, " ".join(lines))
    headers = {"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"}
    body = "\n\n".join([*lines, settings.SITE_NAME]) + "\n"
    letter = EmailMessage(subject=subject, body=body, to=[message.sent_to], headers=headers)
    letter.send()
    return mail.sent_as(letter, message_id(message))


def words(message: PersonMessage) -> list[str]:
    """Subject and lines: when, the link to where, how to answer, how to stop. Nothing of who, what or why: others may read a phone."""
    said = TEXTS.words(message.patient.preferred_language)
    when = moment(message.starts_at, said) if message.starts_at else {}
    url = f"{settings.SITE_URL}{reverse('my-time', args=[messages.token(message.pk)])}"
    told = said["text"][message.kind].format(**when, url=url)
    subject = f"{settings.SITE_NAME}: {said['mail'][message.kind].format(**when)}"
    if message.channel == Channel.EMAIL:
        return [subject, told, said["mail"]["stop"]]
    by_word = said["text"]["words"] if message.kind in (Kind.BOOKED, Kind.REMINDER) else ""
    return [subject, f"{settings.SITE_NAME}:", *filter(None, [told, by_word, said["text"]["stop"]])]


def message_id(message: PersonMessage) -> str:
    """The same at each try, so that a mailbox that got it already shows it once; and what a bounce names."""
    host = settings.SITE_URL.split("://")[-1].split("/")[0].split(":")[0]
    return f"<lune-{message.pk}@{host}>"


@transaction.atomic
def _end(pk: UUID, gateway_id: str, because: str, *, never: bool, at: datetime) -> PersonMessage.State:
    message = PersonMessage.objects.select_for_update(of=("self",)).select_related("task__referral").get(pk=pk)
    if gateway_id:
        message.state, message.sent_at, message.gateway_id, message.failed_because = State.SENT, at, gateway_id[:120], ""
    elif never or message.attempts > len(AGAIN):
        _failed(message, because, at)
    else:
        message.due_at, message.failed_because = at + timedelta(seconds=AGAIN[message.attempts - 1]), because[:200]
        enqueue(message)
    message.save()
    return State(message.state)


def enqueue(message: PersonMessage) -> None:
    """The job that sends it when it is due, within the caller's transaction."""
    from flow.reminders.jobs import send_message  # the job calls this module

    send_message.configure(schedule_at=message.due_at, lock=messages.lock(message.pk)).defer(message_id=str(message.pk))


def look_after(*, at: datetime) -> int:
    """Hand on what is overdue: a job that was lost, or a worker that died. Returns how many."""
    stuck = PersonMessage.objects.filter(state=State.WAITING, due_at__lt=at - _FORGOTTEN).order_by("due_at")[:200]
    for message in stuck:
        enqueue(message)
    return len(stuck)


@acting.across("a carrier says what became of it")
@transaction.atomic
def receipt(*, gateway_id: str, delivered: bool, because: str, at: datetime, to: str = "") -> bool:
    """A carrier says what became of a message. With `to` it must be who that message went to. Returns whether it is one of ours."""
    found = PersonMessage.objects.select_for_update(of=("self",)).filter(gateway_id=gateway_id).exclude(gateway_id="")
    message = found.select_related("task__referral").first()
    if message is None or (to and message.sent_to.lower() != to.lower()):
        return False
    if delivered and message.state in (State.SENT, State.FAILED):
        message.state, message.arrived_at, message.failed_because = State.ARRIVED, at, ""
    elif not delivered and message.state == State.SENT:
        _failed(message, because, at)
    message.save()
    return True


def _failed(message: PersonMessage, because: str, at: datetime) -> None:
    message.state, message.failed_because = State.FAILED, because[:200]
    told = "A message to them about an appointment did not arrive. Ring them, and check number and address."
    # One call is enough, also where it was tried again, or two messages failed.
    if not FollowUp.objects.open().filter(referral=message.task.referral_id, kind=FollowUp.Kind.MESSAGE, words=told).exists():
        tell_sender(message.task, told, at=at)


def tell_off(task: ReferralTask, *, starts_at: datetime, at: datetime, cancellation: SessionCancellation | None = None) -> None:
    """Tell the person that a time is off. Who gets no messages is rung: whoever referred them gets a follow-up."""
    if messages.tell(task, Kind.CALLED_OFF, at=at, starts_at=starts_at, cancellation=cancellation) is None:
        when = f"{starts_at.astimezone(LONDON):%-d %B, %H:%M}"
        what = f"Their time on {when} is off" if cancellation is None else f"Their session on {when} does not take place"
        tell_sender(task, f"{what}. They get no messages: tell them.", at=at)


def tell_sender(task: ReferralTask, told: str, *, at: datetime) -> FollowUp:
    """A follow-up for whoever referred the person; where they have left or do other work now, for their team."""
    referral = task.referral
    sender = referral.created_by
    still_there = sender is not None and sender.is_active and sender.organization_id == referral.organization_id
    if sender is None or not (still_there and (sender.is_referrer or sender.is_provider)):
        sender = None
    return follow_up(
        patient_id=referral.patient_id, referral_id=referral.pk, organization_id=referral.organization_id,
        user_id=sender.pk if sender else None, team_id=None if sender else referral.team_id, kind=FollowUp.Kind.MESSAGE, words=told,
        due_on=local_date(at) + CALL_WITHIN, by=None, at=at,
    )  # fmt: skip
