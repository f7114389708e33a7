"""Requests that people made for themselves, as those who run the service read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from catalogue.lexicon import name_of
from catalogue.models.taxonomy import NEED
from core.clock import local_date
from flow.models import SelfReferral
from frontend.environment import plural

from .inbox import Part

_State = SelfReferral.State
#: The parts of the list: the word of the address, the heading, the states in it.
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("To answer", (_State.RECEIVED, _State.ASKED)),
    "accepted": ("We said yes", (_State.ACCEPTED,)),
    "ended": ("Ended", (_State.DECLINED, _State.WITHDRAWN, _State.DOUBLE)),
}
#: Which look of `.lune-status` a state has.
LOOKS: dict[str, str] = {
    _State.RECEIVED: "waiting", _State.ASKED: "waiting", _State.ACCEPTED: "good", _State.DECLINED: "ended", _State.WITHDRAWN: "ended",
    _State.DOUBLE: "ended",
}  # fmt: skip
#: After so many days without an answer the list says how long somebody has waited.
SLOW_DAYS = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One request in the list."""

    request: SelfReferral
    title: str
    needs: str
    look: str
    due: str
    alike: bool


def parts(counts: dict[str, int], chosen: str) -> list[Part]:
    """The parts with their numbers, from a count of each state."""
    return [
        Part(key=key, label=label, count=sum(counts.get(state, 0) for state in states), current=key == chosen)
        for key, (label, states) in PARTS.items()
    ]


def age_of(request: SelfReferral) -> str:
    """“67 years old”, and the date of birth if it was given."""
    if request.birth_date is None:
        return f"{plural(request.age, 'year')} old, as they say"
    born, sent = request.birth_date, local_date(request.sent_at or request.created_at)
    age = sent.year - born.year - ((sent.month, sent.day) < (born.month, born.day))
    return f"{plural(age, 'year')} old, born {born:%-d %B %Y}"


def needs_of(request: SelfReferral) -> list[str]:
    return [name_of(NEED, code) for code in request.needs]


def telephone(request: SelfReferral) -> str:
    """The number as people in the country write it: 07700 900123."""
    if not request.phone:
        return ""
    try:
        return phonenumbers.format_number(phonenumbers.parse(request.phone, "GB"), phonenumbers.PhoneNumberFormat.NATIONAL)
    except phonenumbers.NumberParseException:
        return request.phone


def due(request: SelfReferral, at: datetime) -> str:
    """How long somebody has waited for an answer; empty while that is not long."""
    if request.state != _State.RECEIVED:
        return ""
    days = (at - request.changed_at).days
    return f"Has waited {plural(days, 'day')} for you." if days >= SLOW_DAYS else ""


def consents(request: SelfReferral) -> list[tuple[str, datetime | None]]:
    """What the person agreed to, and when."""
    return [
        ("You may have what they wrote", request.share_agreed_at),
        ("You may talk to their doctor’s practice", request.gp_agreed_at),
        ("Lune may write to them that there is news", None if request.news_stopped_at else request.news_agreed_at),
    ]


def lines(requests: Iterable[SelfReferral], *, at: datetime) -> list[Line]:
    """For a page of `flow.self_referral.queries.listed`."""
    return [
        Line(
            request=request,
            title=f"{request.full_name}, {age_of(request)}",
            needs=", ".join(needs_of(request)),
            look=LOOKS[request.state],
            due=due(request, at),
            alike=getattr(request, "alike", False),
        )
        for request in requests
    ]
