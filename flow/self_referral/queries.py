"""Questions about requests for help: where one may ask, what a service reads of them, and what the person reads.

What a service reads names people: each is written to the read audit in the transaction that shows them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from capacity.models import ServiceCapacity
from catalogue.lexicon import Lexicon
from catalogue.models import EligibilityCriterion, Service, User
from catalogue.models.taxonomy import NEED, REFERRAL_SOURCE
from core import acting, audit
from core.errors import NotFound
from flow.models import ReferralTask, SelfReferral, SelfReferralNote
from flow.workflow import Reason, Status

_State, _ForWhom = SelfReferral.State, SelfReferral.ForWhom
#: Whose asking a service takes, and for whom they then ask.
ASKERS = {"self": _ForWhom.ME, "carer": _ForWhom.OTHER, "friend": _ForWhom.OTHER}
#: What anybody may wish to say, whatever the service says that it helps with, in words for everybody.
EVERYDAY = {
    "company": "Wants company and somebody to talk to",
    "lives-alone": "Lives alone",
    "carer": "Looks after somebody at home",
    "bereaved": "Somebody close has died",
    "anxiety-depression": "Is often sad or worried",
    "long-term-condition": "Has been ill for a long time",
    "low-income": "Has little money",
    "wheelchair": "Uses a wheelchair",
    "home-visit": "Needs a visit at home",
    "transport-provided": "Needs a lift to get there",
}
#: Not asked of anybody by a form: it is for a talk.
NOT_ASKED = ("under-section", "risk-to-others", "dols", "asylum")
RECORD = "self-referral"


@dataclass(frozen=True, slots=True)
class Offer:
    """A service that somebody may ask by themselves: for whom, the needs to choose from, as codes and words, and who reads it.

    `by_curator`: nobody of the service signs in, so that those who keep the directory pass it on.
    """

    service: Service
    for_whom: tuple[str, ...]
    needs: tuple[tuple[str, str], ...]
    by_curator: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What the person reads by a link: where it stands, and what they can do. Nothing that they typed."""

    service_name: str
    heading: str
    words: str
    sent_at: datetime | None
    changed_at: datetime
    question: str
    can_withdraw: bool
    gets_news: bool


def takes_requests(service: Service, referrers: Iterable[str]) -> bool:
    """Whether the public page offers the form: the service says that people, or those who care for them, may ask; and is no secret.

    `referrers` are the codes of those from whom it takes people.
    """
    asked = not ASKERS.keys().isdisjoint(referrers) and service.care_type_id is not None
    return asked and Service.objects.public().filter(pk=service.pk).exists()


def offer_of(service_id: UUID) -> Offer:
    """What the form of a service offers. Raises NotFound alike for one that takes no requests, a secret one, and one that there is not."""
    service = Service.objects.public().select_related("organization", "care_type").filter(pk=service_id, care_type__isnull=False).first()
    askers = _askers(service) if service else []
    if service is None or not askers:
        raise NotFound("This service takes no requests here. Look at its page for how to reach it.", code="no-such-service")
    said = service.criteria.filter(term__taxonomy__slug=NEED).exclude(rule=EligibilityCriterion.Rule.EXCLUDED)
    own = set(said.values_list("term__code", flat=True)) - EVERYDAY.keys() - set(NOT_ASKED)
    offered = {word.code: word.name for word in Lexicon.read().offered(NEED)}
    needs = [(code, name) for code, name in offered.items() if code in own]
    needs += [(code, words) for code, words in EVERYDAY.items() if code in offered]
    for_whom = tuple(dict.fromkeys(ASKERS[code] for code in ASKERS if code in askers))
    return Offer(service, for_whom, tuple(needs), by_curator=not answered_by_its_own(service.organization_id))


def answered_by_its_own(organization_id: UUID) -> bool:
    """Whether somebody of the organisation signs in and answers."""
    return User.objects.filter(organization=organization_id, role=User.Role.PROVIDER, is_active=True).exists()


