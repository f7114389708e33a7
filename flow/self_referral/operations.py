"""What somebody without an account does with a request for help, and what those who run the service do with it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from catalogue import usage
from catalogue.models import Service, User
from catalogue.queries import find_place
from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow import operations as referrals
from flow.models import SelfReferral, SelfReferralLink, SelfReferralNote
from flow.people import OLDEST
from flow.self_referral import links, news
from flow.self_referral.queries import offer_of
from flow.self_referral.taking_on import as_asked, note_agreements, patient_for, pool_for, profile_for
from flow.workflow import Reason

_State = SelfReferral.State


@dataclass(frozen=True, slots=True)
class Asked:
    """The form, filled in. `agreed` holds what was ticked: share, news, gp."""

    for_whom: str
    given_name: str
    family_name: str
    postcode: str
    birth_date: date | None = None
    age: int | None = None
    asker_name: str = ""
    phone: str = ""
    may_leave_message: bool = False
    email: str = ""
    contact_note: str = ""
    needs: list[str] = field(default_factory=list)
    words: str = ""
    told_by: str = ""
    agreed: frozenset[str] = frozenset()


def _asked(*, request_id: UUID, **told: Any) -> Any:
    return SelfReferral.objects.filter(pk=request_id)


# --- the person


@acting.across("anybody may ask a service for help")
@transaction.atomic
def save(*, service_id: UUID, typed: dict[str, Any], at: datetime, token: str = "", email: str = "", phone: str = "") -> str:
    """Keep a form that is not finished. Returns the token of its link; with an address that they agreed to, it is sent there, too."""
    request, token = _begun(service_id, token, at)
    request.typed, request.email, request.phone = typed, email, phone
    request.news_agreed_at = at if email or phone else None
    _keep(request, at)
    if request.news_to is not None:
        news.tell(request.pk)
    return token


@acting.across("anybody may ask a service for help")
@transaction.atomic
def send(*, service_id: UUID, asked: Asked, at: datetime, token: str = "") -> str:
    """Ask the service. Returns the token of the link by which the person follows it.

    Nobody is looked up: the answer is the same whether or not the person is known. Raises NotFound (the service takes no such requests)
    and Invalid with `field`.
    """
    request, token = _begun(service_id, token, at)
    offer = offer_of(service_id)
    if asked.for_whom not in offer.for_whom:
        raise Invalid("Say whom you ask for.", field="for_whom")
    if "share" not in asked.agreed:
        raise Invalid("Tick that the service may have what you wrote. We cannot send it without.", field="share", code="no-consent")
    if not (asked.phone or asked.email):
        raise Invalid("Give a phone number or an e-mail address, so that they can reach you.", field="phone")
    if not (asked.needs or asked.words.strip()):
        raise Invalid("Say in a few words what you need, or tick something in the list.", field="words")
    _require_age(asked.birth_date, asked.age, at)
    place = find_place(asked.postcode)
    for name in ("for_whom", "birth_date", "phone", "may_leave_message", "email", "needs", "told_by"):
        setattr(request, name, getattr(asked, name))
    for name in ("asker_name", "given_name", "family_name", "contact_note", "words"):
        setattr(request, name, getattr(asked, name).strip())
    request.age = None if asked.birth_date else asked.age
    request.postcode = place.postcode or place.outcode
    request.share_agreed_at = at
    request.news_agreed_at = at if "news" in asked.agreed else None
    request.gp_agreed_at = at if "gp" in asked.agreed else None
    request.typed, request.state, request.sent_at = {}, _State.RECEIVED, at
    _keep(request, at)
    begun = [usage.Seen(usage.Kind.REFERRAL, service=service_id)]
    transaction.on_commit(lambda: usage.add(begun, at=at))
    _tell_service(request)
    news.tell(request.pk)
    return token


@acting.across("whoever has the link may")
@transaction.atomic
def answer(*, token: str, words: str, at: datetime) -> SelfReferral:
    """The person answers what the service asked. It is new again in the list."""
    request = _of_person(token, at)
    if request.state != _State.ASKED:
        raise Conflict("There is no question to answer now. Nothing was sent.", code="moved-on")
    SelfReferralNote.objects.create(request=request, from_person=True, words=_words(words, 1000, "Write your answer."), at=at)
    request.state = _State.RECEIVED
    _keep(request, at)
    _tell_service(request)
    return request


@acting.across("whoever has the link may")
@transaction.atomic
def withdraw(*, token: str, at: datetime) -> SelfReferral:
    """The person takes the request back, or the help that had been promised. What was not sent yet is deleted.

    Raises NotFound, and Conflict when the help has ended already.
    """
    request = _of_person(token, at)
    if request.state == _State.DRAFT:
        request.delete()
        return request
    if request.state == _State.ACCEPTED and request.referral is not None:
        for task in request.referral.tasks.all():
            referrals.withdraw(task_id=task.pk, by=None, at=at, reason_text="The person took the request back.")
    elif request.state not in _State.waiting():
        raise Conflict("This request has ended already. There is nothing to take back.", code="moved-on")
    request.state = _State.WITHDRAWN
    _keep(request, at)
    _tell_service(request)
    return request


@acting.across("whoever has the link may")
@transaction.atomic
def stop_news(*, token: str, at: datetime) -> None:
    """No more messages about this request."""
    request = _of_person(token, at)
    request.news_stopped_at = request.news_stopped_at or at
    _keep(request, at)


@acting.across("whoever has the link may")
@transaction.atomic
def end_links(*, token: str, at: datetime) -> None:
    """No link opens the request any more: somebody else may have seen one. The request itself goes on."""
    links.end_all(_of_person(token, at), at=at)


# --- those who run the service


@acting.across("an answer reaches the person by their links", seen=_asked)
@transaction.atomic
def ask_more(*, request_id: UUID, words: str, by: User, at: datetime, expected_version: int | None = None) -> SelfReferral:
    """Ask the person something. They read it by their link, and answer there."""
    request = _of_service(request_id, by, expected_version)
    _require_waiting(request)
    SelfReferralNote.objects.create(request=request, from_person=False, words=_words(words, 1000, "Write your question."), by=by, at=at)
    request.state = _State.ASKED
    return _decided(request, at)


@acting.across("an answer reaches the person by their links", seen=_asked)
@transaction.atomic
def decline(
    *, request_id: UUID, reason: str, reason_text: str = "", by: User, at: datetime, expected_version: int | None = None
) -> SelfReferral:
    """Say no, with a code of `workflow.Reason`. The person reads the words."""
    request = _of_service(request_id, by, expected_version)
    _require_waiting(request)
    text = reason_text.strip()
    if reason not in Reason.values:
        raise Invalid("Choose the main reason.", code="reason-needed", field="reason")
    if len(text) > 300 or (reason == Reason.OTHER and not text):
        raise Invalid("Say in a few words, at most 300 letters, what the reason is.", code="reason-needed", field="reason_text")
    request.state, request.reason, request.reason_text = _State.DECLINED, reason, text or str(Reason(reason).label)
    return _decided(request, at)


@acting.across("an answer reaches the person by their links", seen=_asked)
@transaction.atomic
def mark_double(*, request_id: UUID, of_id: UUID, by: User, at: datetime, expected_version: int | None = None) -> SelfReferral:
    """The same person asked twice: this one is closed, the other goes on. The link says of it only that it is closed."""
    request = _of_service(request_id, by, expected_version)
    _require_waiting(request)
    kept = SelfReferral.objects.visible_to(by).filter(pk=of_id, service__organization=request.service.organization_id).first()
    if kept is None or kept.pk == request.pk:
        raise Invalid("Choose the request that stays.", field="of")
    if kept.state not in _State.going_on():
        raise Conflict("The other request has ended. Answer this one.", code="moved-on")
    request.state, request.double_of = _State.DOUBLE, kept
    return _decided(request, at)


@acting.across("an answer reaches the person by their links", seen=_asked)
@transaction.atomic
def check_identity(*, request_id: UUID, how: str, by: User, at: datetime, expected_version: int | None = None) -> SelfReferral:
    """Somebody made sure that the person is who the form says."""
    request = _of_service(request_id, by, expected_version)
    if request.state not in _State.going_on():
        raise Conflict(f"This request is now “{request.get_state_display()}”. There is nothing to check.", code="moved-on")
    _check(request, how, by, at)
    _keep(request, at)
    _tell_service(request)
    return request


@acting.across("an answer reaches the person by their links", seen=_asked)
@transaction.atomic
def accept(
    *,
    request_id: UUID,
    by: User,
    at: datetime,
    pool_id: UUID | None = None,
    birth_date: date | None = None,
    how: str = "",
    expected_version: int | None = None,
) -> SelfReferral:
    """Say yes: the request becomes an ordinary referral, asked when the person sent it and answered now.

    `how` says that it was checked who the person is; empty leaves that open, and the referral says so. `birth_date` is needed where the
    person gave an age alone. Raises NotFound, Invalid (with `field`) and Conflict (`moved-on`, `no-place`).
    """
    request = _of_service(request_id, by, expected_version)
    _require_waiting(request)
    if how:
        _check(request, how, by, at)
    born = request.birth_date or birth_date
    if born is None:
        raise Invalid("Ask the person for the date of birth, and enter it.", field="birth_date")
    _require_age(born, None, at)
    pool = pool_for(request, pool_id, at)
    patient = patient_for(request, born, by, at)
    note_agreements(request, patient, by, at)
    task = referrals.receive(
        patient=patient,
        profile=profile_for(request, patient, by, at),
        pool_id=pool.pk,
        asked_at=request.sent_at or at,
        reason=as_asked(request),
        by=by,
        at=at,
    )
    request.state, request.referral = _State.ACCEPTED, task.referral
    return _decided(request, at)


def forget(*, at: datetime) -> int:
    """Delete what was begun and never sent, and what no service took on, each after its time. Returns how many.

    What a service said yes to is a referral and is kept as one.
    """
    unsent = Q(state=_State.DRAFT, changed_at__lt=at - timedelta(days=settings.SELF_REFERRAL_DRAFT_DAYS))
    unchecked = ~Q(state__in=[_State.DRAFT, _State.ACCEPTED]) & Q(
        changed_at__lt=at - timedelta(days=settings.SELF_REFERRAL_KEEP_DAYS), referral=None
    )
    SelfReferralLink.objects.filter(expires_at__lt=at).delete()
    _, deleted = SelfReferral.objects.filter(unsent | unchecked).delete()
    return deleted.get(SelfReferral._meta.label, 0)


# --- what they share


def _begun(service_id: UUID, token: str, at: datetime) -> tuple[SelfReferral, str]:
    """The form that a link goes on with, or a new one, and the token of its link."""
    offer_of(service_id)
    if token:
        request = _of_person(token, at)
        if request.state != _State.DRAFT or request.service_id != service_id:
            raise Conflict("This was sent already. You need not send it again.", code="moved-on")
        return request, token
    request = SelfReferral(service=Service.objects.public().select_related("organization").get(pk=service_id), created_at=at, changed_at=at)
    request.save(force_insert=True)
    return request, links.issue(request, at=at)


def _of_person(token: str, at: datetime) -> SelfReferral:
    return links.find(token, at=at, lock=True)


def _of_service(request_id: UUID, by: User, expected_version: int | None) -> SelfReferral:
    """A request that `by` answers, locked."""
    seen = SelfReferral.objects.visible_to(by).select_related("service__organization")
    request = seen.select_for_update(of=("self",)).filter(pk=request_id).first()
    if request is None:
        raise NotFound("There is no such request.")
    if not (by.is_provider or by.is_curator):
        raise NotAllowed("Only those who run the service answer.")
    if expected_version is not None and expected_version != request.version:
        raise Conflict("This request has changed since you looked. Look again, then answer.", code="stale-version", version=request.version)
    return request


def _require_waiting(request: SelfReferral) -> None:
    if request.state not in _State.waiting():
        raise Conflict(f"This request is now “{request.get_state_display()}”, so that this is no longer possible.", code="moved-on")


def _require_age(birth_date: date | None, age: int | None, at: datetime) -> None:
    wrong = Invalid(f"Check the age or the date of birth: people are from 0 to {OLDEST} years old.", field="age_or_birth")
    if birth_date is None and age is None:
        raise Invalid("Enter the age or the date of birth.", field="age_or_birth")
    if birth_date is not None and not 0 <= (at.date() - birth_date).days < (OLDEST + 1) * 365.25:
        raise wrong
    if age is not None and not 0 <= age <= OLDEST:
        raise wrong


def _words(text: str, longest: int, empty: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(empty, field="words")
    if len(text) > longest:
        raise Invalid(f"Shorten this to {longest} letters or fewer.", field="words")
    return text


def _check(request: SelfReferral, how: str, by: User, at: datetime) -> None:
    if how not in SelfReferral.Check.values:
        raise Invalid("Say how you know who the person is.", field="how")
    request.identity_check, request.identity_checked_at, request.identity_checked_by = how, at, by


def _keep(request: SelfReferral, at: datetime) -> None:
    """Save a change. Links that are good stay so for as long as what they show is kept."""
    request.changed_at = at
    request.version += 1
    request.save()
    request.links.filter(revoked_at=None, expires_at__gt=at).update(expires_at=at + links.lasts(request))


def _decided(request: SelfReferral, at: datetime) -> SelfReferral:
    _keep(request, at)
    _tell_service(request)
    news.tell(request.pk)
    return request


def _tell_service(request: SelfReferral) -> None:
    """Publish to those who run the service, and to nobody else, that their list has changed."""
    organization_id = request.service.organization_id
    publish("self-referral.changed", topics=[f"org:{organization_id}"], audience=[organization_id])
