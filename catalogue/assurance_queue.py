"""A curator's work on records that may no longer hold: which they are, and why each is in the list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.enums import TextChoices
from django.utils import timezone

from catalogue.assurance import told_closed
from catalogue.currency import ASSURANCE_LASTS, DUE_SOON, due_on
from catalogue.letters import silenced
from catalogue.models import Area, AssuranceLink, Location, MistakeReport, NoLetters, ProposedChange, Service
from catalogue.models.service import ServiceQuerySet
from catalogue.reminders import with_owner


class Show(TextChoices):
    """Reasons to look at a record, the most urgent first."""

    MISTAKES = "mistakes", "Reported mistakes"
    CLOSED = "closed", "Told to be closed"
    OVERDUE = "overdue", "Check is overdue"
    NEVER = "never", "Never checked"
    SOON = "soon", "Due in two weeks"
    SILENT = "silent", "Asked twice, no answer"
    UNREACHABLE = "unreachable", "No letters reach them"


#: How long ago a check was due: days, and words.
LATE = ((30, "More than a month"), (91, "More than 3 months"), (182, "More than 6 months"), (365, "More than a year"))


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the list, with what a curator needs to decide what to do."""

    service: Service
    due: date | None
    days_late: int | None
    """None: never checked. Below nought: not due yet."""
    asked: AssuranceLink | None
    """The newest letter."""
    reports: list[MistakeReport]
    told_closed: bool
    phone: str
    address: str
    """Where a letter would go; empty when there is none."""
    no_letters: NoLetters | None
    """Why none goes there: mail came back, or the owner stopped them."""


def _kept(user: Any) -> ServiceQuerySet:
    return Service.objects.visible_to(user).filter(status=Service.Status.ACTIVE, merged_into=None)


def _wanted(show: str, today: date) -> Q:
    overdue = today - ASSURANCE_LASTS
    match show:
        case Show.MISTAKES:
            return Q(Exists(MistakeReport.objects.filter(service=OuterRef("pk"), status=MistakeReport.Status.OPEN)))
        case Show.CLOSED:
            told = ProposedChange.objects.filter(
                service=OuterRef("pk"), origin=ProposedChange.Origin.LINK, status=ProposedChange.Status.WAITING
            )
            return Q(Exists(told.filter(content__status=Service.Status.DEFUNCT)))
        case Show.NEVER:
            return Q(assured_date=None)
        case Show.SOON:
            return Q(assured_date__range=(overdue, overdue + DUE_SOON))
        case Show.SILENT:
            since_check = Q(service__assured_date=None) | Q(created_at__date__gt=OuterRef("assured_date"))
            letters = AssuranceLink.objects.filter(since_check, service=OuterRef("pk"), answer="", bounced_at=None)
            twice = letters.order_by().values("service").annotate(times=Count("pk")).filter(times__gte=2)
            return Q(Exists(twice)) & (Q(assured_date=None) | Q(assured_date__lt=overdue + DUE_SOON))
        case Show.UNREACHABLE:
            return Q(owner_email="") | Q(silenced())
        case _:
            return Q(assured_date__lt=overdue)


def queue(
    user: Any, *, at: datetime, show: str = Show.OVERDUE, area: str = "", source: str = "", kind: str = "", late_days: int = 0
) -> QuerySet[Service]:
    """Active records that a keeper should look at for one reason, the longest unchecked first.

    `area` is a district's code, `source` the publisher's name, `kind` a code of the care types, `late_days` how long the check has been
    due. Each has `owner_email`, where a letter would go.
    """
    today = timezone.localdate(at)
    found = with_owner(_kept(user)).filter(_wanted(show, today))
    if area:
        found = found.filter(in_area(area), is_confidential=False, organization__is_confidential=False)
    if source:
        found = found.filter(source=source)
    if kind:
        found = found.filter(care_type__code=kind, care_type__taxonomy__slug="care-type")
    if late_days:
        found = found.filter(Q(assured_date=None) | Q(assured_date__lt=today - ASSURANCE_LASTS - timedelta(days=late_days)))
    return found.select_related("organization", "care_type").order_by(F("assured_date").asc(nulls_first=True), "name", "pk")


def in_area(code: str) -> Exists:
    """The service has an open place inside this district."""
    outline = Area.objects.filter(kind=Area.Kind.DISTRICT, code=code, outline__covers=OuterRef("point"))
    places = Location.objects.filter(service_at_locations__service=OuterRef("pk"), is_confidential=False)
    return Exists(places.filter(Exists(outline)))


def counts(user: Any, *, at: datetime) -> dict[str, int]:
    """How many records there are for each reason, in one statement."""
    today = timezone.localdate(at)
    found = with_owner(_kept(user)).order_by()
    # Each reason as a column first: an aggregate's own filter cannot look into other tables.
    found = found.annotate(**{f"is_{show.value}": ExpressionWrapper(_wanted(show.value, today), BooleanField()) for show in Show})
    return found.aggregate(**{show.value: Count("pk", filter=Q(**{f"is_{show.value}": True})) for show in Show})


def lines(services: Iterable[Service], *, at: datetime) -> list[Line]:
    """What to show of these records, in the order given. A few statements, however many there are."""
    found = list(services)
    ids = [service.pk for service in found]
    today = timezone.localdate(at)
    newest: dict[UUID, AssuranceLink] = {}
    for link in AssuranceLink.objects.filter(service__in=ids).order_by("service_id", "-created_at").distinct("service_id"):
        newest[link.service_id] = link
    reports: dict[UUID, list[MistakeReport]] = {}
    for report in MistakeReport.objects.filter(service__in=ids, status=MistakeReport.Status.OPEN).order_by("reported_at"):
        reports.setdefault(report.service_id, []).append(report)
    phones: dict[UUID, str] = {}
    for service in Service.objects.filter(pk__in=ids).prefetch_related("phones"):
        phones[service.pk] = next((phone.number for phone in service.phones.all()), "")
    closed = told_closed(ids)
    silent = _silent(found)
    result = []
    for service in found:
        due = due_on(service.assured_date)
        result.append(
            Line(
                service=service,
                due=due,
                days_late=(today - due).days if due else None,
                asked=newest.get(service.pk),
                reports=reports.get(service.pk, []),
                told_closed=service.pk in closed,
                phone=phones.get(service.pk, ""),
                address=getattr(service, "owner_email", ""),
                no_letters=silent.get(service.pk),
            )
        )
    return result


def _silent(services: Iterable[Service]) -> dict[UUID, NoLetters]:
    """Why no letters go to the owners of these services; mail that came back before what an owner said."""
    owners = {service.pk: getattr(service, "owner_email", "").lower() for service in services}
    found: dict[UUID, NoLetters] = {}
    for row in NoLetters.objects.filter(email__in=set(owners.values()) - {""}).order_by("-why", "since"):
        for pk, owner in owners.items():
            if owner == row.email and row.service_id in (None, pk):
                found[pk] = row
    return found


def sources() -> list[str]:
    """Publishers whose records are in the directory."""
    return list(Service.objects.exclude(source="").order_by("source").values_list("source", flat=True).distinct())


def districts() -> list[tuple[str, str]]:
    """Codes and names of the districts that are loaded."""
    return list(Area.objects.filter(kind=Area.Kind.DISTRICT).order_by("name").values_list("code", "name"))
