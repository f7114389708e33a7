"""Questions around one person: the thread of a request, what is unread, notes, documents, what is to be done, and where a person is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Prefetch, Q, QuerySet

from catalogue.models import User
from core import audit
from core.clock import local_date
from core.errors import Conflict, NotFound
from flow import moves
from flow.casework.questions import QUESTIONS, Question, question
from flow.casework.sources import said
from flow.models import Document, Episode, FollowUp, Message, Note, NoteVersion, Patient, Referral, ReferralTask, Team
from flow.moves import Mover
from flow.workflow import REFERRER_WORDS, Side, Status

#: Who can be reached at all: one organisation's whole list is longer on no screen.
MOST_COLLEAGUES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a thread as one side reads it. `choices`: a question that this side may answer."""

    id: UUID
    at: datetime
    mine: bool
    who: str
    kind: str
    words: str
    answer: str
    is_new: bool
    read_at: datetime | None
    asked: Question | None
    answered: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """All that was said about one request, and what this side may say now."""

    task: UUID
    service: str
    lines: tuple[Line, ...]
    side: Side | None
    may_write: bool
    may_ask: bool
    questions: tuple[Question, ...]
    why_not: str

    @property
    def new(self) -> int:
        return sum(line.is_new for line in self.lines)


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody is, and whose move it is, in a line for each thing that goes on."""

    what: str
    status: str
    tone: str
    move: str
    by: datetime | None
    link: tuple[str, UUID]


def thread(task: ReferralTask, user: User) -> Thread:
    """The messages of a request, the oldest first. Reads `task.referral` and `task.pool.service`. Opening it does not mark them as read."""
    side = task.side_of(user)
    rows = list(Message.objects.visible_to(user).filter(task=task).select_related("by", "organization", "answers").order_by("at", "pk"))
    answered = {row.answers_id for row in rows if row.answers_id}
    known, open_ = task.status in Status.known_to_provider(), task.status == Status.REQUESTED
    lines = tuple(
        Line(
            id=row.pk,
            at=row.at,
            mine=row.side == side,
            who=str(row.by) if row.side == side and row.by else row.organization.name,
            kind=row.kind,
            words=said(row) if row.kind != Message.Kind.ANSWER else "",
            answer=said(row) if row.kind == Message.Kind.ANSWER else "",
            is_new=side is not None and row.side != side and row.read_at is None,
            read_at=row.read_at,
            asked=question(row.question) if row.kind == Message.Kind.QUESTION and side == Side.REFERRER and (open_ or known) else None,
            answered=row.pk in answered,
        )
        for row in rows
    )
    return Thread(
        task=task.pk,
        service=task.pool.service.name,
        lines=lines,
        side=side,
        may_write=side is not None and known,
        may_ask=side == Side.PROVIDER and open_,
        questions=QUESTIONS if side == Side.PROVIDER and open_ else (),
        why_not=_why_not(side, known=known, open_=open_),
    )


def _why_not(side: Side | None, *, known: bool, open_: bool) -> str:
    if side is None:
        return "You look on. Those who sent the referral and the service write here."
    if open_ and side == Side.REFERRER:
        return "You can write once the service says yes. Until then it asks, and you choose an answer, so that it does not learn who it is."
    if not known and not open_:
        return "This request has ended, so nothing more can be written here."
    return ""


def unread(user: User, *, tasks: Iterable[UUID] | None = None) -> dict[UUID, int]:
    """How many messages of the other side nobody of this side has opened, by request."""
    found = Message.objects.unread_by(user)
    if tasks is not None:
        found = found.filter(task__in=list(tasks))
    return dict(found.order_by().values_list("task").annotate(number=Count("pk")))


def unread_by_referral(user: User, referrals: Iterable[UUID]) -> dict[UUID, int]:
    """The same by referral, of which one may have several requests."""
    found = Message.objects.unread_by(user).filter(task__referral__in=list(referrals))
    return dict(found.order_by().values_list("task__referral").annotate(number=Count("pk")))


def unanswered(user: User, referral: Referral | None = None) -> dict[UUID, int]:
    """Questions that wait for an answer of this side, by request: of one referral, or of all."""
    found = Message.objects.visible_to(user).filter(kind=Message.Kind.QUESTION, answered_by=None, task__status=Status.REQUESTED)
    found = found.filter(task__referral__organization=user.organization) if user.is_referrer else found.none()
    if referral is not None:
        found = found.filter(task__referral=referral)
    return dict(found.order_by().values_list("task").annotate(number=Count("pk")))


def notes(user: User, patient: Patient) -> QuerySet[Note]:
    """Notes about a person, the newest first, each with its versions, the newest version first."""
    versions = Prefetch("versions", NoteVersion.objects.select_related("by").order_by("-number"))
    found = Note.objects.visible_to(user).filter(patient=patient)
    return found.select_related("created_by", "organization", "team", "referral").prefetch_related(versions)


def documents(user: User, patient: Patient) -> QuerySet[Document]:
    """Documents about a person, the newest first."""
    return Document.objects.visible_to(user).filter(patient=patient).select_related("added_by", "organization", "referral")


def shareable(user: User, patient: Patient) -> list[tuple[UUID, str]]:
    """Referrals of a person on which something can be shared, with their words for a choice."""
    tasks = ReferralTask.objects.visible_to(user).filter(referral__patient=patient).exclude(status=Status.ENTERED_IN_ERROR)
    if user.is_provider:
        tasks = tasks.filter(provider=user.organization, status__in=Status.known_to_provider())
    else:
        tasks = tasks.filter(referral__in=Referral.objects.visible_to(user))
    found: dict[UUID, list[str]] = {}
    for task in tasks.select_related("pool__service", "referral").order_by("-referral__created_at", "requested_at", "pk"):
        found.setdefault(task.referral_id, []).append(task.pool.service.name)
    return [(referral, ", ".join(dict.fromkeys(services))) for referral, services in found.items()]


@transaction.atomic
def download(user: User, document_id: UUID) -> Document:
    """A document that `user` may open at this moment; that it was opened is written to the read audit.

    Raises NotFound, and Conflict (`held`, `quarantined`, `withdrawn`) where it is one's own and cannot be opened.
    """
    document = Document.objects.visible_to(user).filter(pk=document_id).first()
    if document is None:
        raise NotFound("There is no such document.")
    if document.withdrawn_at is not None or not document.file:
        raise Conflict("This document is withdrawn, so it cannot be opened.", code="withdrawn")
    if document.state == Document.State.QUARANTINED:
        raise Conflict("The scanner found something harmful in this document. It is locked away; ask for a new copy.", code="quarantined")
    if not document.is_readable:
        raise Conflict("This document is still being scanned for viruses. Try again in a few minutes.", code="held")
    audit.record_read(user=user, record_type="document", record_id=document.pk, purpose="download")
    audit.record_read(user=user, record_type="patient", record_id=document.patient_id)
    return document


def follow_ups(user: User, *, show: str = "due", whose: str = "all", at: datetime, patient: UUID | None = None) -> QuerySet[FollowUp]:
    """What is to be done: `due` by today, `open`, or `ended`; of everybody, `mine`, my `team`s', or `free` for whoever has time."""
    found = FollowUp.objects.visible_to(user).select_related("patient", "assigned_to", "team", "referral")
    if patient is not None:
        found = found.filter(patient=patient)
    if show == "ended":
        found = found.exclude(state=FollowUp.State.OPEN).order_by("-ended_at", "pk")
    else:
        found = found.open().order_by("due_on", "created_at", "pk")
    if show == "due":
        found = found.filter(due_on__lte=local_date(at))
    match whose:
        case "mine":
            return found.filter(assigned_to=user)
        case "team":
            return found.filter(team__in=user.teams.values("pk"))
        case "free":
            return found.filter(assigned_to=None)
    return found


