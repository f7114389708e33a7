"""What a person answers to a message of ours: by the page behind its link, or by one word as a text.

The answer stands on the register and on the referral, and whoever referred the person gets a follow-up. It cancels nothing by itself:
whoever runs the session decides. Only the offer of another session is taken at once, when it has a place.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet

from capacity.models import ServiceCapacity
from catalogue.assurance import token_hash
from catalogue.models import Location
from core import acting, sms
from core.clock import LONDON, local_date
from core.errors import Conflict, Invalid, LuneError, NotFound
from core.events import publish
from flow import consents, steps
from flow.attendance import operations as attendance
from flow.models import Consent, PersonMessage
from flow.reminders import messages, reaching, sending
from flow.reminders.wording import TEXTS

Answer, Kind, State = PersonMessage.Answer, PersonMessage.Kind, PersonMessage.State
NO_SUCH = "This link cannot be used."
#: A link is good for so long after the time that it is about, to read it again.
READABLE = timedelta(days=30)
#: A text answers what we sent so lately, or what is still to come; two machines that answer each other stop after so many in an hour.
ANSWERS_WITHIN, MOST_AN_HOUR = timedelta(days=14), 5
#: Whole messages, as people write them.
STOP = frozenset({"stop", "stop all", "stopall", "unsubscribe", "end", "quit"})
TAKE = "take"
_FOLLOW_UPS = {
    Answer.CANNOT: "They say that they cannot come on {when}. Ask how they are, and what would suit them.",
    Answer.OTHER_TIME: "They ask for another time than {when}. Find one with the service.",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What stands behind a link: when and where. No name, and nothing of care."""

    message: PersonMessage
    language: str
    speaks: str
    place: str
    address: str
    offered: ServiceCapacity | None
    is_off: bool
    is_good_news: bool
    can_answer: bool
    has_stopped: bool


@acting.across("whoever has the link may")
def page(token: str, *, at: datetime) -> Page:
    """What a link shows. Raises NotFound: wrong and run out are one."""
    message = _find(token, at)
    said = TEXTS.words(message.patient.preferred_language)
    service, location = message.task.pool.service, message.task.pool.location
    hidden = service.is_confidential or service.organization.is_confidential or (location is not None and location.is_confidential)
    is_off = messages.is_off(message, at=at)
    return Page(
        message=message,
        language=TEXTS.best(message.patient.preferred_language),
        speaks=message.patient.preferred_language,
        place=said["private"] if hidden else service.name,
        address=_address(location) if location is not None and not hidden else "",
        offered=_offered(message, at),
        is_off=is_off,
        is_good_news=message.kind == Kind.ACCEPTED and messages.stands(message),
        can_answer=message.is_open(at) and not is_off,
        has_stopped=_is_stopped(message),
    )


@acting.across("whoever has the link may")
@transaction.atomic
def answer(*, token: str, said: str, at: datetime) -> PersonMessage:
    """Take an answer by the link. Said again alike it changes nothing. Raises NotFound, Invalid and Conflict (`too-late`, `no-place`)."""
    if said == TAKE:  # the request is locked before the message, as whoever merges two records of a person does
        steps.lock(_find(token, at).task_id)
    message = _find(token, at, lock=True)
    return _take(message, at=at) if said == TAKE else _answer(message, said, at=at)


@acting.across("whoever has the link may")
@transaction.atomic
def end(*, token: str, at: datetime) -> PersonMessage:
    """No more messages to this address about this person. Ending twice changes nothing. Raises NotFound."""
    message = _find(token, at, lock=True)
    _stop(message, at=at)
    return message


def is_stop(text: str) -> bool:
    """Whether a whole message asks us to stop."""
    return _plain(text) in STOP


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").split()).strip(" .!").lower()


