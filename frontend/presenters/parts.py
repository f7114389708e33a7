"""What stands beside a ranking: help with the first step, and one list for each kind of a package."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import matching.operations
from catalogue.models import User
from flow.packages import Part
from frontend.presenters.match import Row, chosen, pins, rows
from matching import parts
from matching.models import MatchRun
from matching.operations import PartOf


@dataclass(frozen=True)
class Section:
    """One list beside the main one. `address` is put before the numbers of its lines, so that each can be pointed at."""

    part: PartOf
    rows: list[Row]
    number: int

    @property
    def is_help(self) -> bool:
        return self.part.part != parts.PACKAGE

    @property
    def address(self) -> str:
        return f"part-{self.number}-"


@dataclass(frozen=True)
class Together:
    """The package that is suggested: a line of each section, and why."""

    rows: list[Row]
    words: tuple[str, ...]

    @property
    def pools(self) -> list[UUID]:
        return [row.line.pool_id for row in self.rows]


def sections(run: MatchRun, *, user: User, at: datetime) -> list[Section]:
    """The parts of a run with their lines. A service that one part lists is left out of those after it: it is asked once."""
    found: list[Section] = []
    seen: set[UUID] = set()
    for number, part in enumerate(matching.operations.parts_of(run), start=1):
        listed = [row for row in rows(matching.operations.lines(part.run), user=user, at=at) if row.line.pool_id not in seen]
        seen |= {row.line.pool_id for row in listed}
        found.append(Section(part, listed, number))
    return found


def together(found: Sequence[Section], *, at: datetime) -> Together | None:
    """The best package of the lists that are no help with the first step, of what the viewer may see."""
    of_package = [section for section in found if not section.is_help]
    chosen = parts.package([section.part.run for section in of_package], at=at) if of_package else None
    if chosen is None:
        return None
    listed = {row.line.pool_id: row for section in of_package for row in section.rows}
    picked = [listed[pool] for pool in chosen.pools if pool in listed]
    return Together(picked, chosen.words) if len(picked) == len(chosen.pools) else None


def section_pins(found: Sequence[Section]) -> list[dict[str, Any]]:
    """Pins of all lists, each with its number in its own."""
    told = []
    for section in found:
        numbers = {str(row.line.pool_id): row.line.rank for row in section.rows}
        for pin in pins(section.rows):
            number = numbers[pin["id"]]
            told.append(pin | {"number": number, "href": f"#{section.address}line-{number}"})
    return told


def asked_of(run: MatchRun, pool_ids: Sequence[UUID]) -> list[Part]:
    """What is sent, when these are ticked: one part for each list that has any of them, the search itself first.

    A service that no list has, as it came in place of one that had gone, belongs to the list of its kind; otherwise to the search itself.
    """
    found = matching.operations.parts_of(run)
    if not found:
        return [Part(run.profile_id, run.pk, list(pool_ids))]
    homes = _homes(run, found, pool_ids)
    asked = []
    for one, is_help in ((run, False), *((part.run, part.part != parts.PACKAGE) for part in found)):
        if mine := [pool for pool in pool_ids if homes[pool] == one.pk]:
            asked.append(Part(one.profile_id, one.pk, mine, is_help=is_help))
    return asked


def list_of(run: MatchRun, pool_id: str) -> MatchRun:
    """The list to which a service belongs: the run itself, or a part of it."""
    found = matching.operations.parts_of(run)
    ids = chosen([pool_id])
    home = _homes(run, found, ids)[ids[0]] if found and ids else run.pk
    return next((part.run for part in found if part.id == home), run)


def _homes(run: MatchRun, found: Sequence[PartOf], pool_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The run that each of these places belongs to."""
    homes: dict[UUID, UUID] = {}
    for part in found:
        for pool in part.run.candidates.filter(pool_id__in=pool_ids).values_list("pool_id", flat=True):
            homes.setdefault(pool, part.id)
    kinds = parts.kinds_of(pool for pool in pool_ids if pool not in homes)
    for pool in pool_ids:
        of_its_kind = (part.id for part in found if kinds.get(pool) in part.care_types)
        homes.setdefault(pool, next(of_its_kind, run.pk))
    return homes
