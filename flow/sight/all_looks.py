"""Who has looked at whatever records an organisation keeps, over some days: for its manager, who answers for how they are used.

Nobody's name stands in it but those of who looked: a manager reads no records. Each line leads to the looks at that one record, by its id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from catalogue.models import User
from core import acting, audit
from core.clock import LONDON
from core.errors import Invalid
from core.models import AuditEntry
from flow.models import Document, Patient, PatientMerge, Referral
from flow.sight.looks import MOST, Look, looked_by, require_manager, told

#: Of the ways in which a record is seen, what looking at this list is.
PRIVACY = "privacy"
#: Any way, that one too.
EVERY = "every"
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which looks are told. `how`: a purpose; empty for all but to see who has looked, EVERY for those too. `who` is a part of a name."""

    since: date
    until: date
    who: str = ""
    role: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One look, and the id of the record at which it was, as it is kept today."""

    look: Look
    record: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """A part of what was found: `count` of all, and which page of them it is."""

    lines: list[Line]
    count: int
    page: int


@transaction.atomic
def of_organization(*, by: User, wanted: Wanted, page: int = 1, size: int = MOST) -> Found:
    """Looks at the records of the organisation of `by`, the latest first. That the looks at a record were told is itself a look at it,
    written for each record of this page, and for the list as such; within ten minutes the same record is written once.

    Raises NotAllowed, and Invalid for a time that is the wrong way round or too long.
    """
    require_manager(by)
    if not timedelta() <= wanted.until - wanted.since <= LONGEST:
        raise Invalid("Choose a last day that is not before the first, within a year.", field="until")
    with acting.system("who looked at its records is told to a manager of the organisation whose they are"):
        entries = _wanted(by, wanted)
        count = entries.count()
        page = max(1, min(page, -(-count // size)))
        shown = list(entries.order_by("-at", "-id")[(page - 1) * size : page * size])
        whose, words = _records({entry.record_id for entry in shown})
        lines = [Line(look, whose[entry.record_id]) for look, entry in zip(told(shown, words), shown, strict=True)]
        audit.record_read(user=by, record_type="audit", record_id=_home(by), purpose=PRIVACY)
        audit.record_reads(user=by, record_type="audit", record_ids={line.record for line in lines}, purpose=PRIVACY, refresh=True)
    return Found(lines, count, page)


def _wanted(by: User, wanted: Wanted) -> QuerySet[AuditEntry]:
    ours = Patient.with_merged.filter(organization=_home(by)).order_by()
    kept = (
        Q(record_id__in=ours.values("pk"))
        | Q(record_id__in=Referral.objects.filter(patient__in=ours.values("pk")).order_by().values("pk"))
        | Q(record_id__in=Document.objects.filter(patient__in=ours.values("pk")).order_by().values("pk"))
    )
    found = AuditEntry.objects.filter(kept, action="read", at__gte=_midnight(wanted.since), at__lt=_midnight(wanted.until, days=1))
    if wanted.who:
        found = found.filter(looked_by(wanted.who))
    if wanted.role:
        found = found.filter(role=wanted.role)
    if not wanted.how:
        found = found.exclude(purpose=PRIVACY)
    elif wanted.how != EVERY:
        found = found.filter(purpose=wanted.how)
    return found


def _records(ids: Iterable[UUID]) -> tuple[dict[UUID, UUID], dict[UUID, str]]:
    """Whose each of these is, as the record is kept today, and what it is in words."""
    people = set(Patient.with_merged.filter(pk__in=ids).values_list("pk", flat=True))
    whose = {person: person for person in people}
    words = dict.fromkeys(people, "The person’s record")
    for model, said in ((Referral, "A referral"), (Document, "A document")):
        rows = dict(model.objects.filter(pk__in=ids).values_list("pk", "patient"))
        whose |= rows
        words |= dict.fromkeys(rows, said)
    joined = dict(PatientMerge.objects.filter(gone__in=set(whose.values()), undone_at=None).values_list("gone", "kept"))
    while joined:
        whose = {one: joined.get(person, person) for one, person in whose.items()}
        joined = dict(PatientMerge.objects.filter(gone__in=set(joined.values()), undone_at=None).values_list("gone", "kept"))
    return whose, words


def _home(by: User) -> UUID:
    assert by.organization_id is not None  # `require_manager` saw to it
    return by.organization_id


def _midnight(day: date, *, days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days), time(), tzinfo=LONDON)
