"""What the story of a person is made of: stays, searches, referrals, holds, the plan, notes, messages, documents, follow-ups."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.db.models import Q

from capacity.models import Reservation
from core.clock import LONDON
from flow import changes
from flow.casework.questions import question
from flow.casework.story import Entry, Reader, register
from flow.models import (
    Document,
    Episode,
    FollowUpStep,
    Message,
    Note,
    PlanDecision,
    ReferralChange,
    ReferralTask,
    SelfReferral,
    Transition,
)
from flow.workflow import Action, Side, Status
from matching.models import MatchRun

_GOOD, _BAD, _WAITING, _ENDED = "good", "bad", "waiting", "ended"
#: What a step of a request says to either side.
_STEPS: dict[str, tuple[str, str]] = {
    Action.SEND: ("{service} was asked", _WAITING),
    Action.ACCEPT: ("{service} said yes", _GOOD),
    Action.DECLINE: ("{service} said no", _BAD),
    Action.WITHDRAW: ("The request to {service} was withdrawn", _ENDED),
    Action.START: ("Support began: {service}", _GOOD),
    Action.PAUSE: ("Support is paused: {service}", _WAITING),
    Action.RESUME: ("Support goes on: {service}", _GOOD),
    Action.COMPLETE: ("Support is finished: {service}", _GOOD),
    Action.FAIL: ("Support could not be finished: {service}", _BAD),
    Action.RETRACT: ("Sent by mistake: {service}", _ENDED),
}
_HOLD_ENDS: dict[str, tuple[str, str]] = {
    Reservation.State.FILLED: ("The held place was taken: {place}", _GOOD),
    Reservation.State.RELEASED: ("The held place was given back: {place}", _ENDED),
    Reservation.State.EXPIRED: ("The held place ran out: {place}", _BAD),
    Reservation.State.WITHDRAWN: ("The provider took back the held place: {place}", _BAD),
}


def stays(reader: Reader) -> Iterator[Entry]:
    """Stays and waits: when they began, when the person was ready, what changed, when they ended."""
    episodes = {stay.pk: stay for stay in Episode.objects.visible_to(reader.user).filter(patient=reader.patient)}
    for stay in episodes.values():
        where = ", ".join(filter(None, [stay.get_kind_display(), stay.ward]))
        yield Entry(f"stay:{stay.pk}:began", stay.started_at, f"{where} began", str(stay.get_discharge_pathway_display()))
        if stay.ready_at:
            why = str(stay.get_delay_reason_display()) if stay.delay_reason else ""
            yield Entry(f"stay:{stay.pk}:ready", stay.ready_at, "Ready to move on", why, tone=_WAITING)
        if stay.ended_at:
            yield Entry(f"stay:{stay.pk}:ended", stay.ended_at, f"{where} ended", tone=_ENDED)
    rows = list(apps.get_model("flow", "EpisodeEvent")._default_manager.filter(pgh_obj__in=episodes).order_by("pgh_obj", "pgh_id"))
    for before, after in pairwise(rows):
        if before.pgh_obj_id == after.pgh_obj_id and (changed := "; ".join(_changed(before, after))):
            yield Entry(f"stay:{after.pgh_id}:changed", after.changed_at or after.pgh_created_at, "The stay was changed", changed)


def _changed(before: Any, after: Any) -> Iterator[str]:
    """What is new of a stay, in words; when the person is ready and when it ended are entries of their own."""
    if after.delay_reason != before.delay_reason:
        yield str(Episode.DelayReason(after.delay_reason).label)
    if after.expected_on != before.expected_on and after.expected_on:
        yield f"Expected to leave on {after.expected_on:%-d %B %Y}"
    if after.ward != before.ward and after.ward:
        yield f"Moved to {after.ward}"
    if after.discharge_pathway != before.discharge_pathway:
        yield str(Episode.Pathway(after.discharge_pathway).label)


def searches(reader: Reader) -> Iterator[Entry]:
    """Lists of services that were made for what the person needs."""
    stays = Episode.objects.visible_to(reader.user).filter(patient=reader.patient, profile__isnull=False).values("profile")
    sent = ReferralTask.objects.visible_to(reader.user).filter(referral__patient=reader.patient).values("referral__match_run")
    runs = MatchRun.objects.visible_to(reader.user).filter(Q(pk__in=sent) | Q(profile__in=stays), part_of=None)
    for run in reader.newest(runs.select_related("created_by")):
        yield Entry(f"search:{run.pk}", run.at, "A service was looked for", who=_name(run.created_by), link=("match", run.pk))


def referrals(reader: Reader) -> Iterator[Entry]:
    """Each step of each request. A provider reads those of its own that it has taken on, and no others: they could name the person."""
    tasks = ReferralTask.objects.visible_to(reader.user).filter(referral__patient=reader.patient)
    provider = reader.user.is_provider
    if provider:
        tasks = tasks.filter(Q(status__in=Status.known_to_provider()) | ~Q(provider_id=reader.user.organization_id))
    rows = Transition.objects.filter(task__in=tasks.order_by().values("pk")).select_related("task__pool__service", "organization")
    for row in reader.newest(rows):
        words, tone = _STEPS.get(row.action, (f"{{service}}: {row.get_to_status_display()}", ""))
        link = (
            ("task", row.task_id)
            if row.task.provider_id == reader.user.organization_id and provider
            else ("referral", row.task.referral_id)
        )
        who = row.said_by or (row.organization.name if row.organization else "Lune")
        yield Entry(f"step:{row.pk}", row.at, words.format(service=row.task.pool.service.name), row.reason_text, who, link, tone)


def changed(reader: Reader) -> Iterator[Entry]:
    """What a sender changed of a referral. A provider reads it of a person whom it has taken on."""
    found = ReferralChange.objects.visible_to(reader.user).filter(referral__patient=reader.patient)
    tasks: dict[Any, Any] = {}
    if reader.user.is_provider:
        mine = ReferralTask.objects.visible_to(reader.user).filter(referral__patient=reader.patient)
        mine = mine.filter(provider_id=reader.user.organization_id, status__in=Status.known_to_provider())
        tasks = dict(mine.values_list("referral", "pk"))
        found = found.filter(referral__in=tasks)
    for row in reader.newest(found.select_related("organization")):
        task = tasks.get(row.referral_id)
        words = changes.to_a_service(row) if task else changes.to_the_sender(row)
        link = ("task", task) if task else ("referral", row.referral_id)
        yield Entry(f"change:{row.pk}", row.at, "The referral was changed", ". ".join([*words, row.why]), row.organization.name, link)


def asked_by_themselves(reader: Reader) -> Iterator[Entry]:
    """That the person asked for help by a form."""
    found = SelfReferral.objects.visible_to(reader.user).filter(referral__patient=reader.patient, sent_at__isnull=False)
    for one in reader.newest(found.select_related("service"), "sent_at"):
        yield Entry(f"asked:{one.pk}", one.sent_at, f"They asked {one.service.name} for help", link=("request", one.pk))


def holds(reader: Reader) -> Iterator[Entry]:
    """Places that were held for the person, and what became of them. Of a provider's own it is not told for whom before it says yes."""
    if not reader.user.is_referrer:
        return
    stays = Episode.objects.visible_to(reader.user).filter(patient=reader.patient).values("pk")
    tasks = ReferralTask.objects.visible_to(reader.user).filter(referral__patient=reader.patient).order_by().values("pk")
    found = Reservation.objects.visible_to(reader.user).filter(Q(episode_hold__episode__in=stays) | Q(referral_task__in=tasks))
    for hold in reader.newest(found.select_related("pool__service", "created_by"), "created_at"):
        place = f"{hold.pool.service.name}, {hold.pool.name}"
        until = f"Until {hold.expires_at.astimezone(LONDON):%H:%M on %-d %B %Y}"
        yield Entry(f"hold:{hold.pk}", hold.created_at, f"A place is held: {place}", until, _name(hold.created_by), tone=_WAITING)
        if hold.ended_at and hold.state in _HOLD_ENDS:
            words, tone = _HOLD_ENDS[hold.state]
            yield Entry(f"hold:{hold.pk}:end", hold.ended_at, words.format(place=place), hold.ended_because, tone=tone)


