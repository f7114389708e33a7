"""Messages between sender and provider of one request. Reached through `flow.casework.operations`.

Before the provider says yes it may ask, and the sender chooses answers: nothing that a sender types reaches it, as that may name the
person. After a yes both write freely.
"""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q

from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow.casework.questions import BY_CODE, question
from flow.casework.words import checked
from flow.models import Message, ReferralTask
from flow.outside import asked as asked_by_link
from flow.workflow import Side, Status

LONGEST = 2000
_Kind = Message.Kind
NO_SUCH = "There is no such referral."


@transaction.atomic
def ask(*, task_id: UUID, by: User | None, at: datetime, code: str = "", words: str = "", key: UUID | None = None) -> Message:
    """Ask the sender something, by a code of `questions` or in own words. `by` None: the provider, by its link or by telephone.

    The same `key` sends it once. Raises NotFound, NotAllowed, Invalid and Conflict (`moved-on`, `key-reused`).
    """
    task, side = _lock(task_id, by, Side.PROVIDER)
    if side != Side.PROVIDER:
        raise NotAllowed("Questions are asked by the service. Write a message once it has said yes.")
    if task.status not in (Status.REQUESTED, *Status.known_to_provider()):
        raise _ended()
    if code and code not in BY_CODE:
        raise Invalid("Choose one of the questions, or write your own.", field="code")
    if not code and task.status != Status.REQUESTED:
        raise Conflict("You have said yes: write a message instead.", code="moved-on")
    words = "" if code else checked(words, "Choose a question, or write your own.", longest=LONGEST, field="words")
    return _send(task, side, by, at, key, kind=_Kind.QUESTION, question=code, words=words)


@transaction.atomic
def answer(*, message_id: UUID, answer: str, by: User, at: datetime, key: UUID | None = None) -> Message:
    """Choose the answer to a question. A later one corrects it. Raises NotFound, NotAllowed, Invalid and Conflict (`moved-on`)."""
    asked = Message.objects.visible_to(by).filter(pk=message_id, kind=_Kind.QUESTION).first()
    if asked is None:
        raise NotFound("There is no such question.")
    task, side = _lock(asked.task_id, by, Side.REFERRER)
    if side != Side.REFERRER:
        raise NotAllowed("Questions are answered by those who sent the referral.")
    if task.status not in (Status.REQUESTED, *Status.known_to_provider()):
        raise _ended()
    chosen = question(asked.question).checked(answer.strip())
    return _send(task, side, by, at, key, kind=_Kind.ANSWER, question=asked.question, answer=chosen, answers=asked)


@transaction.atomic
def write(*, task_id: UUID, words: str, by: User, at: datetime, key: UUID | None = None) -> Message:
    """Write freely to the other side, once the service has said yes. Raises NotFound, Invalid and Conflict (`not-yet`, `moved-on`)."""
    task, side = _lock(task_id, by, None)
    if task.status == Status.REQUESTED:
        raise Conflict(
            "The service has not said yes, so it must not learn who the person is. Answer its questions by choosing an answer."
            if side == Side.REFERRER
            else "Until you say yes, ask a question instead: the team answers by choosing an answer.",
            code="not-yet",
        )
    if task.status not in Status.known_to_provider():
        raise _ended()
    return _send(task, side, by, at, key, kind=_Kind.TEXT, words=checked(words, "Write a message.", longest=LONGEST, field="words"))


@transaction.atomic
def mark_read(*, task_id: UUID, by: User, at: datetime, last: UUID) -> int:
    """Note that somebody of this side has opened what the other wrote, up to the message `last`: what came since was not shown.

    Returns how many were new. Raises NotFound.
    """
    newest = Message.objects.visible_to(by).filter(task_id=task_id, pk=last).first()
    if newest is None:
        raise NotFound("There is no such message.")
    unread = Message.objects.unread_by(by).filter(Q(at__lt=newest.at) | Q(at=newest.at, pk__lte=newest.pk), task_id=task_id)
    new = list(unread.values_list("pk", flat=True))
    return Message.objects.filter(pk__in=new, read_at__isnull=True).update(read_at=at, read_by=by) if new else 0


def _lock(task_id: UUID, by: User | None, without: Side | None) -> tuple[ReferralTask, Side]:
    """The request, and the side on which `by` stands. `without` anybody signed in, that of the caller."""
    tasks = ReferralTask.objects.select_for_update(of=("self",), no_key=True).select_related("referral")
    task = (tasks if by is None else tasks.filter(pk__in=ReferralTask.objects.visible_to(by))).filter(pk=task_id).first()
    side = without if by is None else task.side_of(by) if task is not None else None
    if task is None or side is None or task.status == Status.DRAFT:
        raise NotFound(NO_SUCH)
    return task, side


def _send(task: ReferralTask, side: Side, by: User | None, at: datetime, key: UUID | None, **said: object) -> Message:
    """Keep it once for its key, and tell both sides."""
    key = key or uuid4()
    organization = task.provider_id if side == Side.PROVIDER else task.referral.organization_id
    message = Message(task=task, side=side, by=by, organization_id=organization, at=at, key=key, **said)
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError as error:
        before = Message.objects.filter(task=task, side=side, key=key).first()
        if before is None:
            raise
        if any(getattr(before, name) != value for name, value in said.items()):
            raise Conflict("This was sent already with other words. Load the page again, then write it.", code="key-reused") from error
        return before
    sides = [task.referral.organization_id, task.provider_id]
    if side == Side.REFERRER:  # who asked by a link gets another one with the answer
        asked_by_link.tell([task])
    publish(
        "message.new",
        topics=[*(f"org:{each}" for each in sides), f"referral:{task.referral_id}"],
        audience=sides,
        data={"message": str(message.pk), "task": str(task.pk), "referral": str(task.referral_id), "side": str(side)},
    )
    return message


def _ended() -> Conflict:
    return Conflict("This request has ended, so nothing more can be written here.", code="moved-on")
