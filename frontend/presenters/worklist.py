"""The worklist as a page or a file: filters from its address, order, columns."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from django.http import QueryDict

from catalogue.models import User
from flow.models import Episode
from flow.queries import WorklistLine, worklist
from flow.workflow import REFERRER_WORDS, Status
from frontend.presenters.spreadsheet import inert

#: In an address: no delay recorded.
NO_DELAY = "none"
PATHWAYS = [("", "All pathways"), *Episode.Pathway.choices]
DELAYS = [("", "All reasons"), *((code or NO_DELAY, words) for code, words in Episode.DelayReason.choices)]
DAYS = [
    ("", "Any time"),
    ("1", "A day or more"),
    ("3", "3 days or more"),
    ("7", "A week or more"),
    ("14", "2 weeks or more"),
    ("21", "3 weeks or more"),
]
ASKED = [
    ("", "All"),
    ("none", "Nobody asked yet"),
    *((status, REFERRER_WORDS[status]) for status in (Status.REQUESTED, Status.ACCEPTED, Status.REJECTED, Status.CANCELLED)),
]
_ORDERS = {
    "name": lambda line: line.name.split()[-1].lower(),
    "pathway": lambda line: line.pathway,
    "days": lambda line: -line.ready_at.timestamp(),
    "ward": lambda line: line.ward.lower(),
}
#: Longest wait first, unless somebody says otherwise.
USUAL_ORDER = "-days"


@dataclass(frozen=True)
class Filters:
    """What the address asks for. An unknown value counts as not asked."""

    pathway: str = ""
    delay: str = ""
    days: str = ""
    status: str = ""
    sort: str = USUAL_ORDER

    @classmethod
    def of(cls, query: QueryDict) -> "Filters":
        def one_of(name: str, options: Iterable[tuple[str, str]]) -> str:
            return query.get(name, "") if query.get(name, "") in {value for value, _ in options} else ""

        sort = query.get("sort", "")
        return cls(
            pathway=one_of("pathway", PATHWAYS),
            delay=one_of("delay", DELAYS),
            days=one_of("days", DAYS),
            status=one_of("status", ASKED),
            sort=sort if sort.removeprefix("-") in _ORDERS else USUAL_ORDER,
        )


def lines(user: User, at: datetime, filters: Filters) -> list[WorklistLine]:
    """People of the user's organisation who wait, filtered and in order."""
    found = worklist(
        user,
        at,
        pathway=filters.pathway,
        delay_reason=None if not filters.delay else "" if filters.delay == NO_DELAY else filters.delay,
        status=filters.status,
    )
    if filters.days:
        found = [line for line in found if line.days_waited >= int(filters.days)]
    return sorted(found, key=_ORDERS[filters.sort.removeprefix("-")], reverse=filters.sort.startswith("-"))


COLUMNS = ("Name", "Age", "Pathway", "Ward", "Waiting since", "Days", "Waiting for", "Status", "Services asked", "Declined")


def as_csv(found: Iterable[WorklistLine]) -> str:
    """The list as a spreadsheet opens it."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in found:
        row = (
            line.name, line.age, line.pathway, line.ward, line.ready_at.date().isoformat(), line.days_waited, line.delay,
            line.status_words, line.asked, line.declined,
        )  # fmt: skip
        writer.writerow([inert(value) for value in row])
    return out.getvalue()