def plans(reader: Reader) -> Iterator[Entry]:
    """What was decided of the plan's suggestions for the person."""
    found = PlanDecision.objects.visible_to(reader.user).filter(line__episode__patient=reader.patient)
    for one in reader.newest(found.select_related("pool__service", "by")):
        words = f"The plan’s suggestion: {one.get_kind_display().lower()}, {one.pool.service.name}"
        why = one.reason_text or (str(one.get_reason_display()) if one.reason else "")
        yield Entry(f"plan:{one.pk}", one.at, words, why, _name(one.by), link=("plan-line", one.line_id))


def notes(reader: Reader) -> Iterator[Entry]:
    """Notes as they stand, each once; that one was corrected or withdrawn is said with it."""
    found = Note.objects.visible_to(reader.user).filter(patient=reader.patient)
    rows = reader.newest(found.select_related("created_by", "organization", "team").prefetch_related("versions"), "created_at")
    for note in rows:
        newest = max(note.versions.all(), key=lambda version: version.number)
        own = note.organization_id == reader.user.organization_id
        withdrawn = note.withdrawn_at is not None
        shared = {"team": f" of {note.team}", "referral": ", shared on the referral"}.get(note.audience, "")
        words = f"Note{shared}{', withdrawn' if withdrawn else ', corrected' if newest.number > 1 else ''}"
        more = f"Withdrawn: {newest.reason}" if withdrawn else newest.words
        who = _name(note.created_by) if own else note.organization.name
        yield Entry(f"note:{note.pk}", note.created_at, words, more, who, ("note", note.pk), withdrawn=withdrawn)


