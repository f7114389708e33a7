"""How sources are: what curators see of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q

from catalogue.currency import ASSURANCE_LASTS
from catalogue.models import ImportRun, Service, Source, SourceRecord

Figures = dict[Any, dict[str, Any]]


@dataclass(frozen=True)
class Health:
    """One source with its figures."""

    source: Source
    last: ImportRun | None
    """The newest run, which may still be going on."""
    good: ImportRun | None
    """The newest that ended well."""
    records: int
    """Services that it has."""
    missing: int
    """Services that it had, and did not have the last time."""
    current: int
    """Active services of it that were checked within the time that a check lasts."""
    active: int

    @property
    def currency(self) -> int | None:
        """Per cent of its active services that were checked lately; None when it has none."""
        return round(100 * self.current / self.active) if self.active else None

    @property
    def needs_care(self) -> bool:
        return self.source.is_active and bool(self.source.failures)


def health(sources: Iterable[Source], *, today: date) -> list[Health]:
    """The figures of these sources, in their order, by four statements."""
    sources = list(sources)
    keys = [source.pk for source in sources]
    newest = {run.feed_id: run for run in _newest(keys)}
    good = {run.feed_id: run for run in _newest(keys, status=ImportRun.Status.DONE)}
    gone = Q(missing_since__isnull=False)
    records: Figures = {
        row["source"]: dict(row)
        for row in SourceRecord.objects.filter(source__in=keys, kind=SourceRecord.Kind.SERVICE)
        .values("source")
        .annotate(here=Count("pk", filter=~gone), gone=Count("pk", filter=gone))
        .order_by()
    }
    lately = Q(assured_date__gte=today - ASSURANCE_LASTS)
    services: Figures = {
        row["source"]: dict(row)
        for row in Service.objects.filter(source__in=[source.name for source in sources], status=Service.Status.ACTIVE, merged_into=None)
        .values("source")
        .annotate(active=Count("pk"), current=Count("pk", filter=lately))
        .order_by()
    }
    return [
        Health(
            source=source,
            last=newest.get(source.pk),
            good=good.get(source.pk),
            records=records.get(source.pk, {}).get("here", 0),
            missing=records.get(source.pk, {}).get("gone", 0),
            current=services.get(source.name, {}).get("current", 0),
            active=services.get(source.name, {}).get("active", 0),
        )
        for source in sources
    ]


def _newest(keys: list, **only: str) -> Iterable[ImportRun]:
    return ImportRun.objects.filter(feed__in=keys, **only).order_by("feed_id", "-started_at").distinct("feed_id")
