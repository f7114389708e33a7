"""What somebody who keeps entries sees: their services, what is written down and not yet made, and how much each entry says."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from catalogue.currency import ASSURANCE_LASTS
from catalogue.entry import content
from catalogue.entry.content import Content
from catalogue.entry.places import secret_places
from catalogue.models import (
    Address,
    Attachment,
    Contact,
    CostOption,
    EligibilityCriterion,
    Organization,
    Phone,
    Postcode,
    ProposedChange,
    Schedule,
    SchoolHoliday,
    Service,
    ServiceArea,
    ServiceAtLocation,
    User,
)
from catalogue.models.service import ServiceQuerySet

OPEN = (ProposedChange.Status.DRAFT, ProposedChange.Status.WAITING)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as somebody works on it: what the directory says, and what is written down on top of it."""

    pk: UUID
    organization: Organization | None
    service: Service | None
    """None while it is new."""
    change: ProposedChange | None
    """The draft, or what waits for a curator."""
    live: Content = field(repr=False)

    @property
    def shown(self) -> Content:
        """What the forms hold: the live values with the draft's over them."""
        written = self.change.content if self.change else {}
        return self.live | {name: value for name, value in written.items() if name in content.FIELDS}

    @property
    def name(self) -> str:
        return self.shown["name"] or "New service"

    @property
    def waits(self) -> bool:
        return self.change is not None and self.change.status == ProposedChange.Status.WAITING

    @property
    def is_secret(self) -> bool:
        """Nobody is told where it is."""
        return self.service is not None and self.service.hides_its_place

    @property
    def secret_places(self) -> int:
        """How many of its places are neither shown nor changed here."""
        return secret_places(self.service) if self.service else 0

    def stamp(self, part: str) -> str:
        """What a form of this part was made from."""
        return content.stamp(self.shown, content.fields_of(part))

    def changed(self, part: str) -> bool:
        """Whether the draft says something else about this part than the directory."""
        return self.change is not None and any(name in self.change.content for name in content.fields_of(part))

    def overtaken(self) -> list[str]:
        """Fields of the draft that somebody else changed in the directory since it was written."""
        if self.change is None or self.service is None:
            return []
        return [name for name in self.change.content if name in content.FIELDS and self.change.base.get(name) != self.live[name]]


def entry(user: User, pk: UUID) -> Entry | None:
    """The entry with this id as `user` may work on it: a service, or one that is still to be made. None when there is none for them."""
    service = content.for_reading(Service.objects.owned_by(user)).filter(pk=pk).first()
    if service is not None:
        # Pictures and papers that wait do not keep anybody from changing the rest.
        changes = open_changes(user).filter(service=service).exclude(origin=ProposedChange.Origin.LINK)
        change = changes.exclude(content__has_key="attachments").first()
        return Entry(pk, service.organization, service, change, content.read(service))
    change = ProposedChange.objects.visible_to(user).filter(pk=pk, service=None, status__in=[*OPEN, ProposedChange.Status.REFUSED]).first()
    if change is None or (user.is_provider and change.organization_id is None):
        return None
    return Entry(pk, change.organization, None, change, content.empty())


def open_changes(user: User) -> QuerySet[ProposedChange]:
    """Drafts of the user's own office, and whatever waits for a curator: what waits first. Rows of a spreadsheet are no drafts."""
    colleagues = Q(proposed_by=user) if user.organization_id is None else Q(proposed_by__organization=user.organization_id)
    return (
        ProposedChange.objects.visible_to(user)
        .filter(
            Q(status=ProposedChange.Status.WAITING) | Q(status=ProposedChange.Status.DRAFT, origin=ProposedChange.Origin.FORM) & colleagues
        )
        .select_related("organization", "service", "proposed_by")
        .order_by("-status", "-proposed_at")
    )


#: What a good entry says, in the words of "still to say".
WANTED: dict[str, str] = {
    "description": "what it offers",
    "contact": "how to reach it",
    "schedules": "days and times",
    "who": "who it is for",
    "areas": "the area it covers",
    "cost": "what it costs",
    "address": "where it is",
}


def said(shown: Content) -> dict[str, bool]:
    """Which of `WANTED` an entry says."""
    return {
        "description": bool(shown["description"]),
        "contact": bool(shown["phones"] or shown["email"] or shown["url"] or shown["contacts"]),
        "schedules": bool(shown["schedules"]),
        "who": any(shown[name] not in (None, "", {}, []) for name in ("minimum_age", "maximum_age", "sex", "needs", "notes")),
        "areas": bool(shown["areas"] or shown["catchment_m"]),
        "cost": shown["price_week"] is not None or bool(shown["cost_options"] or shown["funding"]),
        "address": bool(shown["places"]),
    }


