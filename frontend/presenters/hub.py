"""The queue of a hub as its people read it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict

from catalogue.models import User
from core.clock import LONDON
from flow.hubs import queries
from flow.hubs.queries import SHOWN
from flow.hubs.steps import HubMove, HubSide, HubState, moves_open_to
from flow.models import HubEntry, Referral
from flow.pathways.adherence import adherence, helper_name
from flow.pathways.configuration import answered, care_type_names
from frontend.presenters import spreadsheet

_LOOKS = {
    HubState.QUEUED: "waiting", HubState.ACCEPTED: "good", HubState.ASKED: "waiting", HubState.ROUTED: "good", HubState.RETURNED: "bad",
    HubState.WITHDRAWN: "ended",
}  # fmt: skip
#: Of the kinds of care, so many are named in a list.
SHOWN_KINDS = 2
#: The states in the words of those who work at the hub.
HUB_WORDS = {
    HubState.QUEUED: "New", HubState.ACCEPTED: "Find a service", HubState.ASKED: "Asked the sender", HubState.ROUTED: "Sent on",
    HubState.RETURNED: "Returned", HubState.WITHDRAWN: "Withdrawn",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; anything unknown is left out."""

    show: str = "open"
    hub: str = ""
    urgency: str = ""
    pathway: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Filters":
        show, urgency = query.get("show", "open"), query.get("urgency", "")
        return cls(
            show=show if show in SHOWN else "open",
            hub=_id(query.get("hub", "")),
            urgency=urgency if urgency in Referral.Urgency.values else "",
            pathway=_id(query.get("pathway", "")),
        )

    @property
    def asked(self) -> dict[str, str]:
        return {"show": self.show, "hub": self.hub, "urgency": self.urgency, "pathway": self.pathway}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `due` says in words by when, `late` whether that has passed."""

    entry: HubEntry
    name: str
    age: int
    need: str
    words: str
    look: str
    due: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class State:
    """Where an entry is, in the words of those who work at the hub."""

    words: str
    look: str


def state_of(entry: HubEntry, *, again: bool) -> State:
    """`again`: everybody who was asked has said no, or was taken back from."""
    if again:
        return State("Nobody is asked now: ask others", "bad")
    return State(HUB_WORDS[HubState(entry.state)], _LOOKS[HubState(entry.state)])


def lines(entries: Iterable[HubEntry], *, at: datetime) -> list[Line]:
    return [_line(entry, at) for entry in entries]


def _line(entry: HubEntry, at: datetime) -> Line:
    referral = entry.referral
    again = entry.state == HubState.ROUTED and entry.is_stuck  # type: ignore[attr-defined]  # annotated by the queue
    waits = entry.state in HubState.open()
    state = state_of(entry, again=again)
    return Line(
        entry=entry,
        name=referral.patient.full_name,
        age=referral.patient.age_on(at.astimezone(LONDON).date()),
        need=_need(care_type_names(referral.profile.care_types)),
        words=state.words,
        look=state.look,
        due=entry.due_at if waits else None,
        late=waits and entry.due_at < at,
    )


def _need(kinds: list[str]) -> str:
    """A pathway has many kinds of care: the first few say enough in a list."""
    more = len(kinds) - SHOWN_KINDS
    return f"{', '.join(kinds[:SHOWN_KINDS])} or {more} more kinds" if more > 1 else " or ".join(kinds)


def as_csv(entries: Iterable[HubEntry], *, at: datetime) -> Iterator[Any]:
    """The queue for a spreadsheet."""
    header = (
        "Name", "Age", "Postcode", "What is needed", "Urgency", "Pathway", "State", "Answer by", "Late", "Whose", "Hub", "Sent by", "Sent",
    )  # fmt: skip
    found = lines(entries, at=at)
    return spreadsheet.lines(
        header,
        (
            (
                line.name, line.age, line.entry.referral.patient.postcode, line.need, line.entry.referral.get_urgency_display(),
                line.entry.referral.pathway_version.pathway.name if line.entry.referral.pathway_version else "", line.words,
                _stamp(line.due), "late" if line.late else "", str(line.entry.assigned_to or ""), line.entry.hub.name,
                line.entry.referral.organization.name, _stamp(line.entry.queued_at),
            )
            for line in found
        ),
    )  # fmt: skip


def moves(entry: HubEntry, side: HubSide) -> list[HubMove]:
    """The buttons of a side; what is nobody's can be taken, what is somebody's put back."""
    hidden = "take" if entry.assigned_to_id else "put-back"
    return [move for move in moves_open_to(state=entry.state, side=side) if move.action != hidden]


def value(name: str, sent: QueryDict) -> Any:
    """What a button sends along: an id, or words."""
    text = sent.get(name, "")
    if name not in ("user_id", "hub_id", "task_id"):
        return text
    return UUID(_id(text) or UUID(int=0).hex)


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _stamp(moment: datetime | None) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}" if moment else ""


#: What a sender can do with a referral in a hub: what is asked for, and the button.
_SENDER = {
    "answer": ("Your answer. The hub reads it.", "Answer the hub"),
    "send": ("What has changed? The hub reads it.", "Send to the hub again"),
    "withdraw": ("Why? The hub sees the referral no longer.", "Withdraw from the hub"),
}


def sender_parts(referral: Referral, user: User, at: datetime) -> dict[str, Any]:
    """What the page of a referral shows of a hub and of its pathway."""
    parts: dict[str, Any] = {
        "answers": answered(referral.pathway_version, referral.pathway_answers, known=True),
        "adherence": adherence(referral, at),
        "helper": helper_name(referral),
        "standing": None,
    }
    if getattr(referral, "hub_entry", None) is None:
        return parts
    standing = queries.standing(referral)
    mine = referral.organization_id == user.organization_id
    open_to = {move.action.value for move in moves_open_to(state=standing.entry.state, side=HubSide.SENDER)} if standing and mine else set()
    return parts | {"standing": standing, "hub_moves": {name: words for name, words in _SENDER.items() if name in open_to}}