def messages(reader: Reader) -> Iterator[Entry]:
    """What sender and provider said to each other. Before a yes a provider's questions are not told here: they could name the person."""
    found = Message.objects.visible_to(reader.user).filter(task__referral__patient=reader.patient)
    if reader.user.is_provider:
        found = found.filter(Q(task__status__in=Status.known_to_provider()) | ~Q(task__provider_id=reader.user.organization_id))
    for one in reader.newest(found.select_related("task__pool__service", "organization", "answers")):
        service = one.task.pool.service.name
        words = {
            Message.Kind.QUESTION: f"Question of {service}",
            Message.Kind.ANSWER: f"Answer to {service}",
            Message.Kind.TEXT: f"Message to {service}" if one.side == Side.REFERRER else f"Message from {service}",
        }[Message.Kind(one.kind)]
        yield Entry(f"message:{one.pk}", one.at, words, said(one), one.organization.name, ("task-messages", one.task_id))


def said(message: Message) -> str:
    """A message in words: its own, the question's, or the answer with what was asked."""
    asked = question(message.question)
    if message.kind == Message.Kind.ANSWER:
        return f"{asked.words or (message.answers.words if message.answers else '')} {asked.in_words(message.answer)}".strip()
    return message.words or asked.words


def documents(reader: Reader) -> Iterator[Entry]:
    """Documents that were added, and whether they can be opened."""
    found = Document.objects.visible_to(reader.user).filter(patient=reader.patient)
    for one in reader.newest(found.select_related("added_by", "organization"), "added_at"):
        own = one.organization_id == reader.user.organization_id
        withdrawn = one.withdrawn_at is not None
        state = "" if one.state == Document.State.CLEAN else str(one.get_state_display())
        more = f"Withdrawn: {one.withdrawn_reason}" if withdrawn else state
        words = f"Document: {one.title}{', withdrawn' if withdrawn else ''}"
        link = ("document", one.pk) if one.is_readable else ("patient-documents", reader.patient)
        who = _name(one.added_by) if own else one.organization.name
        tone = _BAD if one.state == Document.State.QUARANTINED else ""
        yield Entry(f"document:{one.pk}", one.added_at, words, more, who, link, tone, withdrawn)


def follow_ups(reader: Reader) -> Iterator[Entry]:
    """What was to be done, for whom it was, and what came of it."""
    found = FollowUpStep.objects.visible_to(reader.user).filter(follow_up__patient=reader.patient)
    for step in reader.newest(found.select_related("follow_up", "by", "assigned_to")):
        words = f"{step.get_action_display()}: {step.follow_up.words}"
        due = f"By {step.due_on:%-d %B %Y}" + (f", {_name(step.assigned_to)}" if step.assigned_to else "")
        open_step = step.action in (FollowUpStep.Action.MADE, FollowUpStep.Action.ASSIGNED, FollowUpStep.Action.POSTPONED)
        more = ". ".join(filter(None, [due if open_step else "", step.words]))
        tone = _GOOD if step.action == FollowUpStep.Action.DONE else ""
        yield Entry(f"follow-up:{step.pk}", step.at, words, more, _name(step.by) or "Lune", ("follow-up", step.follow_up_id), tone)


def _name(user: Any) -> str:
    return str(user) if user is not None else ""


def register_all() -> None:
    """The sources of this module, in the order of the filter."""
    register("referrals", "Referrals and answers", referrals)
    register("changes", "Changes of referrals", changed)
    register("asked", "Asked by themselves", asked_by_themselves)
    register("notes", "Notes", notes)
    register("messages", "Messages", messages)
    register("documents", "Documents", documents)
    register("follow-ups", "Follow-ups", follow_ups)
    register("stays", "Stays and waits", stays)
    register("searches", "Searches", searches)
    register("holds", "Held places", holds)
    register("plans", "Plan", plans)
