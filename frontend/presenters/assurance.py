"""The curator's list of records to check, in words and as a file."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import localdate

from catalogue import assurance_queue
from catalogue.assurance_queue import Show
from catalogue.models import AssuranceLink, NoLetters, Service
from frontend.environment import day
from frontend.presenters.spreadsheet import inert

COLUMNS = (
    "Service", "Organisation", "Kind", "Source", "Last checked", "By", "Due", "Days overdue", "Letters go to", "No letters because",
    "Phone", "Last asked", "Answer", "Open reports", "Told to be closed", "Id",
)  # fmt: skip
_ROWS_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to look at records, how many there are, and whether it is the one shown."""

    value: str
    label: str
    count: int
    chosen: bool


def counts(found: Mapping[str, int], *, chosen: str) -> list[Reason]:
    return [Reason(show.value, str(show.label), found[show.value], show.value == chosen) for show in Show]


def outcome(link: AssuranceLink | None) -> str:
    """What became of a letter, in words."""
    if link is None:
        return ""
    if link.answer:
        return AssuranceLink.Answer(link.answer).label
    if link.bounced_at:
        return "Mail came back"
    return "Link taken back" if link.revoked_at else "No answer"


def silence(row: NoLetters | None) -> str:
    """Why an owner gets no letters: `"Mail came back on 3 May 2026 (5.1.1)"`."""
    if row is None:
        return ""
    on = day(localdate(row.since))
    if row.why == NoLetters.Why.BOUNCED:
        return f"Mail came back on {on}" + (f" ({row.code})" if row.code else "")
    return f"The owner stopped {'letters about this' if row.service_id else 'all letters'} on {on}"


def write_csv(out: Any, found: QuerySet[Service], *, at: datetime) -> None:
    """All records of a list, a thousand at a time."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), _ROWS_AT_A_TIME):
        services = {service.pk: service for service in found.filter(pk__in=ids[start : start + _ROWS_AT_A_TIME])}
        for line in assurance_queue.lines(services.values(), at=at):
            writer.writerow([inert(value) for value in _row(line)])


def _row(line: assurance_queue.Line) -> tuple[Any, ...]:
    service = line.service
    return (
        service.name,
        service.organization.name,
        service.care_type.name if service.care_type else "",
        service.source,
        service.assured_date or "",
        service.assured_by,
        line.due or "",
        "" if line.days_late is None else line.days_late,
        line.address,
        silence(line.no_letters),
        line.phone,
        line.asked.created_at.date() if line.asked else "",
        outcome(line.asked),
        len(line.reports),
        "yes" if line.told_closed else "",
        service.pk,
    )