def _askers(service: Service) -> list[str]:
    said = service.criteria.filter(term__taxonomy__slug=REFERRAL_SOURCE, term__code__in=ASKERS)
    return list(said.exclude(rule=EligibilityCriterion.Rule.EXCLUDED).values_list("term__code", flat=True))


def places_of(service: Service, at: datetime) -> list[ServiceCapacity]:
    """The places of a service that somebody can be given now."""
    return list(ServiceCapacity.objects.filter(service=service, is_open=True).offered(at).order_by("name", "starts_at", "pk"))


# --- those who run the service


def counts(user: User) -> dict[str, int]:
    """How many requests there are in each state, of those that the user may see. Names nobody."""
    seen = SelfReferral.objects.visible_to(user).order_by()
    return dict(seen.values_list("state").annotate(Count("pk")))


def listed(user: User, *, states: Iterable[str], service: UUID | None = None) -> QuerySet[SelfReferral]:
    """Requests of those states, the one that waits longest first; `alike` says that another may be of the same person."""
    found = SelfReferral.objects.visible_to(user).filter(state__in=list(states))
    if service is not None:
        found = found.filter(service=service)
    order = ("sent_at", "pk") if set(states) <= set(_State.waiting()) else ("-changed_at", "pk")
    same = _alike(OuterRef("pk"), OuterRef("service__organization"), {name: OuterRef(name) for name in _SAME})
    return found.annotate(alike=Exists(same)).select_related("service").order_by(*order)


def services_of(user: User) -> list[tuple[str, str]]:
    """Services of which the user sees requests: ids and names."""
    seen = SelfReferral.objects.visible_to(user).order_by().values_list("service", "service__name").distinct()
    return sorted(((str(pk), name) for pk, name in seen), key=lambda each: each[1])


def looked_at(user: User, requests: Iterable[SelfReferral], *, refresh: bool = False) -> None:
    """Write to the read audit that these are shown to the user. Call it in the transaction that shows them."""
    audit.record_reads(user=user, record_type=RECORD, record_ids=[request.pk for request in requests], refresh=refresh)


@transaction.atomic
def read(user: User, request_id: UUID) -> SelfReferral:
    """One request with all that was written, and a row of the read audit. Raises NotFound."""
    requests = SelfReferral.objects.visible_to(user).select_related("service__organization", "service__care_type", "identity_checked_by")
    request = requests.select_related("double_of", "referral").filter(pk=request_id).first()
    if request is None:
        raise NotFound("There is no such request.")
    looked_at(user, [request])
    return request


def notes_of(request: SelfReferral) -> list[SelfReferralNote]:
    """What was asked and answered, oldest first."""
    return list(request.notes.all())


def doubles_of(request: SelfReferral, user: User) -> list[SelfReferral]:
    """Other requests to the same organisation that may be of the same person; each is written to the read audit, as it names them."""
    values = {name: getattr(request, name) for name in _SAME}
    seen = SelfReferral.objects.visible_to(user).filter(pk__in=_alike(request.pk, request.service.organization_id, values).values("pk"))
    found = list(seen.select_related("service").order_by("-sent_at")[:10])
    looked_at(user, found)
    return found


def task_of(request: SelfReferral) -> UUID | None:
    """The referral that a yes made of it, as those who run the service open it."""
    tasks = ReferralTask.objects.filter(referral=request.referral_id) if request.referral_id else ReferralTask.objects.none()
    return tasks.values_list("pk", flat=True).first()


#: What two requests of one person have in common.
_SAME = ("given_name", "family_name", "birth_date", "postcode", "phone", "email")


