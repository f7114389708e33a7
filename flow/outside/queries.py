"""What somebody without an account reads, and what a sender reads of calls and links."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from capacity.ask_messages import address_in_part
from capacity.models import Channel
from catalogue.models import User
from core import acting
from flow import consents
from flow.casework.questions import question
from flow.changes import Changed, since
from flow.models import Message, PhoneCall, Referral, ReferralTask, ReplyContact, TaskLink
from flow.outside import calls, codes, links, messages
from flow.queries import AnonymisedProfile, anonymised
from flow.workflow import Side, Status, Step, steps_open_to


@dataclass(frozen=True, slots=True)
class Said:
    """A question or its answer. What is written freely is not here: it may name the person."""

    ours: bool
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """How one provider of a referral is reached by those who have no account there. `refusal` says why no call is written down."""

    task: UUID
    sent_at: datetime | None
    sent_to: str
    not_delivered: bool
    refusal: str
    may_log: bool
    calls: tuple[PhoneCall, ...]
    #: The numbers in its entry, to ring.
    numbers: tuple[str, ...]
    wants_code: bool


@dataclass(frozen=True, slots=True)
class LinkPage:
    """All that the page behind a link shows. Nobody is named in it."""

    link: TaskLink
    profile: AnonymisedProfile
    steps: tuple[Step, ...]
    waits_for_code: bool
    code_to: str
    said: tuple[Said, ...]
    changed: tuple[Changed, ...]
    """What the sender has changed since, without what it typed: whoever has a link reads no free words."""
    agrees: bool
    """False: the person took back their agreement, or said no, since it was sent."""


@acting.across("whoever has the link may")
def page(token: str, *, at: datetime) -> LinkPage:
    """What a link shows now. Raises NotFound; one that was used or has run out shows how the request stands, and takes nothing."""
    link = links.any_link(token)
    steps = steps_open_to(status=link.task.status, side=Side.PROVIDER) if link.is_open(at) else []
    by = messages.code_channel(link.contact, link)
    return LinkPage(
        link=link,
        profile=anonymised(link.task),
        steps=tuple(steps),
        waits_for_code=not by or codes.newest(link, at=at) is not None,
        code_to=address_in_part(by, messages.address(link.contact, by)) if by else "",
        said=tuple(talk(link.task_id)),
        changed=tuple(replace(change, why="") for change in since(link.task)),
        agrees=consents.withdrawn_of(link.task) is None,
    )


def talk(task_id: UUID) -> list[Said]:
    """The questions that were asked about a request, with the answers that were chosen."""
    rows = Message.objects.filter(task=task_id, kind__in=[Message.Kind.QUESTION, Message.Kind.ANSWER]).order_by("at", "pk")
    return [
        Said(row.side == Side.PROVIDER, row.words or question(row.question).words, row.at)
        if row.kind == Message.Kind.QUESTION
        else Said(row.side == Side.PROVIDER, question(row.question).in_words(row.answer), row.at)
        for row in rows
    ]


def reach(referral: Referral, *, user: User, at: datetime) -> dict[UUID, Reach]:
    """Of a referral's requests those whose provider does not sign in: what was sent to it, and the calls that were written down."""
    tasks = list(referral.tasks.select_related("pool__service__organization", "referral").prefetch_related("pool__service__phones"))
    signing_in = set(
        User.objects.filter(organization__in={task.provider_id for task in tasks}, role=User.Role.PROVIDER, is_active=True).values_list(
            "organization_id", flat=True
        )
    )
    rung: dict[UUID, list[PhoneCall]] = {}
    for call in PhoneCall.objects.visible_to(user).filter(task__in=tasks).select_related("by"):
        rung.setdefault(call.task_id, []).append(call)
    contacts = {
        each.service_id: each for each in ReplyContact.objects.active().filter(service__in={task.pool.service_id for task in tasks})
    }
    found = {}
    for task in tasks:
        contact = contacts.get(task.pool.service_id)
        if task.provider_id in signing_in and contact is None and task.pk not in rung:
            continue
        sent = TaskLink.objects.filter(task=task, kind=TaskLink.Kind.SENT).order_by("-created_at").first()
        refusal = calls.refusal(task, at)
        found[task.pk] = Reach(
            task=task.pk,
            sent_at=sent.created_at if sent else None,
            sent_to=_to(contact) if contact else "",
            not_delivered=contact is not None and contact.refused_at is not None,
            refusal=refusal,
            may_log=not refusal and bool(calls.answers_to_hear(task)),
            calls=tuple(rung.get(task.pk, ())),
            numbers=tuple(phone.number for phone in task.pool.service.phones.all()),
            wants_code=contact is not None and messages.has_one_way(contact) and task.status in Status.known_to_provider(),
        )
    return found


def contact_of(service_id: UUID, *, user: User) -> ReplyContact | None:
    """Who answers for a service by link, for those who may know."""
    return ReplyContact.objects.visible_to(user).active().filter(service=service_id).first()


def task_to_ring(task_id: UUID, *, user: User) -> ReferralTask | None:
    """A request of which `user` may write down a call, or None."""
    tasks = ReferralTask.objects.visible_to(user).select_related("referral", "pool__service__organization")
    task = tasks.filter(pk=task_id).first()
    return task if task is not None and task.side_of(user) == Side.REFERRER else None


def _to(contact: ReplyContact) -> str:
    if contact.email:
        return f"{contact.name}, {address_in_part(Channel.EMAIL, contact.email)}"
    return f"{contact.name}, {address_in_part(Channel.SMS, contact.phone)}"
