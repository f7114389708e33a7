"""The answers to requests, as arrays to learn from: what was known when each was sent, and what became of it.

Whom a request was for is read apart, for the audit alone: nothing that learns is ever given it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import numpy as np
from django.db import connection

from capacity.models import ServiceCapacity
from capacity.series import districts_of
from catalogue.models import Area
from core.clock import LONDON
from flow.models import Referral
from flow.workflow import Action, Reason, Status
from matching.engine import likelihood
from matching.engine.factors import Freshness
from matching.engine.problem import ACCEPTING, ASSESSMENT_FIRST, NOT_ACCEPTING, WAITING_LIST, Need, PoolFacts

Array = np.ndarray[Any, Any]

#: Answers are learned from for so long.
WINDOW = timedelta(days=365)
#: A request counts as expired when it was not answered so long after it was due. Before that nobody knows what becomes of it.
LATE = timedelta(days=2)
#: Refusals that are not the service's own say nothing about it.
NOT_THEIRS = frozenset({Reason.PATIENT_CHOICE.value, Reason.UNCONTACTABLE.value})
#: What became of a request that was not refused with a reason.
ACCEPTED, EXPIRED = "Accepted", "Never answered"
#: Of nowhere in particular: what stands in no district, or must not be told to.
NOWHERE = ""

_STATUSES = {
    "capacity": ACCEPTING, "no-capacity": NOT_ACCEPTING, "waitlist": WAITING_LIST, "additional-assessment-required": ASSESSMENT_FIRST,
}  # fmt: skip

#: Of the profile the point alone, for the distance; of the figure what was known of it a moment before the request was sent.
_ANSWERS = """
SELECT task.pool_id, task.requested_at, task.respond_by, referral.urgency = 'urgent', answer.action, answer.reason, answer.at, ended.at,
    figure.status, figure.available - figure.held, figure.observed_at, coalesce(fact.expire_s, 259200), coalesce(fact.online, false),
    floor(ST_Distance(fact.point, need.point))::int, referral.id