def _alike(pk: Any, organization: Any, same: dict[str, Any]) -> QuerySet[SelfReferral]:
    """Others sent to one organisation with the same name and either date of birth or postcode, or with the same telephone or e-mail."""
    named = Q(given_name__iexact=same["given_name"], family_name__iexact=same["family_name"])
    who = named & (Q(birth_date=same["birth_date"], birth_date__isnull=False) | Q(postcode=same["postcode"]))
    reached = (Q(phone=same["phone"]) & ~Q(phone="")) | (Q(email__iexact=same["email"]) & ~Q(email=""))
    others = SelfReferral.objects.filter(service__organization=organization).exclude(state=_State.DRAFT).exclude(pk=pk)
    return others.filter(who | reached)


@acting.across("whether anybody has asked, of whom nothing is said")
def requests_waiting(service: Service) -> str:
    """Why a record may not be merged away: people wait for its answer. Empty when nobody does."""
    waiting = SelfReferral.objects.waiting().filter(service=service).count()
    if not waiting:
        return ""
    return f"{waiting} {'person' if waiting == 1 else 'people'} asked it for help and wait for an answer. Answer them first."


# --- the person

_HEADINGS: dict[str, tuple[str, str]] = {
    _State.RECEIVED: ("They have your request", "Somebody at the service will read it. You need do nothing now."),
    _State.ASKED: ("They have a question for you", "Please answer it below. Then they can go on."),
    _State.DECLINED: ("They cannot help with this", ""),
    _State.WITHDRAWN: ("You took this back", "They will do nothing more. You can ask again at any time."),
    # The same words whatever the other request was: this link must not tell whether the person had asked before.
    _State.DOUBLE: ("This request is closed", "You need do nothing. They will get in touch if they need to."),
}
_WHY_NOT: dict[str, str] = {
    Reason.CAPACITY: "They have no place at the moment.",
    Reason.NOT_APPROPRIATE: "They cannot give the help that you need in a safe way.",
    Reason.NOT_ELIGIBLE: "They help other people than those you asked for.",
    Reason.DISTANCE: "They do not go as far as where you live.",
    Reason.TRANSPORT: "They could not find a way for you to get there.",
    Reason.PATIENT_CHOICE: "They understood that you chose something else.",
    Reason.UNCONTACTABLE: "They tried to reach you and could not.",
    Reason.SERVICE_DECLINED: "They cannot take your request.",
    Reason.OTHER: "",
}
_HELP: dict[str, tuple[str, str]] = {
    Status.ACCEPTED: ("They said yes", "They will get in touch with you."),
    Status.IN_PROGRESS: ("Your help has started", "Ask them if you want to know more."),
    Status.ON_HOLD: ("Your help is paused", "Ask them when it goes on."),
    Status.COMPLETED: ("Your help has finished", "You can ask again at any time."),
    Status.FAILED: ("Your help has stopped", "They could not go on. You can look for another service in the directory."),
    Status.CANCELLED: ("This has ended", "They can no longer help with this. You can look for another service in the directory."),
}


@acting.across("whoever has the link may")
def progress(request: SelfReferral) -> Progress:
    """Where a request stands, in words that a child of nine reads."""
    heading, words = _HEADINGS.get(request.state, ("", ""))
    can_withdraw = request.state in _State.waiting()
    if request.state == _State.DECLINED:
        told = "" if request.reason_text == str(Reason(request.reason).label) else request.reason_text
        words = " ".join(filter(None, [_WHY_NOT[request.reason], told]))
    elif request.state == _State.ACCEPTED:
        status = ReferralTask.objects.filter(referral=request.referral_id).values_list("status", flat=True).first() or Status.CANCELLED
        heading, words = _HELP.get(Status(status), _HELP[Status.CANCELLED])
        can_withdraw = status in (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD)
    question = ""
    if request.state == _State.ASKED:
        question = request.notes.filter(from_person=False).order_by("-at", "-pk").values_list("words", flat=True).first() or ""
    return Progress(
        service_name=request.service.name,
        heading=heading,
        words=words,
        sent_at=request.sent_at,
        changed_at=request.changed_at,
        question=question,
        can_withdraw=can_withdraw,
        gets_news=request.news_to is not None,
    )
