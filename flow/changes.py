"""What was changed of a sent referral, in words: for the side that sent it, and for a service that was asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from flow.models import Referral, ReferralChange, ReferralTask
from flow.workflow import Status


@dataclass(frozen=True, slots=True)
class Changed:
    """One change for its reader. `why` is empty for whoever has not said yes: it is typed freely, and may name somebody."""

    at: datetime
    words: tuple[str, ...]
    why: str


def of_referral(referral: Referral) -> list[ReferralChange]:
    """Every change, oldest first."""
    return list(ReferralChange.objects.filter(referral=referral).select_related("organization").order_by("number"))


def since(task: ReferralTask) -> list[Changed]:
    """What has been changed since this service said yes, or, while it has not, since it was asked; newest first."""
    known = task.status in Status.known_to_provider()
    began = task.answered_at if known else task.requested_at
    if began is None or not (known or task.status == Status.REQUESTED):
        return []
    rows = ReferralChange.objects.filter(referral=task.referral_id, at__gt=began).order_by("-number")
    return [Changed(row.at, tuple(to_a_service(row)), row.why if known else "") for row in rows]


def to_a_service(change: ReferralChange) -> Iterator[str]:
    """What is other than it was. What the reason said before is not told: it may have been about somebody else."""
    yield from _plain(change)
    if change.answer_within != change.answer_within_before:
        yield "The time to answer is changed"
    if change.rewrites:
        yield "What the team wrote about the person is changed"


def to_the_sender(change: ReferralChange) -> Iterator[str]:
    """The same with what it was before, the words too."""
    yield from _plain(change)
    if change.answer_within != change.answer_within_before:
        yield f"Time to answer: {_term(change.answer_within)} (before: {_term(change.answer_within_before)})"
    if change.rewrites:
        before = f"What the service should know, which was: “{change.reason_before}”"
        yield before if change.reason_before else "What the service should know, which was empty"


def _plain(change: ReferralChange) -> Iterator[str]:
    if change.urgency != change.urgency_before:
        yield f"{change.get_urgency_display()} (before: {change.get_urgency_before_display().lower()})"
    if change.needed_by != change.needed_by_before:
        yield f"Needed by {_day(change.needed_by)} (before: {_day(change.needed_by_before)})"


def _day(day: date | None) -> str:
    return f"{day:%-d %B %Y}" if day else "no day"


def _term(minutes: int | None) -> str:
    if minutes is None:
        return "as the urgency says"
    hours, rest = divmod(minutes, 60)
    return f"{hours} hour{'' if hours == 1 else 's'}" if not rest else f"{minutes} minutes"
