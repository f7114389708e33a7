"""The states and steps of a referral in a hub, as `flow.workflow` has them for a request to a service: data, read by all."""

from dataclasses import dataclass

from django.db.models import TextChoices

from core.errors import Conflict, NotAllowed


class HubState(TextChoices):
    """Where it is, in the words of a sender."""

    QUEUED = "queued", "Waiting at the hub"
    ACCEPTED = "accepted", "The hub is finding a service"
    ASKED = "asked", "The hub has asked you for more"
    ROUTED = "routed", "Sent on to services"
    RETURNED = "returned", "Returned to you"
    WITHDRAWN = "withdrawn", "Withdrawn"

    @classmethod
    def open(cls) -> list[str]:
        """Somebody has still to move."""
        return [cls.QUEUED, cls.ACCEPTED, cls.ASKED]

    @classmethod
    def with_hub(cls) -> list[str]:
        """It is the hub's move."""
        return [cls.QUEUED, cls.ACCEPTED]


class HubSide(TextChoices):
    SENDER = "sender", "Sender"
    HUB = "hub", "Hub"
    SYSTEM = "system", "Lune"


class HubAction(TextChoices):
    SEND = "send", "Send to the hub"
    TAKE = "take", "Take"
    PUT_BACK = "put-back", "Put back"
    ASSIGN = "assign", "Give to a colleague"
    TRIAGE = "triage", "Accept"
    ASK = "ask", "Ask for more"
    ANSWER = "answer", "Answer"
    RETURN = "return", "Return"
    ROUTE = "route", "Send to services"
    TAKE_BACK = "take-back", "Take back from a service"
    PASS_ON = "pass-on", "Pass to another hub"
    WITHDRAW = "withdraw", "Withdraw"
    END = "end", "Nobody is asked any more"


@dataclass(frozen=True, slots=True)
class HubMove:
    """One allowed step. An empty `target` leaves the state as it is."""

    action: HubAction
    sources: frozenset[HubState]
    target: HubState | None
    side: HubSide
    needs_words: bool
    label: str
    done: str
    """What the log says of it."""


_S, _A, _HUB, _SENDER = HubState, HubAction, HubSide.HUB, HubSide.SENDER
_LIVE = frozenset({_S.QUEUED, _S.ACCEPTED, _S.ASKED, _S.ROUTED})

MOVES: tuple[HubMove, ...] = (
    HubMove(_A.SEND, frozenset({_S.RETURNED}), _S.QUEUED, _SENDER, False, "Send to the hub again", "Sent to the hub"),
    HubMove(_A.TAKE, _LIVE, None, _HUB, False, "Assign to me", "Taken"),
    HubMove(_A.PUT_BACK, _LIVE, None, _HUB, False, "Put back in the queue", "Put back in the queue"),
    HubMove(_A.ASSIGN, _LIVE, None, _HUB, False, "Give to a colleague", "Given to a colleague"),
    HubMove(_A.TRIAGE, frozenset({_S.QUEUED, _S.ASKED}), _S.ACCEPTED, _HUB, False, "Accept into the hub", "Accepted by the hub"),
    HubMove(_A.ASK, frozenset({_S.QUEUED, _S.ACCEPTED}), _S.ASKED, _HUB, True, "Ask the sender for more", "The hub asked for more"),
    HubMove(_A.ANSWER, frozenset({_S.ASKED}), _S.QUEUED, _SENDER, True, "Answer the hub", "The sender answered"),
    HubMove(_A.RETURN, frozenset({_S.QUEUED, _S.ACCEPTED, _S.ASKED}), _S.RETURNED, _HUB, True, "Return to the sender", "Returned"),
    # Again from `routed`: when services have declined, the hub asks others.
    HubMove(_A.ROUTE, frozenset({_S.ACCEPTED, _S.ROUTED}), _S.ROUTED, _HUB, False, "Send to services", "Sent on to services"),
    # What the sender may do itself, the hub does on its behalf; when nobody is left who was asked, it is the hub's move again.
    HubMove(_A.TAKE_BACK, frozenset({_S.ROUTED}), None, _HUB, True, "Take back from this service", "The hub took back the request"),
    HubMove(
        _A.PASS_ON, frozenset({_S.QUEUED, _S.ACCEPTED}), _S.QUEUED, _HUB, True, "Pass to another hub", "Passed to another hub"
    ),
    HubMove(
        _A.WITHDRAW, frozenset({_S.QUEUED, _S.ACCEPTED, _S.ASKED, _S.RETURNED}), _S.WITHDRAWN, _SENDER, True, "Withdraw", "Withdrawn"
    ),
    # Of itself, once the sender has taken back all that the hub had sent on, or needs no more: there is nothing left to do there.
    HubMove(_A.END, frozenset({_S.ROUTED}), _S.WITHDRAWN, HubSide.SYSTEM, True, "Close", "Closed, because nobody is asked any more"),
)  # fmt: skip
BY_ACTION: dict[str, HubMove] = {move.action: move for move in MOVES}

#: Whose move it is in each state. Of what was sent on it is the services', by `flow.workflow`.
WHOSE_MOVE: dict[str, str] = {
    _S.QUEUED: "The hub",
    _S.ACCEPTED: "The hub",
    _S.ASKED: "You",
    _S.ROUTED: "The services asked",
    _S.RETURNED: "You",
    _S.WITHDRAWN: "",
}


def move(action: str, *, state: str, side: str) -> HubMove:
    """The step that `action` means here. Raises NotAllowed for the other side, and Conflict (`moved-on`) when it has moved on."""
    found = BY_ACTION[action]
    if side != found.side:
        raise NotAllowed(f"“{found.label}” is for the {found.side.label.lower()}.")
    if state not in found.sources:
        raise Conflict(f"This referral is now “{HubState(state).label}”, so “{found.label}” is no longer possible.", code="moved-on")
    return found


def moves_open_to(*, state: str, side: str) -> list[HubMove]:
    """The buttons to show."""
    return [found for found in MOVES if found.side == side and state in found.sources]
