"""What became of the messages by which a provider was asked, in words."""

from dataclasses import dataclass

from capacity import demand
from capacity.models import Ask, AskingPreference
from frontend.environment import ago


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: when, why, and how it ended."""

    ask: Ask
    why: str
    outcome: str
    is_trouble: bool


def asked(ask: Ask) -> Asked:
    """One line of the history."""
    why = " ".join(filter(None, [f"{ask.get_why_display()}.", demand.words(ask.waiting_near)]))
    if ask.failed_at:
        return Asked(ask, why, f"Not delivered. {ask.failed_because}".strip(), True)
    if ask.answered_at:
        return Asked(ask, why, "Answered", False)
    return Asked(ask, why, "Sent, no answer yet" if ask.sent_at else "Waiting to be sent", False)


def state(preference: AskingPreference | None) -> str:
    """How things stand with one service, in a few words."""
    if preference is None:
        return "Not asked"
    if preference.stopped_at:
        return f"Stopped {ago(preference.stopped_at)}"
    if preference.confirmed_at is None:
        return "Address not confirmed yet"
    return f"Asked by {preference.get_channel_display().lower()}"