FROM flow_referraltask task
JOIN flow_referral referral ON referral.id = task.referral_id
JOIN matching_needprofile need ON need.id = referral.profile_id
LEFT JOIN matching_poolfact fact ON fact.pool_id = task.pool_id
LEFT JOIN LATERAL (
    SELECT action, reason, at FROM flow_transition WHERE task_id = task.id AND action = ANY(%(answers)s) ORDER BY at, id LIMIT 1
) answer ON true
LEFT JOIN LATERAL (SELECT min(at) AS at FROM flow_transition WHERE task_id = task.id AND action = %(withdraw)s) ended ON true
LEFT JOIN LATERAL (
    SELECT status, available, held, observed_at FROM capacity_capacityreport
    WHERE pool_id = task.pool_id AND received_at < task.requested_at AND kind <> 'late' ORDER BY version DESC LIMIT 1
) figure ON true
WHERE task.requested_at >= %(since)s AND task.respond_by <= %(due)s AND referral.source = %(source)s AND task.status <> %(error)s
ORDER BY task.requested_at, task.id
"""

#: Whom each request was for.
_WHOM = """
SELECT referral.id, need.age, need.sex, patient.preferred_language FROM flow_referral referral
JOIN matching_needprofile need ON need.id = referral.profile_id JOIN flow_patient patient ON patient.id = referral.patient_id
WHERE referral.id = ANY(%(referrals)s)
"""

_FRESH = Freshness()
_NOBODY = Need(age=0, sex=0, x=0, y=0, care_types=1)


@dataclass(frozen=True, slots=True)
class Place:
    """To whom the answers of a pool count: its service and kind of care, and those of the same kind in the same district."""

    service: UUID
    kind: str
    area: str


@dataclass(frozen=True, slots=True)
class Examples:
    """One line for each request that was answered or expired, in the order in which they were sent. Times are seconds since 1970."""

    places: list[Place]
    sent: Array
    settled: Array
    """When it was certain what became of it, whatever that was. An answer counts from then on: else quick ones would count too much."""
    yes: Array
    urgent: Array
    weekday: Array
    said: Array
    """What the figure said (`likelihood.SAYS`)."""
    fresh: Array
    """How young the figure was, from 0 to 1000."""
    away: Array
    """Steps of distance; -1: no journey, or not known."""

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> Self:
        """From rows of the fields in their order."""
        columns = list(zip(*rows, strict=True)) or [()] * 9
        kinds = (float, float, bool, bool, int, int, int, int)
        return cls(list(columns[0]), *(np.array(column, dtype=kind) for column, kind in zip(columns[1:], kinds, strict=True)))

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True)
class Whom:
    """Never to learn from. Of each line of the examples the group of the person by each characteristic, for the audit; and of all lines
    how many were answered how, for people to read."""

    groups: Mapping[str, list[str]]
    outcomes: Mapping[str, int] = field(default_factory=dict)


def read(at: datetime) -> tuple[Examples, Whom]:
    """All requests of the window of which it is certain by now what became of them, and whom they were for."""
    rows, referrals = [], []
    outcomes: Counter[str] = Counter()
    found = _rows(at)
    places = places_of({row[0] for row in found})
    for pool, sent, due, urgent, action, reason, answered, withdrawn, status, free, seen, expire, online, metres, referral in found:
        settled = due + LATE
        yes = _said_yes(action, reason, answered, withdrawn, settled)
        if yes is None or pool not in places:
            continue
        age = None if seen is None else int((sent - seen).total_seconds() // 1)
        fresh = _FRESH.share(_NOBODY, PoolFacts(pool_id="", service_id="", care_type=0, age_s=age, expire_s=expire))
        said = likelihood.NOTHING if status is None else likelihood.says(_STATUSES[status], free)
        steps = likelihood.steps(metres, online=online)
        outcomes[_in_words(yes=yes, reason=reason if answered is not None and answered <= settled else None)] += 1
        rows.append(
            (
                places[pool], sent.timestamp(), settled.timestamp(), yes, urgent,
                sent.astimezone(LONDON).weekday(), said, fresh, -1 if steps is None else steps,
            )
        )  # fmt: skip
        referrals.append(referral)
    return Examples.of(rows), Whom(_groups(referrals), dict(outcomes.most_common()))


def _rows(at: datetime) -> list[tuple[Any, ...]]:
    given: dict[str, Any] = {
        "answers": [Action.ACCEPT.value, Action.DECLINE.value],
        "withdraw": Action.WITHDRAW.value,
        "since": at - WINDOW,
        "due": at - LATE,
        "source": Referral.Source.PROFESSIONAL.value,
        "error": Status.ENTERED_IN_ERROR.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, given)
        return list(cursor.fetchall())


def _said_yes(
    action: str | None, reason: str | None, answered: datetime | None, withdrawn: datetime | None, settled: datetime
) -> bool | None:
    """Whether it was said yes to; an expired request was not. None where the service gave no answer of its own and owed none any more."""
    if answered is not None and answered <= settled:
        return None if reason in NOT_THEIRS else action == Action.ACCEPT
    return None if withdrawn is not None and withdrawn <= settled else False


def places_of(pools: Iterable[UUID] | None = None) -> dict[UUID, Place]:
    """To whom the answers of these pools count, or of all that matching can place."""
    known = ServiceCapacity.objects.filter(fact__isnull=False) if pools is None else ServiceCapacity.objects.filter(pk__in=set(pools))
    districts = districts_of(known) if Area.objects.filter(kind=Area.Kind.DISTRICT).exists() else {}
    columns = known.order_by().values_list("pk", "service_id", "care_type__code")
    return {pk: Place(service, kind, districts.get(pk, NOWHERE)) for pk, service, kind in columns}


def _in_words(*, yes: bool, reason: str | None) -> str:
    if yes:
        return ACCEPTED
    return EXPIRED if reason is None else str(Reason(reason).label) if reason in Reason.values else str(Reason.OTHER.label)


def _groups(referrals: list[UUID]) -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(_WHOM, {"referrals": list(set(referrals))})
        known = {referral: rest for referral, *rest in cursor.fetchall()}
    people = [known[referral] for referral in referrals]
    return {
        "Age": [_band(age) for age, _, _ in people],
        "Sex": [sex for _, sex, _ in people],
        "Language": ["English" if language == "en" else "Another language" for _, _, language in people],
    }


def _band(age: int) -> str:
    return "Under 18" if age < 18 else "18 to 64" if age < 65 else "65 to 74" if age < 75 else "75 to 84" if age < 85 else "85 and over"
