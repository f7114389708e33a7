"""The referral's states and steps: data that screens, API, FHIR mapping and tests all read.

Source: the referral-task transitions of HL7 SDOH Clinical Care 3.0, with `received` and `ready` left out.
"""

from dataclasses import dataclass

from django.db.models import TextChoices

from core.errors import Conflict, NotAllowed


class Status(TextChoices):
    """FHIR Task status codes, with the words that a small charity reads."""

    DRAFT = "draft", "Not sent yet"
    REQUESTED = "requested", "New – please respond"
    ACCEPTED = "accepted", "We’ll help"
    REJECTED = "rejected", "We can’t take this"
    IN_PROGRESS = "in-progress", "Support started"
    ON_HOLD = "on-hold", "Paused"
    COMPLETED = "completed", "Finished"
    FAILED = "failed", "Started but couldn’t finish"
    CANCELLED = "cancelled", "Withdrawn"
    ENTERED_IN_ERROR = "entered-in-error", "Sent by mistake"

    @classmethod
    def open(cls) -> list[str]:
        """Not yet at an end."""
        return [cls.REQUESTED, cls.ACCEPTED, cls.IN_PROGRESS, cls.ON_HOLD]

    @classmethod
    def known_to_provider(cls) -> list[str]:
        """The provider has taken the person on and may know who it is."""
        return [cls.ACCEPTED, cls.IN_PROGRESS, cls.ON_HOLD, cls.COMPLETED, cls.FAILED]

    @classmethod
    def taken_on(cls) -> list[str]:
        """Counts as one of the yeses that are wanted."""
        return [cls.ACCEPTED, cls.IN_PROGRESS, cls.ON_HOLD, cls.COMPLETED]


#: What a referrer reads for the same states.
REFERRER_WORDS: dict[str, str] = {
    Status.DRAFT: "Not sent yet",
    Status.REQUESTED: "Waiting for an answer",
    Status.ACCEPTED: "Accepted",
    Status.REJECTED: "Declined",
    Status.IN_PROGRESS: "Support started",
    Status.ON_HOLD: "Paused",
    Status.COMPLETED: "Finished",
    Status.FAILED: "Could not finish",
    Status.CANCELLED: "Withdrawn",
    Status.ENTERED_IN_ERROR: "Sent by mistake",
}


class Side(TextChoices):
    REFERRER = "referrer", "Referrer"
    PROVIDER = "provider", "Provider"
    SYSTEM = "system", "Lune"


class Action(TextChoices):
    SEND = "send", "Send"
    ACCEPT = "accept", "Accept"
    DECLINE = "decline", "Decline"
    WITHDRAW = "withdraw", "Withdraw"
    START = "start", "Start support"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    COMPLETE = "complete", "Finish"
    FAIL = "fail", "Could not finish"
    RETRACT = "retract", "Sent by mistake"


class Reason(TextChoices):
    """Why a provider cannot take somebody: BaRS rejection codes (dos-rejected-reasons-bars)."""

    CAPACITY = "22", "No place"
    NOT_APPROPRIATE = "23", "Needs we cannot meet safely"
    NOT_ELIGIBLE = "40", "Not eligible for our service"
    DISTANCE = "42", "Too far away"
    TRANSPORT = "21", "Transport"
    PATIENT_CHOICE = "26", "The person chose otherwise"
    UNCONTACTABLE = "27", "Could not reach the person"
    SERVICE_DECLINED = "24", "Declined by the service"
    OTHER = "99", "Another reason"


@dataclass(frozen=True, slots=True)
class Step:
    """One allowed step. `sides` may take it; `needs_reason` says that words are required."""

    action: Action
    sources: frozenset[Status]
    target: Status
    sides: frozenset[Side]
    needs_reason: bool = False
    label: str = ""


_S, _A, _BOTH = Status, Action, frozenset({Side.REFERRER, Side.PROVIDER, Side.SYSTEM})
_PROVIDER, _REFERRER, _ASKING = frozenset({Side.PROVIDER}), frozenset({Side.REFERRER}), frozenset({Side.REFERRER, Side.SYSTEM})

STEPS: tuple[Step, ...] = (
    # Lune sends only what a person put in a list, or what a rule that a person switched on takes from the list of matches.
    Step(_A.SEND, frozenset({_S.DRAFT}), _S.REQUESTED, _ASKING, label="Send"),
    Step(_A.ACCEPT, frozenset({_S.REQUESTED}), _S.ACCEPTED, _PROVIDER, label="Yes, we’ll help"),
    Step(_A.DECLINE, frozenset({_S.REQUESTED}), _S.REJECTED, _PROVIDER, needs_reason=True, label="No, we can’t"),
    Step(
        _A.WITHDRAW,
        frozenset({_S.REQUESTED, _S.ACCEPTED, _S.IN_PROGRESS, _S.ON_HOLD}),
        _S.CANCELLED,
        _BOTH,
        needs_reason=True,
        label="Withdraw",
    ),
    Step(_A.START, frozenset({_S.ACCEPTED}), _S.IN_PROGRESS, _PROVIDER, label="Support has started"),
    Step(_A.PAUSE, frozenset({_S.ACCEPTED, _S.IN_PROGRESS}), _S.ON_HOLD, _PROVIDER, needs_reason=True, label="Pause"),
    Step(_A.RESUME, frozenset({_S.ON_HOLD}), _S.IN_PROGRESS, _PROVIDER, label="Resume"),
    Step(
        _A.COMPLETE,
        frozenset({_S.ACCEPTED, _S.IN_PROGRESS, _S.ON_HOLD}),
        _S.COMPLETED,
        _PROVIDER,
        label="Support is finished",
    ),
    Step(
        _A.FAIL,
        frozenset({_S.ACCEPTED, _S.IN_PROGRESS, _S.ON_HOLD}),
        _S.FAILED,
        _PROVIDER,
        needs_reason=True,
        label="We could not finish",
    ),
    Step(
        _A.RETRACT,
        frozenset(s for s in Status if s != _S.ENTERED_IN_ERROR),
        _S.ENTERED_IN_ERROR,
        _REFERRER,
        needs_reason=True,
        label="Sent by mistake",
    ),
)
BY_ACTION: dict[str, Step] = {step.action: step for step in STEPS}


def step(action: str, *, status: str, side: str | None) -> Step:
    """The step that `action` means here.

    Raises NotAllowed when this side may never take it, Conflict (`moved-on`) when the status no longer allows it.
    """
    found = BY_ACTION[action]
    if side not in found.sides:
        raise NotAllowed(f"“{found.label}” is for the {' or '.join(sorted(s.label.lower() for s in found.sides))}.")
    if status not in found.sources:
        raise Conflict(f"This referral is now “{REFERRER_WORDS[status]}”, so “{found.label}” is no longer possible.", code="moved-on")
    return found


def steps_open_to(*, status: str, side: str | None) -> list[Step]:
    """The buttons to show: steps that this side can take from this status."""
    return [s for s in STEPS if side in s.sides and status in s.sources]
