"""How good the public directory is: how many records, how fresh, how complete; by district and by source, from one statement.

Only what everybody may know of is counted. A service with several places counts in the district of its first; one without a public place
counts as not placed.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from catalogue.currency import ASSURANCE_LASTS
from catalogue.models import Service, Source

#: What a complete record says, in the order in which it is shown: name of the figure and words.
PARTS = (
    ("contact", "Phone or e-mail"),
    ("times", "Times"),
    ("eligibility", "Who it is for"),
    ("cost", "Cost"),
    ("place", "Place"),
    ("kind", "Kind"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The records of one district, of one source, or all."""

    name: str
    """Empty: not placed, or kept here without a source."""
    records: int
    fresh: int
    """Checked within the last three months."""
    overdue: int
    never: int
    median_days: int | None
    """Half of the records that anybody ever checked were checked at most so many days ago."""
    complete: dict[str, int]
    """How many say each of `PARTS`."""

    def share(self, count: int) -> int:
        """A count as whole per cent of the records. Never rounded up to “all” or down to “none”."""
        if not self.records:
            return 0
        share = round(100 * count / self.records)
        if share == 100 and count < self.records:
            return 99
        return 1 if share == 0 and count else share


@dataclass(frozen=True, slots=True)
class Quality:
    everything: Figures
    by_district: list[Figures]
    by_source: list[Figures]
    licences: dict[str, Source]
    """What is known of each publisher, by the name that its records carry."""


_SQL = """
WITH known AS MATERIALIZED ({public}),
placed AS (
    SELECT DISTINCT ON (at.service_id) at.service_id, l.point
    FROM catalogue_serviceatlocation at
    JOIN known ON known.id = at.service_id
    JOIN catalogue_location l ON l.id = at.location_id
    WHERE NOT l.is_confidential AND l.point IS NOT NULL
    ORDER BY at.service_id, at.id
),
district AS MATERIALIZED (
    SELECT DISTINCT ON (placed.service_id) placed.service_id, a.name
    FROM catalogue_area a JOIN placed ON ST_Covers(a.outline, placed.point)
    WHERE a.kind = 'district'
    ORDER BY placed.service_id, a.id
),
record AS (
    SELECT
        coalesce(district.name, '') AS district,
        known.source,
        %(today)s - known.assured_date AS age,
        (known.email <> '' OR EXISTS (SELECT FROM catalogue_phone x WHERE x.service_id = known.id)) AS contact,
        EXISTS (SELECT FROM catalogue_schedule x WHERE x.service_id = known.id) AS times,
        (EXISTS (SELECT FROM catalogue_eligibilitycriterion x WHERE x.service_id = known.id)
            OR EXISTS (SELECT FROM catalogue_eligibility x WHERE x.service_id = known.id
                AND (x.minimum_age IS NOT NULL OR x.maximum_age IS NOT NULL OR x.sex <> '' OR x.notes <> ''))) AS eligibility,
        (known.price_week IS NOT NULL OR EXISTS (SELECT FROM catalogue_costoption x WHERE x.service_id = known.id)) AS cost,
        placed.service_id IS NOT NULL AS place,
        known.care_type_id IS NOT NULL AS kind
    FROM known
    LEFT JOIN placed ON placed.service_id = known.id
    LEFT JOIN district ON district.service_id = known.id
)
SELECT
    grouping(district, source) AS level, district, source, count(*),
    count(*) FILTER (WHERE age <= %(lasts)s), count(*) FILTER (WHERE age > %(lasts)s), count(*) FILTER (WHERE age IS NULL),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY age),
    count(*) FILTER (WHERE contact), count(*) FILTER (WHERE times), count(*) FILTER (WHERE eligibility),
    count(*) FILTER (WHERE cost), count(*) FILTER (WHERE place), count(*) FILTER (WHERE kind)
FROM record GROUP BY GROUPING SETS ((), (district), (source))
ORDER BY level DESC, district = '', district, source = '', source
"""
_ALL, _SOURCE, _DISTRICT = 3, 2, 1


def measure(*, at: datetime) -> Quality:
    """Count and measure every public record, now."""
    public = Service.objects.public().order_by().values("id", "source", "assured_date", "email", "price_week", "care_type_id")
    inner, values = public.query.sql_with_params()
    # Django numbers no parameters: give each a name, so that they can stand among ours.
    named = {f"p{number}": value for number, value in enumerate(values)}
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(public=inner % tuple(f"%({name})s" for name in named)),
            {**named, "today": timezone.localdate(at), "lasts": ASSURANCE_LASTS.days},
        )
        rows = cursor.fetchall()
    found: dict[int, list[Figures]] = {_ALL: [], _SOURCE: [], _DISTRICT: []}
    for level, district, source, records, fresh, overdue, never, median, *complete in rows:
        figures = Figures(
            name=district or source or "",
            records=records,
            fresh=fresh,
            overdue=overdue,
            never=never,
            median_days=None if median is None else round(median),
            complete=dict(zip((key for key, _ in PARTS), complete, strict=True)),
        )
        found[level].append(figures)
    return Quality(
        everything=found[_ALL][0],
        by_district=found[_DISTRICT],
        by_source=found[_SOURCE],
        licences={source.name: source for source in Source.objects.filter(name__in=[figures.name for figures in found[_SOURCE]])},
    )