@acting.across("a gateway that signed it says who wrote")
@transaction.atomic
def take_text(*, inbound: sms.Inbound, at: datetime) -> bool:
    """A text message that came in. Returns whether it is from somebody to whom we wrote about an appointment; no word of it is kept."""
    text = _plain(inbound.text)
    to_number = PersonMessage.objects.filter(sent_to=inbound.sender, channel="sms")
    if text in STOP:
        return _stop_all(to_number, inbound, at)
    newest = to_number.filter(sent_at__isnull=False).select_related("patient", "task__referral", "task__pool").order_by("-sent_at", "-pk")
    sent = list(newest.filter(Q(sent_at__gt=at - ANSWERS_WITHIN) | Q(starts_at__gt=at)))
    if not sent:
        if (last := newest.first()) is not None:
            _reply(last, "late", inbound, at)
        return to_number.exists()
    choice = next((code for code, words in TEXTS.words(sent[0].patient.preferred_language)["reply"]["words"].items() if text in words), "")
    choice = choice or next((code for code, words in TEXTS.words("en")["reply"]["words"].items() if text in words), "")
    if not choice:
        _reply(sent[0], "again", inbound, at)
        return True
    open_ones = {(one.task_id, one.starts_at): one for one in reversed(sent) if one.is_open(at) and messages.stands(one)}
    about = [one for one in open_ones.values() if one.kind in (Kind.BOOKED, Kind.REMINDER)]
    # Of several times the one of which we reminded them last is meant, when it was the only one.
    reminded = [one for one in about if one.kind == Kind.REMINDER]
    meant = about if len(about) == 1 else reminded
    # A word after “It is off” or “There is good news” may be about that: it is not taken for an answer to something older.
    since = (meant[0].sent_at or at) if len(meant) == 1 else None
    if since is None or any(one.kind in (Kind.CALLED_OFF, Kind.ACCEPTED) and (one.sent_at or at) > since for one in sent):
        _reply(sent[0], "which" if about or sent[0].kind == Kind.CALLED_OFF else "late", inbound, at)
        return True
    message = _locked(meant[0].pk)
    _answer(message, choice, at=at)
    _reply(message, choice, inbound, at)
    return True


def _stop_all(to_number: QuerySet[PersonMessage], inbound: sms.Inbound, at: datetime) -> bool:
    """STOP is for everything that went to a number, whenever that was: of each person, and of who is told in their place, the newest."""
    rows = to_number.order_by("created_at", "pk").values_list("pk", "patient", "related")
    for pk in sorted({(patient, related): pk for pk, patient, related in rows}.values()):
        _stop(_locked(pk), at=at)
    last = to_number.select_related("patient").order_by("-created_at", "-pk").first()
    if last is not None:
        _reply(last, "stopped", inbound, at)
    return last is not None


def _locked(pk: UUID) -> PersonMessage:
    return PersonMessage.objects.select_for_update(of=("self",)).select_related("patient", "task__referral", "task__pool").get(pk=pk)


def _address(location: Location) -> str:
    return next((f"{location.name}, {line}" if location.name else str(line) for line in location.addresses.all()), location.name)


def _find(token: str, at: datetime, *, lock: bool = False) -> PersonMessage:
    found = PersonMessage.objects.filter(token_hash=token_hash(token), state__in=[State.SENT, State.ARRIVED, State.FAILED])
    if lock:
        found = found.select_for_update(of=("self",))
    message = found.select_related(
        "patient", "task__referral", "task__pool__service__organization", "task__pool__location", "cancellation__instead"
    ).first()
    if message is None or (message.starts_at or message.created_at) < at - READABLE:
        raise NotFound(NO_SUCH, code="no-such-link")
    return message


def _answer(message: PersonMessage, said: str, *, at: datetime) -> PersonMessage:
    if said not in Answer.values or not said:
        raise Invalid("Press one of the buttons.", code="no-such-answer")
    if not message.is_open(at) or not messages.is_expected(message.task, message.starts_at):
        raise Conflict("It is too late to answer here. Please call the team that you know.", code="too-late")
    if message.answer == said:
        return message
    first = message.answer in (Answer.NONE, Answer.COMING)
    message.answer, message.answered_at = said, max(at, message.created_at)
    message.save(update_fields=["answer", "answered_at"])
    if first and said in _FOLLOW_UPS and message.starts_at is not None:
        when = f"{message.starts_at.astimezone(LONDON):%-d %B, %H:%M}"
        sending.tell_sender(message.task, _FOLLOW_UPS[Answer(said)].format(when=when), at=at)
    _tell_both(message)
    return message