def my_services(user: User, *, text: str = "", state: str = "", today: date) -> ServiceQuerySet:
    """Entries that `user` keeps, by name, with `complete`, how many of `WANTED` each says, and `waiting` and `draft`.

    `state` keeps those that are `overdue`, `waiting`, `draft`, `incomplete` or `hidden` (not shown to the public as open).
    """
    criteria = EligibilityCriterion.objects.filter(service=OuterRef("pk"))
    related = {name: Exists(model.objects.filter(service=OuterRef("pk"))) for name, model in _RELATED.items()}
    says = {
        "description": ~Q(description=""),
        "contact": ~Q(email="") | ~Q(url="") | Q(related["phones"]) | Q(related["contacts"]),
        "schedules": Q(related["schedules"]),
        "who": Q(eligibility__minimum_age__isnull=False) | Q(eligibility__maximum_age__isnull=False) | Q(eligibility__sex__gt="")
        | Q(Exists(criteria.filter(term__taxonomy__slug="need"))),
        "areas": Q(catchment_m__isnull=False) | Q(related["service_areas"]),
        "cost": Q(price_week__isnull=False) | Q(related["cost_options"]) | Q(Exists(criteria.filter(term__taxonomy__slug="funding"))),
        "address": Q(related["service_at_locations"]),
    }  # fmt: skip
    complete: Any = Value(0)
    for condition in says.values():
        complete = complete + Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())
    changes = open_changes(user).order_by().filter(service=OuterRef("pk"))
    found = (
        Service.objects.owned_by(user)
        .select_related("organization", "care_type")
        .annotate(
            waiting=Exists(changes.filter(status=ProposedChange.Status.WAITING)),
            draft=Exists(changes.filter(status=ProposedChange.Status.DRAFT)),
        )
    )
    if state != "incomplete":
        found = found.filter(merged_into=None)
    for word in text.split():
        found = found.filter(Q(name__icontains=word) | Q(description__icontains=word) | Q(organization__name__icontains=word))
    match state:
        case "overdue":
            found = found.filter(Q(assured_date=None) | Q(assured_date__lt=today - ASSURANCE_LASTS))
        case "waiting" | "draft":
            found = found.filter(**{state: True})
        case "hidden":
            found = found.exclude(status=Service.Status.ACTIVE)
    found = found.annotate(complete=complete)
    if state == "incomplete":
        found = found.filter(merged_into=None, complete__lt=len(WANTED))
    return found.order_by("name", "pk")


_RELATED: dict[str, Any] = {
    "contacts": Contact,
    "phones": Phone,
    "schedules": Schedule,
    "service_areas": ServiceArea,
    "cost_options": CostOption,
    "service_at_locations": ServiceAtLocation,
}


def attachments(user: Any, service: Service | None) -> QuerySet[Attachment]:
    """Pictures and papers of a service that `user` may see."""
    return Attachment.objects.visible_to(user).filter(service=service) if service else Attachment.objects.none()


def is_public(pk: UUID) -> bool:
    """Whether everybody may know of a service."""
    return Service.objects.public().filter(pk=pk).exists()


def school_holidays(service: Service | None) -> list[SchoolHoliday]:
    """School holidays where a service is: of its council's area, and those that hold everywhere."""
    councils = [""]
    if service is not None:
        codes = Address.objects.filter(location__service_at_locations__service=service).values("postal_code")
        councils += Postcode.objects.filter(postcode__in=codes).values_list("lad", flat=True).distinct()
    return list(SchoolHoliday.objects.filter(lad__in=councils))


def changes_of(user: User, service: Service | None) -> QuerySet[ProposedChange]:
    """What was made or refused of a service's entry, the newest first."""
    decided = (ProposedChange.Status.MADE, ProposedChange.Status.REFUSED)
    found = (
        ProposedChange.objects.visible_to(user).filter(service=service, status__in=decided) if service else ProposedChange.objects.none()
    )
    return found.select_related("proposed_by", "decided_by", "undoes", "run__feed").order_by("-decided_at")


def refused_last(user: User, service: Service | None) -> ProposedChange | None:
    """The last change of an entry, when a curator refused it and nothing was decided since."""
    last = changes_of(user, service).filter(origin=ProposedChange.Origin.FORM).first()
    return last if last is not None and last.status == ProposedChange.Status.REFUSED else None


def waiting_proposals(user: User) -> QuerySet[ProposedChange]:
    """What waits for a curator's decision, the oldest first."""
    found = ProposedChange.objects.visible_to(user).filter(status=ProposedChange.Status.WAITING)
    return found.select_related("organization", "service", "proposed_by").order_by("proposed_at", "pk")