def due_for(user: User, at: datetime, most: int = 5) -> list[FollowUp]:
    """What is due for somebody today: theirs, their teams', and what is nobody's, the longest overdue first."""
    theirs = Q(assigned_to=user) | Q(assigned_to=None) & (Q(team=None) | Q(team__in=user.teams.values("pk")))
    return list(follow_ups(user, show="due", at=at).filter(theirs)[:most])


def count_due(user: User, at: datetime) -> int:
    """How many `due_for` would have."""
    theirs = Q(assigned_to=user) | Q(assigned_to=None) & (Q(team=None) | Q(team__in=user.teams.values("pk")))
    return follow_ups(user, show="due", at=at).filter(theirs).count()


def colleagues(user: User) -> list[tuple[UUID, str]]:
    """To whom a follow-up can be given."""
    found = User.objects.filter(organization=user.organization, is_active=True, role=user.role).order_by("last_name", "first_name", "pk")
    return [(one.pk, str(one)) for one in found[:MOST_COLLEAGUES]] if user.organization_id else []


def teams(user: User, *, mine: bool = False) -> list[tuple[UUID, str]]:
    """The organisation's teams, or those that one is in."""
    found = Team.objects.visible_to(user).filter(organization=user.organization)
    return [(team.pk, team.name) for team in (found.filter(members=user) if mine else found).order_by("name")]


