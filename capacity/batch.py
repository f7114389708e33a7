"""Many reports at once: each is kept or refused by itself, in a transaction of its own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from capacity import operations
from capacity.models import CapacityReport, ServiceCapacity
from catalogue.models import User
from core.errors import LuneError, NotFound

#: Lines of one request.
MOST_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    """What was told of one pool. `figures` are arguments of `operations.report`; `refusal` says why it is not even tried."""

    pool_id: UUID | None
    figures: Mapping[str, Any]
    key: str = ""
    refusal: LuneError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line: "kept", "late" (kept in history alone, for a later figure stood) or "refused", and why."""

    outcome: str
    version: int | None = None
    error: LuneError | None = None


def report_each(lines: Sequence[Line], *, by: User, at: datetime, via: str, key: str) -> list[Outcome]:
    """Report each line for a provider that runs its pool, in the order given. The same `key` again keeps nothing twice."""
    wanted = {line.pool_id for line in lines if line.pool_id is not None}
    own = set(ServiceCapacity.objects.visible_to(by).run_by(by).filter(pk__in=wanted).values_list("pk", flat=True))
    outcomes = []
    for number, line in enumerate(lines):
        once = line.key or hashlib.sha256(f"{key} {number}".encode()).hexdigest()
        try:
            outcomes.append(_report(line, own=own, by=by, at=at, via=via, key=once))
        except LuneError as error:
            outcomes.append(Outcome("refused", error=error))
    return outcomes


def _report(line: Line, *, own: set[UUID], by: User, at: datetime, via: str, key: str) -> Outcome:
    if line.refusal is not None:
        raise line.refusal
    if line.pool_id is None or line.pool_id not in own:
        raise NotFound("None of your places has this id. Read the list of them again.", code="no-such-pool")
    operations.report(pool_id=line.pool_id, by=by, at=at, via=via, key=key, **line.figures)
    return outcome_of(line.pool_id, key)


def outcome_of(pool_id: UUID, key: str) -> Outcome:
    """What became of the update with this key."""
    kind, version = CapacityReport.objects.values_list("kind", "version").get(pool_id=pool_id, key=key)
    return Outcome("late" if kind == CapacityReport.Kind.LATE else "kept", version)
