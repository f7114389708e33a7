"""Messages to people that did not arrive, for the teams who know the person: tried again, or given up because somebody rang.

Whoever runs the site may not know whom a message was for. They see how many could not be handed over to a carrier, which is theirs to
mend, and start those anew; a wrong number or address is the team's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from capacity.models import Channel
from catalogue.models import User
from core import acting
from core.errors import Conflict, NotAllowed, NotFound
from core.quiet import after_quiet
from flow.models import PersonMessage
from flow.reminders import messages, reaching, sending
from flow.reminders.messages import QUIET_FROM, QUIET_UNTIL

Kind, State = PersonMessage.Kind, PersonMessage.State
#: So many are started anew with one press, the newest first; older than this are history.
AT_ONCE, LATELY = 500, timedelta(days=7)
#: How the reason begins where no carrier took the message.
_NOT_HANDED_OVER = Q(failed_because__startswith=sending.NOT_HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Stuck:
    """So many messages that no carrier took: by which way, and when the last was made."""

    way: str
    number: int
    last_at: datetime


def of(user: User) -> QuerySet[PersonMessage]:
    """The messages about requests that `user` may see, with what a list tells of them. The person is not among it."""
    return PersonMessage.objects.visible_to(user).select_related("task__pool__service", "task__referral", "settled_by")


def not_handed_over(*, by: User, at: datetime) -> list[Stuck]:
    """What no carrier took in the last week, counted; nothing of whom it was for. Only for whoever runs the site."""
    _require_administrator(by)
    with acting.system("how many messages no carrier took, without whom they were for"):
        counted = list(_stuck(at).values("channel").annotate(number=Count("pk"), last=Max("created_at")).order_by("channel"))
    return [Stuck(Channel(row["channel"]).label, row["number"], row["last"]) for row in counted]


@acting.across(
    "a message goes out by the way that the person has now", seen=lambda **told: PersonMessage.objects.filter(pk=told["message_id"])
)
@transaction.atomic
def try_again(*, message_id: UUID, by: User, at: datetime) -> PersonMessage:
    """Begin anew with a message that did not arrive, to the number or address that is on record now. Raises NotFound and Conflict."""
    message = _failed(message_id, by)
    reach = reaching.way(message.patient)
    if reach is None:
        raise Conflict(
            "They have no number or address for messages, or do not agree to them. Ring them, then press “Give up”.", code="no-way"
        )
    if not messages.stands(message) or (message.starts_at is not None and message.starts_at <= at):
        raise Conflict("What this message says is over, or is not so any more. Press “Give up” to take it off the list.", code="moved-on")
    _begin_anew(message, by, at)
    return message


@transaction.atomic
def give_up(*, message_id: UUID, by: User, at: datetime) -> PersonMessage:
    """It will not be sent: they were told another way. Raises NotFound and Conflict."""
    message = _failed(message_id, by)
    message.state, message.settled_by = State.GIVEN_UP, by
    message.save(update_fields=["state", "settled_by"])
    return message


@acting.across("what no carrier took is started anew, without whom it was for")
@transaction.atomic
def try_all_again(*, by: User, at: datetime) -> int:
    """Start anew what no carrier took, when that is mended. Each is looked at once more as it leaves. Returns how many."""
    _require_administrator(by)
    found = list(_stuck(at).select_for_update(of=("self",), skip_locked=True).order_by("-created_at", "-pk")[:AT_ONCE])
    for message in found:
        _begin_anew(message, by, at)
    return len(found)


def _stuck(at: datetime) -> QuerySet[PersonMessage]:
    return PersonMessage.objects.filter(_NOT_HANDED_OVER, state=State.FAILED, created_at__gt=at - LATELY)


def _begin_anew(message: PersonMessage, by: User, at: datetime) -> None:
    due_at = after_quiet(at, begins=QUIET_FROM, ends=QUIET_UNTIL)
    if message.starts_at is not None and due_at > message.starts_at - messages.TOO_LATE:
        due_at = at
    message.state, message.attempts, message.due_at, message.settled_by = State.WAITING, 0, due_at, by
    message.failed_because, message.gateway_id = "", ""
    message.save(update_fields=["state", "attempts", "due_at", "settled_by", "failed_because", "gateway_id"])
    sending.enqueue(message)


def _failed(message_id: UUID, by: User) -> PersonMessage:
    seen = PersonMessage.objects.visible_to(by).filter(pk=message_id)
    locked = PersonMessage.objects.select_for_update(of=("self",)).select_related("patient", "task__pool", "task__referral")
    message = locked.filter(pk__in=seen.order_by().values("pk")).first()
    if message is None:
        raise NotFound("There is no such message.")
    if message.state != State.FAILED:
        raise Conflict("This message is on its way or has arrived, or somebody has dealt with it since you looked.", code="moved-on")
    return message


def _require_administrator(by: User) -> None:
    if not by.is_administrator:
        raise NotAllowed("Only whoever runs the site sees to messages that no carrier took.")
