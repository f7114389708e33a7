"""Keeping records true: links by which an owner answers without an account, and what people say is wrong.

A link is a capability: for one service, once, until it runs out, is revoked, or the service's mail comes back. Its token is 256 random
bits, of which only the hash is kept; nobody who reads the database can answer for anybody.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, MaxLengthValidator, URLValidator
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from catalogue.models import AssuranceLink, AssuranceRound, MistakeReport, ProposedChange, Service, User
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from core.events import publish

LONGEST_WORDS = 2_000
LINK_LASTS = timedelta(days=30)
#: What an owner may say is different, each with what its value must be.
LINK_FIELDS: dict[str, list[Callable[[str], None]]] = {
    "phone": [MaxLengthValidator(40, "Keep the phone number to 40 characters.")],
    "email": [
        EmailValidator("Enter an e-mail address, like name@example.org."),
        MaxLengthValidator(254, "That e-mail address is too long."),
    ],
    "url": [
        URLValidator(["http", "https"], message="Enter a web address that begins with https://"),
        MaxLengthValidator(500, "Keep the web address to 500 characters."),
    ],
    "description": [MaxLengthValidator(5_000, "Keep the description to 5,000 characters.")],
    "opening": [MaxLengthValidator(1_000, "Keep the opening times to 1,000 characters.")],
}


class LinkSpent(LuneError):
    """A link that was good once: answered, run out, or taken back."""

    code = "link-spent"
    http_status = 410


def mark_assured(service: Service, *, by_name: str, at: datetime) -> None:
    """Set, without saving, that a record was looked at today. `by_name` is an organisation or a source, never a person."""
    service.assured_date = timezone.localdate(at)
    service.assured_by = by_name[:200]


def assurer(user: User) -> str:
    """Whose word a check by this user is: their organisation's."""
    return user.organization.name if user.organization else "The directory's administrators"


@transaction.atomic
def report_mistake(*, service_id: UUID, what: str, words: str, reply_to: str, at: datetime) -> MistakeReport:
    """Somebody, perhaps without an account, says that a public record is wrong.

    `what` names the part (may be empty), `words` what is wrong, `reply_to` an e-mail address for an answer (may be empty). Raises NotFound
    for a record that the public may not know of, and Invalid with `errors` by field.
    """
    service = Service.objects.public().filter(pk=service_id).first()
    if service is None:
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    what, words, reply_to = what.strip(), words.strip(), reply_to.strip()
    if not (what or words):
        raise Invalid("Say what is wrong with this entry.", errors={"words": ["Say what is wrong with this entry."]})
    if len(words) > LONGEST_WORDS:
        message = f"Keep it to {LONGEST_WORDS:,} characters; this has {len(words):,}."
        raise Invalid(message, errors={"words": [message]})
    report = MistakeReport(service=service, what=what, words=words, reply_to=reply_to, reported_at=at)
    try:
        report.full_clean()
    except ValidationError as error:
        raise Invalid("Some of this cannot be sent. Correct it and try again.", errors=error.message_dict) from error
    report.save()
    _tell_keepers("mistake.reported", service)
    return report


@transaction.atomic
def handle_mistake(*, report_id: UUID, mended: bool, by: User, at: datetime) -> MistakeReport:
    """A curator, or the service's own provider, has dealt with a report: the record is mended, or there was nothing to mend."""
    report = MistakeReport.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=report_id).first()
    if report is None:
        raise NotFound("There is no such report. Go back to the list.", code="no-such-report")
    if not (by.is_curator or by.is_administrator or by.is_provider):
        raise NotAllowed("Only the service's provider or a curator of the directory deals with reports.")
    if report.status != MistakeReport.Status.OPEN:
        raise Conflict("Somebody has dealt with this report already. Load the list again.", code="already-handled")
    report.status = MistakeReport.Status.MENDED if mended else MistakeReport.Status.DISMISSED
    report.handled_by, report.handled_at = by, at
    report.save(update_fields=["status", "handled_by", "handled_at"])
    _tell_keepers("mistake.handled", report.service)
    return report


def issue_links(
    *, services: Iterable[Service], sent_to: str, at: datetime, asked_in: AssuranceRound | None = None
) -> list[tuple[Service, str]]:
    """Make a link for each of these services, for a letter to one address. The tokens are told here and never again."""
    made = [(service, secrets.token_urlsafe(32)) for service in services]
    AssuranceLink.objects.bulk_create(
        AssuranceLink(
            service=service, token_hash=token_hash(token), sent_to=sent_to, created_at=at, expires_at=at + LINK_LASTS, round=asked_in
        )
        for service, token in made
    )
    return made


def read_link(*, token: str, at: datetime) -> AssuranceLink:
    """The link that belongs to a token, with its service. Changes nothing. Raises NotFound or LinkSpent."""
    link = AssuranceLink.objects.select_related("service__organization").filter(token_hash=token_hash(token)).first()
    if link is None:
        raise NotFound("This link cannot be used.", code="no-such-link")
    # A record that has become confidential meanwhile is shown to nobody by a link.
    if not (link.is_open(at) and Service.objects.public().filter(pk=link.service_id).exists()):
        raise LinkSpent("This link cannot be used any more.")
    return link


