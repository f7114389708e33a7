"""Who has looked at one person's record: for a manager of the organisation whose record it is, so that the person can be told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from catalogue.models import Organization, User
from core import acting, audit
from core.errors import NotAllowed, NotFound
from core.models import AuditEntry
from flow.models import Patient, PatientMerge, Referral, ReplyContact

#: As many as one page and one file tell; whoever needs more asks for a shorter time.
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a person's record, or at one of their referrals."""

    at: datetime
    who: str
    organization: str
    role: str
    what: str
    purpose: str


@transaction.atomic
def at_record(*, nhs_number: str, birth_date: date, by: User, since: date | None = None, purpose: str = "") -> list[Look]:
    """Every look at the record of one person of the organisation of `by`, the latest first. That somebody asked is written down, too.

    Raises NotAllowed, and NotFound with the same words whether number, date or both are wrong.
    """
    if not by.is_manager or by.organization_id is None:
        raise NotAllowed("A manager of the organisation whose record it is tells who has looked at it.")
    with acting.system("who looked at a record is told to a manager of the organisation whose it is"):
        number = "".join(nhs_number.split()).replace("-", "")
        person = (
            Patient.objects.filter(organization=by.organization_id, nhs_number=number, birth_date=birth_date).first() if number else None
        )
        if person is None:
            raise NotFound("Your organisation has nobody with this NHS number and date of birth. Check both.", code="no-such-person")
        audit.record_read(user=by, record_type="audit", record_id=person.pk, purpose="privacy")
        records = {person.pk: "The person’s record"} | dict.fromkeys(_joined_into(person.pk), "A record that was joined with this one")
        records |= dict.fromkeys(Referral.objects.filter(patient=person).values_list("pk", flat=True), "A referral")
        entries = AuditEntry.objects.filter(record_id__in=records, action="read").order_by("-at", "-id")
        if since is not None:
            entries = entries.filter(at__date__gte=since)
        if purpose:
            entries = entries.filter(purpose=purpose)
        return _told(list(entries[:MOST]), records)


def _joined_into(kept: UUID) -> set[UUID]:
    """Records that turned out to be this person's, each with those that were joined into it before."""
    found: set[UUID] = set()
    newest = {kept}
    while newest:
        newest = set(PatientMerge.objects.filter(kept__in=newest, undone_at=None).values_list("gone", flat=True)) - found
        found |= newest
    return found


def _told(entries: Iterable[AuditEntry], records: dict[UUID, str]) -> list[Look]:
    entries = list(entries)
    people = {user.pk: user for user in User.objects.filter(pk__in={entry.user_id for entry in entries})}
    contacts = dict(ReplyContact.objects.filter(pk__in={entry.user_id for entry in entries} - people.keys()).values_list("pk", "name"))
    homes = dict(Organization.objects.filter(pk__in={entry.organization_id for entry in entries}).values_list("pk", "name"))
    return [
        Look(
            at=entry.at,
            who=_name(people.get(entry.user_id), contacts.get(entry.user_id)),
            organization=homes.get(entry.organization_id, "") if entry.organization_id else "",
            role=str(User.Role(entry.role).label) if entry.role in User.Role.values else entry.role,
            what="Who looked at it" if entry.record_type == "audit" else records[entry.record_id],
            purpose=entry.purpose,
        )
        for entry in entries
    ]


def _name(user: User | None, contact: str | None) -> str:
    if contact is not None:
        return f"{contact}, by a signed link"
    if user is None:
        return "Somebody whose account is gone"
    return user.get_full_name() or user.email
