"""The worklist as a page or a file: filters from its address, order, columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict

from catalogue.models import User
from core.clock import local_date
from flow.models import Batch, Episode, Team
from flow.workflow import REFERRER_WORDS, Status
from flow.worklist.lines import NO_STAY, NOBODY_ASKED, Line, Move, Show, Wanted, lines
from frontend.presenters.spreadsheet import lines as file_lines

#: In an address: no delay recorded.
NO_DELAY = "none"
SHOWN = [
    ("", "All that is not over"),
    (Show.WAITING, "People who wait"),
    (Show.SENT, "Referrals sent"),
    (Show.ENDED, "Ended in the last 90 days"),
]
KINDS = [
    ("", "Anywhere"),
    (Episode.Kind.HOSPITAL, "In hospital"),
    (Episode.Kind.COMMUNITY, "In the community"),
    (NO_STAY, "No stay or wait"),
]
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
_OF_INTEREST = (
    Status.REQUESTED, Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.REJECTED, Status.CANCELLED, Status.COMPLETED,
    Status.FAILED,
)  # fmt: skip
ASKED = [("", "All"), (NOBODY_ASKED, "Nobody asked yet"), *((status.value, REFERRER_WORDS[status]) for status in _OF_INTEREST)]
MOVES = [("", "Anybody’s"), (Move.OURS, "Ours"), (Move.THEIRS, "The service’s or hub’s"), (Move.NOBODY, "Nobody’s")]
MOVE_WORDS = {Move.OURS: "Yours", Move.THEIRS: "Theirs", Move.NOBODY: "Nobody’s"}
LATE = [("", "Late or not"), ("yes", "Late")]
_ORDERS: dict[str, Any] = {
    "name": lambda line: (line.family_name.lower(), line.name.lower()),
    "pathway": lambda line: line.pathway,
    "days": lambda line: -line.since.timestamp(),
    "ward": lambda line: line.ward.lower(),
    "status": lambda line: line.status_words,
    "expected": lambda line: str(line.expected_on or "9"),
}
#: Longest wait first, unless somebody says otherwise.
USUAL_ORDER = "-days"
#: What is kept of an address in a saved view. Never `named`: whom somebody looked for is nobody else's business.
KEPT = ("show", "kind", "pathway", "delay", "ward", "status", "move", "overdue", "days", "team", "sort")
#: What a referrer may do to many lines.
ACTIONS = (Batch.Action.WITHDRAW, Batch.Action.DELAY, Batch.Action.EXPECTED, Batch.Action.ASSIGN, Batch.Action.FOLLOW_UP)


@dataclass(frozen=True)
class Filters:
    """What the address asks for. An unknown value counts as not asked."""

    show: str = ""
    kind: str = ""
    pathway: str = ""
    delay: str = ""
    ward: str = ""
    status: str = ""
    move: str = ""
    overdue: str = ""
    days: str = ""
    team: str = ""
    sort: str = USUAL_ORDER
    words: str = ""

    @classmethod
    def of(cls, query: QueryDict, words: str = "") -> "Filters":
        """`words` is whom somebody looks for: it does not stand in the address, which only says that there is such a search."""

        def one_of(name: str, options: Iterable[tuple[Any, Any]]) -> str:
            return query.get(name, "") if query.get(name, "") in {value for value, _ in options} else ""

        sort = query.get("sort", "")
        return cls(
            show=one_of("show", SHOWN),
            kind=one_of("kind", KINDS),
            pathway=one_of("pathway", PATHWAYS),
            delay=one_of("delay", DELAYS),
            ward=query.get("ward", "")[:60].replace("\0", ""),
            status=one_of("status", ASKED),
            move=one_of("move", MOVES),
            overdue=one_of("overdue", LATE),
            days=one_of("days", DAYS),
            team=query.get("team", "") if _uuid(query.get("team", "")) else "",
            sort=sort if sort.removeprefix("-") in _ORDERS else USUAL_ORDER,
            words=words if query.get("named") else "",
        )

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            show=self.show,
            kind=self.kind,
            pathway=self.pathway,
            delay=None if not self.delay else "" if self.delay == NO_DELAY else self.delay,
            ward=self.ward,
            status=self.status,
            move=self.move,
            overdue=bool(self.overdue),
            days=int(self.days or 0),
            team=_uuid(self.team),
            words=self.words,
        )

    @property
    def is_filtered(self) -> bool:
        return replace(self, sort=USUAL_ORDER) != Filters()


def kept(query: QueryDict) -> str:
    """Filters and order of an address, as a saved view keeps them: only what is understood, and only what says something."""
    filters = Filters.of(query)
    said = QueryDict(mutable=True)
    for name in KEPT:
        value = getattr(filters, name)
        if value and (name, value) != ("sort", USUAL_ORDER):
            said[name] = value
    return said.urlencode()


def found(user: User, at: datetime, filters: Filters) -> list[Line]:
    """The lines that fit, in order."""
    return sorted(lines(user, at, filters.wanted), key=_ORDERS[filters.sort.removeprefix("-")], reverse=filters.sort.startswith("-"))


def choices(teams: Iterable[Team], filters: Filters) -> dict[str, list[tuple[str, str]]]:
    """What each filter offers."""
    of_teams = [("", "Any team"), *((str(team.pk), team.name) for team in teams)]
    return {
        "show": SHOWN, "kind": KINDS, "pathway": PATHWAYS, "delay": DELAYS, "days": DAYS, "status": ASKED, "move": MOVES,
        "overdue": LATE, "team": of_teams if len(of_teams) > 1 or filters.team else [],
    }  # fmt: skip


COLUMNS = (
    "Name", "Age", "Where", "Pathway", "Ward", "Waiting since", "Days", "Waiting for", "Expected on", "Status", "Whose move",
    "Late", "Services", "Services asked", "Declined",
)  # fmt: skip


def as_csv(rows: Iterable[Line]) -> Iterator[Any]:
    """The list as a spreadsheet opens it."""
    return file_lines(
        COLUMNS,
        (
            (
                line.name, line.age, dict(KINDS)[line.kind or NO_STAY], line.pathway, line.ward, local_date(line.since).isoformat(),
                line.days, line.delay, line.expected_on.isoformat() if line.expected_on else "", line.status_words, MOVE_WORDS[line.move],
                "yes" if line.is_overdue else "", "; ".join(line.services), line.asked, line.declined,
            )
            for line in rows
        ),
    )  # fmt: skip


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