def where_is(user: User, patient: Patient, at: datetime) -> list[Where]:
    """What goes on for a person at this moment, and who must do the next thing: open requests, referrals in which nobody is asked any more
    although somebody is wanted, and a stay for which nothing was sent.
    """
    tasks = ReferralTask.objects.visible_to(user).open().filter(referral__patient=patient)
    if user.is_provider:
        tasks = tasks.filter(Q(status__in=Status.known_to_provider()) | ~Q(provider_id=user.organization_id))
    asked = list(tasks.select_related("pool__service", "referral").order_by("-requested_at", "pk"))
    waiting = unanswered(user)
    found = [_where(task, user, waiting.get(task.pk, 0), at) for task in asked]
    idle = Referral.objects.visible_to(user).filter(patient=patient, closed_at=None).exclude(pk__in={task.referral_id for task in asked})
    idle_moves = moves.of_referrals(idle, at)
    for pk, move in idle_moves.items():
        if move.side in (Mover.REFERRER, Mover.HUB):
            found.append(Where("The referral", "Nobody is asked now", "bad", move.words, move.by, ("referral", pk)))
    stay = Episode.objects.visible_to(user).filter(patient=patient, ended_at=None).order_by("-started_at").first()
    if stay is not None:
        found.insert(0, _stay(stay, at, nobody=not found))
    return found


def _stay(stay: Episode, at: datetime, *, nobody: bool) -> Where:
    days = (at - stay.ready_at).days if stay.ready_at else 0
    where = f"{stay.get_kind_display()}{', ' + stay.ward if stay.ward else ''}"
    status = f"Ready to move on for {days} day{'' if days == 1 else 's'}" if stay.ready_at else "Not ready to move on yet"
    move = "You are to find a service: nobody is asked." if stay.ready_at and nobody else ""
    return Where(where, status, "waiting" if stay.ready_at else "ended", move, None, ("patient", stay.patient_id))


def _where(task: ReferralTask, user: User, questions: int, at: datetime) -> Where:
    provider = user.is_provider and task.provider_id == user.organization_id
    move = moves.of_task(task, at)
    words = f"You are {moves.EXPECTED[move.step]}." if provider else move.words
    if questions:
        words = f"You are to answer {questions} question{'' if questions == 1 else 's'} of {task.pool.service.name}."
    link = ("task-messages" if questions else "task" if provider else "referral", task.pk if provider or questions else task.referral_id)
    tone = "waiting" if task.status in (Status.REQUESTED, Status.ON_HOLD) else "good"
    return Where(task.pool.service.name, REFERRER_WORDS[task.status], tone, words, None if questions else move.by, link)


def due_word(due_on: date, at: datetime) -> str:
    """“today”, “3 days late”, “in 2 days”."""
    days = (due_on - local_date(at)).days
    if days == 0:
        return "today"
    count = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"in {count}" if days > 0 else f"{count} late"


def unread_total(user: User) -> int:
    """How many requests have something new to read."""
    return Message.objects.unread_by(user).order_by().values("task").distinct().count()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in which something is to be read or answered. `person` is None where one must not know who it is."""

    task: UUID
    service: str
    sender: str
    person: Patient | None
    new: int
    questions: int
    at: datetime


def waiting_threads(user: User) -> QuerySet[ReferralTask]:
    """Requests with new messages or with questions to answer, what came last first; `waiting` says what waits in those that are shown."""
    tasks = ReferralTask.objects.visible_to(user).filter(pk__in=unread(user).keys() | unanswered(user).keys())
    return tasks.select_related("pool__service", "referral__organization").annotate(last=Max("messages__at")).order_by("-last", "pk")


def waiting(user: User, tasks: Iterable[ReferralTask]) -> list[Waiting]:
    """What waits in requests of `waiting_threads`."""
    found = list(tasks)
    new, questions = unread(user, tasks=[task.pk for task in found]), unanswered(user)
    named = {task.pk: task.referral.patient_id for task in found if user.is_referrer or task.status in Status.known_to_provider()}
    people = Patient.objects.visible_to(user).in_bulk(set(named.values()))
    return [
        Waiting(
            task=task.pk,
            service=task.pool.service.name,
            sender=task.referral.organization.name,
            person=people.get(named[task.pk]) if task.pk in named else None,
            new=new.get(task.pk, 0),
            questions=questions.get(task.pk, 0),
            at=task.last,  # type: ignore[attr-defined]  # annotated by waiting_threads
        )
        for task in found
    ]
