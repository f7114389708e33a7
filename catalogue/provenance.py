"""Where a record comes from, for the pages that show it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from catalogue.models import Service, SourceRecord


@dataclass(frozen=True)
class Origin:
    """One publisher that has the service, under which licence, and when it last had it."""

    publisher: str
    licence: str
    licence_url: str
    attribution: str
    seen_at: datetime
    changed_at: datetime
    missing_since: datetime | None


def of(service: Service) -> list[Origin]:
    """The publishers of a service, and of the doubles that were merged into it. Empty for what is kept here and nowhere else."""
    records = SourceRecord.objects.filter(Q(service=service) | Q(service__merged_into=service))
    return [
        Origin(
            publisher=record.source.name,
            licence=record.source.licence,
            licence_url=record.source.licence_url,
            attribution=record.source.attribution,
            seen_at=record.last_seen_at,
            changed_at=record.fetched_at,
            missing_since=record.missing_since,
        )
        for record in records.select_related("source").order_by("source__name", "pk")
    ]
