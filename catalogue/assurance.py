"""Keeping records true: what people say about a record that may be wrong."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from catalogue.models import MistakeReport, Service, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish

LONGEST_WORDS = 2_000


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


def _tell_keepers(type: str, service: Service) -> None:
    publish(type, topics=[f"org:{service.organization_id}"], data={"service": str(service.pk)}, audience=[service.organization_id])
