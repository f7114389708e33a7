"""Marks of quality: which a service has, whether each still holds, and which a searcher may wish for.

A mark is shown and may be preferred; it never leaves a service out, so that a small one without the means to earn it is still found.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from catalogue.models import QualityMark, Service

#: Marks that a search may prefer. The place of each is its bit in what matching compares: only ever added to, never moved. From which share
#: of the best score the review of an app counts is said in the migration `matching.0007`, which computes that.
WISHES: tuple[tuple[str, str], ...] = (
    ("ncvo", "NCVO Trusted Charity"),
    ("qismet", "QISMET certificate"),
    ("app-review", "An app that a review gave 65% or more"),
    ("cqc", "Rated good or outstanding by the Care Quality Commission"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark, as pages show it."""

    scheme: str
    scheme_name: str
    name: str
    score: str
    """`"82 of 100"`; empty without one."""
    awarded_on: date | None
    expires_on: date | None
    expired: bool
    of_organization: bool
    """It was given to the organisation, not to this service."""
    url: str

    @property
    def words(self) -> str:
        """`"NCVO Trusted Charity level 1, given on 3 March 2025, expired on 2 March 2026"`."""
        parts = [f"{self.name}: {self.score}" if self.score else self.name]
        given = "given to the organisation" if self.of_organization else "given"
        if self.awarded_on:
            parts.append(f"{given} on {_day(self.awarded_on)}")
        elif self.of_organization:
            parts.append(given)
        if self.expires_on:
            parts.append(f"{'expired on' if self.expired else 'valid until'} {_day(self.expires_on)}")
        return ", ".join(parts)


def marks_of(service: Service, *, today: date) -> list[Mark]:
    """What a service and its organisation have earned, those that still hold first; the inspectors' rating is one of them."""
    own = QualityMark.objects.filter(Q(service=service) | Q(organization=service.organization_id))
    marks = [_mark(row, today) for row in own]
    if service.cqc_rating and not any(mark.scheme == QualityMark.Scheme.CQC and not mark.of_organization for mark in marks):
        marks.append(_rating(service))
    return sorted(marks, key=lambda mark: (mark.expired, mark.scheme, -(mark.awarded_on or date.min).toordinal(), mark.name))


def wishes_mask(codes: Iterable[str]) -> int:
    """The mask of several wishes. Raises KeyError for one that there is not."""
    bits = {code: bit for bit, (code, _) in enumerate(WISHES)}
    value = 0
    for code in codes:
        value |= 1 << bits[code]
    return value


def _mark(row: QualityMark, today: date) -> Mark:
    return Mark(
        scheme=row.scheme,
        scheme_name=row.get_scheme_display(),
        name=row.name,
        score="" if row.score is None or row.out_of is None else f"{_number(row.score)} of {_number(row.out_of)}",
        awarded_on=row.awarded_on,
        expires_on=row.expires_on,
        expired=row.expires_on is not None and row.expires_on < today,
        of_organization=row.organization_id is not None,
        url=row.url,
    )


def _rating(service: Service) -> Mark:
    scheme = QualityMark.Scheme.CQC
    return Mark(
        scheme=scheme.value,
        scheme_name=str(scheme.label),
        name=f"Rated {service.get_cqc_rating_display().lower()} by the Care Quality Commission",
        score="",
        awarded_on=service.cqc_rated_on,
        expires_on=None,
        expired=False,
        of_organization=False,
        url="",
    )


def _number(value: Decimal) -> str:
    """`"82"`, `"4.5"`."""
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
