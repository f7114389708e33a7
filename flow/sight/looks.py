"""Who has looked at one person's record: for a manager of the organisation whose record it is, so that the person can be told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat

from catalogue.models import Organization, User
from core import acting, audit
from core.errors import NotAllowed, NotFound
from core.models import AuditEntry
from flow.models import Document, Patient, PatientMerge, Referral, ReplyContact

#: As many as one page and one file tell; whoever needs more asks for a shorter time.
MOST = 2_000

#: How a record was seen, by the purpose that is written with each look.
HOW = {
    "direct-care": "In their care",
    "triage": "At a hub",
    "shared-care": "Shared with another organisation",
    "safeguarding": "For safeguarding",
    "break-glass": "In an emergency",
    "export": "In a file that was taken out",
    "download": "A document was opened",
    "sharing": "To share it or to stop sharing",
    "records": "To keep records in order",
    "choose-person": "By name, in a list to choose from",
    "privacy": "To see who has looked",
}


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a person's record, or at one of their referrals or documents."""

    at: datetime
    who: str
    organization: str
    role: str
    what: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which looks are told; what is empty leaves nothing out. `who` is a part of a name, of a person or an organisation."""

    who: str = ""
    since: date | None = None
    until: date | None = None
    how: str = ""


@transaction.atomic
def whose(*, nhs_number: str, birth_date: date, by: User) -> UUID:
    """The record of one person of the organisation of `by`. That it was found is written down.

    Raises NotFound with the same words whether number, date or both are wrong.
    """
    require_manager(by)
    number = "".join(nhs_number.split()).replace("-", "")
    with acting.system("whose record it is, is found for a manager of the organisation whose it is"):
        named = Patient.objects.filter(organization=by.organization_id, nhs_number=number, birth_date=birth_date) if number else None
        person = named.first() if named is not None else None
    if person is None:
        raise NotFound("Your organisation has nobody with this NHS number and date of birth. Check both.", code="no-such-person")
    # That they are in the records is told already, whether or not the page about it is opened next.
    audit.record_read(user=by, record_type="audit", record_id=person.pk, purpose="privacy")
    return person.pk


@transaction.atomic
def at_record(*, record_id: UUID, by: User, wanted: Wanted | None = None) -> list[Look]:
    """Every look at the record of one person of the organisation of `by`, the latest first. That somebody asked is written down, too.

    Raises NotAllowed, and NotFound for a record of another organisation.
    """
    require_manager(by)
    wanted = wanted or Wanted()
    with acting.system("who looked at a record is told to a manager of the organisation whose it is"):
        person = Patient.objects.filter(organization=by.organization_id, pk=record_id).first()
        if person is None:
            raise NotFound("Your organisation has no such record.")
        audit.record_read(user=by, record_type="audit", record_id=person.pk, purpose="privacy")
        records = {person.pk: "The person’s record"} | dict.fromkeys(_joined_into(person.pk), "A record that was joined with this one")
        records |= dict.fromkeys(Referral.objects.filter(patient=person).values_list("pk", flat=True), "A referral")
        records |= dict.fromkeys(Document.objects.filter(patient=person).values_list("pk", flat=True), "A document")
        entries = AuditEntry.objects.filter(record_id__in=records, action="read").order_by("-at", "-id")
        if wanted.since is not None:
            entries = entries.filter(at__date__gte=wanted.since)
        if wanted.until is not None:
            entries = entries.filter(at__date__lte=wanted.until)
        if wanted.how:
            entries = entries.filter(purpose=wanted.how)
        if wanted.who:
            entries = entries.filter(looked_by(wanted.who))
        return told(list(entries[:MOST]), records)


def require_manager(by: User) -> None:
    """Raises NotAllowed for everybody else."""
    if not by.is_manager or by.organization_id is None:
        raise NotAllowed("A manager of the organisation whose record it is tells who has looked at it.")


def looked_by(text: str) -> Q:
    """Looks of people, organisations and link holders with these words in their names."""
    people = User.objects.annotate(full=Concat("first_name", Value(" "), "last_name"))
    named = people.filter(Q(full__icontains=text) | Q(email__icontains=text)).order_by().values("pk")
    homes = Organization.objects.filter(name__icontains=text).order_by().values("pk")
    contacts = ReplyContact.objects.filter(name__icontains=text).order_by().values("pk")
    return Q(user_id__in=named) | Q(organization_id__in=homes) | Q(user_id__in=contacts)


def _joined_into(kept: UUID) -> set[UUID]:
    """Records that turned out to be this person's, each with those that were joined into it before."""
    found: set[UUID] = set()
    newest = {kept}
    while newest:
        newest = set(PatientMerge.objects.filter(kept__in=newest, undone_at=None).values_list("gone", flat=True)) - found
        found |= newest
    return found


def told(entries: Iterable[AuditEntry], records: Mapping[UUID, str]) -> list[Look]:
    """Entries of the audit in words. `records`: what each of them was a look at."""
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
            purpose=HOW.get(entry.purpose, entry.purpose),
        )
        for entry in entries
    ]


def _name(user: User | None, contact: str | None) -> str:
    if contact is not None:
        return f"{contact}, by a signed link"
    if user is None:
        return "Somebody whose account is gone"
    return user.get_full_name() or user.email