def _offered(message: PersonMessage, at: datetime) -> ServiceCapacity | None:
    """The session that is offered in place of one that was called off, while it can be taken."""
    offered = message.cancellation.instead if message.cancellation is not None else None
    if offered is None or offered.starts_at is None or offered.starts_at <= at or not offered.is_open:
        return None
    return offered


def _take(message: PersonMessage, *, at: datetime) -> PersonMessage:
    """Come to the session that is offered instead: as if whoever called the other off had booked it."""
    offered = _offered(message, at)
    by = message.cancellation.by if message.cancellation is not None else None
    if message.answer == Answer.COMING:
        return message
    if offered is None or by is None:
        raise Conflict("That time is gone. Please call the team that you know.", code="no-place")
    try:
        with transaction.atomic():
            attendance.book_session(task_id=message.task_id, session_id=offered.pk, by=by, at=at)
    except LuneError as error:
        raise Conflict("That time is gone. Please call the team that you know.", code="no-place") from error
    message.answer, message.answered_at = Answer.COMING, max(at, message.created_at)
    message.save(update_fields=["answer", "answered_at"])
    _tell_both(message)
    return message


def _stop(message: PersonMessage, *, at: datetime) -> None:
    """Theirs: their agreement is taken back, as their page shows. Somebody else's: nothing more goes to that address."""
    if _is_stopped(message):
        return
    message.stopped_at = at
    message.save(update_fields=["stopped_at"])
    if message.related_id is None:
        consents.keep(
            message.patient, purpose=_purpose(message), decision=Consent.Decision.WITHDRAWN, source=Consent.Source.WRITTEN,
            decided_on=local_date(at), by=None, at=at,
        )  # fmt: skip
    sending.tell_sender(message.task, "They want no more messages about appointments. Ask how they would rather be told.", at=at)


def _is_stopped(message: PersonMessage) -> bool:
    """Whether nothing more goes out as this message did: what the person decided since counts, not what they pressed once."""
    if message.related_id is None:
        return consents.says_no(message.patient, _purpose(message))
    return reaching.has_stopped(message.patient, message.sent_to)


def _purpose(message: PersonMessage) -> Consent.Purpose:
    return Consent.Purpose.TEXT if message.channel == "sms" else Consent.Purpose.EMAIL


def _tell_both(message: PersonMessage) -> None:
    task = message.task
    sides = [task.referral.organization_id, task.provider_id]
    topics = [*(f"org:{side}" for side in sides), f"referral:{task.referral_id}"]
    publish("session.changed", topics=topics, audience=sides, data={"task": str(task.pk), "referral": str(task.referral_id)})


def _reply(message: PersonMessage, code: str, inbound: sms.Inbound, at: datetime) -> None:
    """Write back. The job holds ids and a code, never a word of theirs."""
    from flow.reminders.jobs import answer_text  # the job calls this module

    seen = f"text-in:{hashlib.sha256(f'{message.pk} {inbound.id}'.encode()).hexdigest()}"
    lately = f"text-answers:{message.pk}"
    if not cache.add(seen, 1, timeout=86_400):
        return  # the gateway hands the same one over again
    cache.add(lately, 0, timeout=3_600)
    if cache.incr(lately) > MOST_AN_HOUR:
        return  # two machines that answer each other
    answer_text.defer(message_id=str(message.pk), code=code)


def send_reply(*, message_id: UUID, code: str) -> bool:
    """Send what is written back. Returns whether it was taken; a fault of the gateway is raised, and the job tried again."""
    message = PersonMessage.objects.select_related("patient").filter(pk=message_id).first()
    if message is None:
        return False
    said = TEXTS.words(message.patient.preferred_language)["reply"]
    try:
        sms.gateway().send(message.sent_to, f"{settings.SITE_NAME}: {said[code]}")
    except sms.Refused:
        return False
    return True