@transaction.atomic
def answer_link(*, token: str, answer: str, at: datetime, content: Mapping[str, str] | None = None) -> AssuranceLink:
    """The owner of one service says that its record is right, is wrong, or that the service has closed. A link answers once.

    “Correct” counts as a check by the service's organisation. “Change” (with `content`, some of `LINK_FIELDS`) and “closed” become
    proposals that wait for a curator: nobody with a forwarded letter can alter or hide a public record. Raises NotFound, LinkSpent, or
    Invalid with `errors` by field.
    """
    link = read_link(token=token, at=at)
    # The service first and then its links, so that two answers by two links of one service cannot lock each other out.
    service = Service.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=link.service_id)
    link = AssuranceLink.objects.select_for_update().get(pk=link.pk)
    if not link.is_open(at):
        raise LinkSpent("This link cannot be used any more.")
    match answer:
        case AssuranceLink.Answer.CORRECT:
            mark_assured(service, by_name=service.organization.name, at=at)
            service.save(update_fields=["assured_date", "assured_by", "modified_at"])
        case AssuranceLink.Answer.CHANGE:
            _propose(service, _checked(content or {}), at)
        case AssuranceLink.Answer.CLOSED:
            _propose(service, {"status": Service.Status.DEFUNCT.value}, at)
        case _:
            raise Invalid("Choose one of the answers.", code="no-such-answer")
    link.answer, link.answered_at = answer, at
    link.save(update_fields=["answer", "answered_at"])
    AssuranceLink.objects.filter(service=service, answer="", revoked_at=None).update(revoked_at=at)
    publish("service.changed", topics=[f"service:{service.pk}", f"org:{service.organization_id}"], data={"service": str(service.pk)})
    return link


@transaction.atomic
def revoke(*, service_id: UUID, by: User, at: datetime) -> int:
    """Take back every open link of a service. Returns how many there were."""
    service = lock_for_keeper(service_id, by)
    return AssuranceLink.objects.filter(service=service, answer="", revoked_at=None, expires_at__gt=at).update(revoked_at=at)


def token_hash(token: str) -> str:
    """What is kept of the token of a letter's link."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def lock_for_keeper(service_id: UUID, by: User) -> Service:
    """A service whose letters a curator looks after, locked."""
    if not (by.is_curator or by.is_administrator):
        raise NotAllowed("Only a curator of the directory looks after its letters.")
    service = Service.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk=service_id).first()
    if service is None:
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    return service


def as_it_stands(service: Service) -> dict[str, str]:
    """What the fields of `LINK_FIELDS` hold now, as an owner would write them."""
    phone = service.phones.order_by("pk").first()
    opening = "\n".join(filter(None, service.schedules.order_by("pk").values_list("description", flat=True)))
    return {
        "phone": phone.number if phone else "",
        "email": service.email,
        "url": service.url,
        "description": service.description,
        "opening": opening,
    }


def _checked(content: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(content.keys() - LINK_FIELDS.keys()):
        raise Invalid(f"A letter's link cannot change: {', '.join(unknown)}.")
    errors: dict[str, list[str]] = {}
    for name, value in content.items():
        for check in LINK_FIELDS[name] if value else []:
            try:
                check(value)
            except ValidationError as error:
                errors.setdefault(name, []).extend(error.messages)
    if errors:
        raise Invalid("Some of this cannot be used. Correct it and try again.", errors=errors)
    return dict(content)


def _propose(service: Service, content: dict[str, str], at: datetime) -> None:
    now = as_it_stands(service) | {"status": service.status}
    different = {name: value for name, value in content.items() if value != now[name]}
    if not different:
        raise Invalid("You have changed nothing. If all of it is right, go back and press “Still correct”.", code="no-change")
    ProposedChange.objects.create(
        organization=service.organization,
        service=service,
        origin=ProposedChange.Origin.LINK,
        content=different,
        base={name: now[name] for name in different},
        status=ProposedChange.Status.WAITING,
        proposed_at=at,
    )


def told_closed(service_ids: Iterable[UUID]) -> set[UUID]:
    """Of these services, those of which an owner said by link that they have closed, while nobody has decided on it yet."""
    return set(_told_closed().filter(service__in=service_ids).values_list("service_id", flat=True))


def is_told_closed() -> Exists:
    """The same of each service of a query."""
    return Exists(_told_closed().filter(service=OuterRef("pk")))


def _told_closed() -> QuerySet[ProposedChange]:
    waiting = ProposedChange.objects.filter(origin=ProposedChange.Origin.LINK, status=ProposedChange.Status.WAITING)
    return waiting.filter(content__status=Service.Status.DEFUNCT)


def _tell_keepers(type: str, service: Service) -> None:
    publish(type, topics=[f"org:{service.organization_id}"], data={"service": str(service.pk)}, audience=[service.organization_id])
