"""Many reports at once: each is kept or refused by itself, whatever becomes of the others."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from capacity import operations
from capacity.models import CapacityReport, ServiceCapacity
from capacity.recording import FIGURES
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


#: Lines kept in one transaction: none of them is locked for longer than these take.
TOGETHER = 50
#: What a line may say besides figures, and still be kept together with others.
_VERSION = {"expected_version"}


def report_each(lines: Sequence[Line], *, by: User, at: datetime, via: str, key: str) -> list[Outcome]:
    """Report each line for a provider that runs its pool, in the order given. The same `key` again keeps nothing twice."""
    keys = [line.key or hashlib.sha256(f"{key} {number}".encode()).hexdigest() for number, line in enumerate(lines)]
    outcomes: dict[int, Outcome] = {}
    plain = _plain(lines)
    for first in range(0, len(plain), TOGETHER):
        outcomes |= _report_together(lines, plain[first : first + TOGETHER], keys=keys, by=by, at=at, via=via)
    rest = {line.pool_id for number, line in enumerate(lines) if number not in outcomes and line.pool_id is not None}
    own = set(ServiceCapacity.objects.visible_to(by).run_by(by).filter(pk__in=rest).values_list("pk", flat=True)) if rest else set()
    for number, line in enumerate(lines):
        if number not in outcomes:
            try:
                outcomes[number] = _report(line, own=own, by=by, at=at, via=via, key=keys[number])
            except LuneError as error:
                outcomes[number] = Outcome("refused", error=error)
    return [outcomes[number] for number in range(len(lines))]


def _plain(lines: Sequence[Line]) -> list[int]:
    """Numbers of the lines that need nothing but to be written down: seen now, and the only one of their pool."""
    of_pool = Counter(line.pool_id for line in lines)
    return [
        number
        for number, line in enumerate(lines)
        if line.refusal is None
        and line.pool_id is not None
        and of_pool[line.pool_id] == 1
        and line.figures.keys() <= FIGURES.keys() | _VERSION
    ]


def _report_together(
    lines: Sequence[Line], some: Sequence[int], *, keys: Sequence[str], by: User, at: datetime, via: str
) -> dict[int, Outcome]:
    """What became of those that could be kept together; of a group that could not, nothing."""
    number_of = {pool: number for number in some if (pool := lines[number].pool_id) is not None}
    told = {pool: dict(lines[number].figures) for pool, number in number_of.items()}
    versions = {pool: version for pool, figures in told.items() if (version := figures.pop("expected_version", None)) is not None}
    own_keys = {pool: keys[number] for pool, number in number_of.items()}
    try:
        found = operations.report_together(told=told, versions=versions, keys=own_keys, by=by, at=at, via=via)
    except (LuneError, IntegrityError):
        return {}  # one line by one: the same update comes twice at this instant
    return {
        number_of[pool]: Outcome("refused", error=outcome) if isinstance(outcome, LuneError) else Outcome("kept", outcome.version)
        for pool, outcome in found.items()
    }


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
