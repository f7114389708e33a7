"""Referrals as the provider that was asked reads them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from capacity.models import CapacityStatus
from capacity.queries import PoolState
from catalogue.models import User
from flow.fit import Change
from flow.models import Batch, Referral, Transition
from flow.moves import AWAITED
from flow.queries import AnonymisedProfile, ProviderView
from flow.workflow import Action, Status, Step
from frontend.environment import plural

#: The parts of the inbox: the word of the address, the heading, the states in it.
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "new": ("New", (Status.REQUESTED,)),
    "helping": ("We’re helping", (Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD)),
    "move": ("Your move", AWAITED),
    "late": ("Late", (Status.REQUESTED, Status.ACCEPTED)),
    "ended": ("Ended", (Status.COMPLETED, Status.FAILED, Status.REJECTED, Status.CANCELLED)),
}
#: Of this part only those whose deadline has passed; how many these are is counted by itself, under its own key.
LATE = "late"
#: What may be done to many at once, such as those of one session: never a yes or a no, for each of these is about one person.
BULK: dict[str, list[tuple[str, str]]] = {
    "helping": [(each.value, str(each.label)) for each in (Batch.Action.START, Batch.Action.COMPLETE)],
}
#: Which look of `.lune-status` a state has.
LOOKS = {
    Status.REQUESTED: "waiting",
    Status.ACCEPTED: "good",
    Status.IN_PROGRESS: "good",
    Status.ON_HOLD: "waiting",
    Status.FAILED: "bad",
}
#: Steps that one press takes. The others ask for a reason, or for a second look, on a page of their own.
ONE_PRESS = frozenset({Action.ACCEPT, Action.START, Action.RESUME})
#: What usually comes next comes first.
ORDER = (
    Action.ACCEPT, Action.START, Action.RESUME, Action.COMPLETE, Action.DECLINE, Action.PAUSE, Action.FAIL, Action.WITHDRAW,
)  # fmt: skip
#: What the next page says when a step was taken.
DONE = {
    Action.ACCEPT: "You said yes. The team has been told, and the other services asked need do nothing. You can now see who it is.",
    Action.DECLINE: "You said no. The team has been told why.",
    Action.WITHDRAW: "Your yes is taken back, and the team has been told.",
    Action.START: "Support has started. The team has been told.",
    Action.PAUSE: "Support is paused. The team has been told why.",
    Action.RESUME: "Support goes on. The team has been told.",
    Action.COMPLETE: "Support is finished. If a place is free again, tell us on “Our places”.",
    Action.FAIL: "Recorded. The team has been told why, and can look for another service.",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the inbox, for the row of choices at its top."""

    key: str
    label: str
    count: int
    current: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One request in the list. `due` is empty when no answer is awaited."""

    profile: AnonymisedProfile
    title: str
    needs: str
    look: str
    due: str
    urgent: bool
    room: str = ""
    """Of a new request: that nothing is to offer; empty when there is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One button of a referral. `at_once`: it acts when pressed; otherwise it opens a page that asks first."""

    step: Step
    at_once: bool
    main: bool


def parts(counts: dict[str, int], chosen: str) -> list[Part]:
    """The parts with their numbers, from a count of each status and of what is late."""
    return [
        Part(
            key=key,
            label=label,
            count=counts.get(LATE, 0) if key == LATE else sum(counts.get(status, 0) for status in statuses),
            current=key == chosen,
        )
        for key, (label, statuses) in PARTS.items()
    ]


def look(status: str) -> str:
    return LOOKS.get(Status(status), "ended")


def due(profile: AnonymisedProfile, at: datetime, *, late: bool = False) -> str:
    """When an answer is due, in words; empty when none is awaited. `late`: the deadline of the next step is known to have passed."""
    if late and profile.status == Status.ACCEPTED:
        return "Support should have begun by now."
    if profile.status != Status.REQUESTED or profile.respond_by is None:
        return ""
    minutes = int((profile.respond_by - at).total_seconds() // 60)
    if minutes < 0:
        return "An answer is overdue."
    if minutes < 60:
        return f"Please answer within {plural(minutes or 1, 'minute')}."
    return f"Please answer within {plural(minutes // 60, 'hour')}."


def title(profile: AnonymisedProfile) -> str:
    """The person in a line, with nothing that names them: "Female, 80–84, near PR1"."""
    return f"{profile.sex or 'Person'}, {profile.age_band}, near {profile.outcode}"


def room(profile: AnonymisedProfile, state: PoolState | None) -> str:
    """Why a yes needs thought: "0 to offer, 2 held"; empty when a place is there, or nobody told how many are."""
    if state is None or state.available is None or has_place(profile, state):
        return ""
    if state.status == CapacityStatus.NO_CAPACITY:
        return "You say that you take nobody now"
    return "0 to offer" + (f", {state.held} held" if state.held else "")


def lines(
    profiles: Iterable[AnonymisedProfile], *, at: datetime, states: Mapping[UUID, PoolState] | None = None, late: bool = False
) -> list[Line]:
    """`states`: of the places asked for, as far as they are to be told."""
    return [
        Line(
            profile=profile,
            title=title(profile),
            needs=", ".join(dict.fromkeys((*profile.must_haves, *profile.needs))),
            look=look(profile.status),
            due=due(profile, at, late=late),
            urgent=profile.urgency == Referral.Urgency.URGENT and profile.status == Status.REQUESTED,
            room=room(profile, (states or {}).get(profile.pool)),
        )
        for profile in profiles
    ]


def has_place(profile: AnonymisedProfile, state: PoolState) -> bool:
    """True when a place for this person is known to be there: kept for them, or free, or no number is counted down."""
    if profile.held_until is not None or state.status == CapacityStatus.WAITLIST:
        return True
    return bool(state.free) and state.status != CapacityStatus.NO_CAPACITY


def choices(profile: AnonymisedProfile, steps: Iterable[Step], state: PoolState, changes: Iterable[Change] = ()) -> list[Choice]:
    """The buttons; the first is what usually comes next. A yes to something that has changed is asked about first."""
    confirm = any(change.to_confirm for change in changes)
    # Before an answer “No” says the same as “Withdraw”, and says why.
    offered = [step for step in steps if not (step.action == Action.WITHDRAW and profile.status == Status.REQUESTED)]
    offered.sort(key=lambda step: ORDER.index(step.action))
    return [
        Choice(
            step=step,
            at_once=step.action in ONE_PRESS and (step.action != Action.ACCEPT or (has_place(profile, state) and not confirm)),
            main=number == 0,
        )
        for number, step in enumerate(offered)
    ]


def readable_by(user: User, view: ProviderView) -> Callable[[Transition], bool]:
    """Whether a step has words that a provider may read: before its yes only its own and Lune's, as a sender's may name the person."""

    def readable(row: Transition) -> bool:
        return bool(row.reason_text) and (view.identity is not None or row.organization_id in (None, user.organization_id))

    return readable
