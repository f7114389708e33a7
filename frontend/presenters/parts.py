"""What stands beside a ranking: help with the first step, and one list for each kind of a package."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import matching.operations
from catalogue.models import User
from flow.packages import Part
from frontend.presenters.match import Row, pins, rows
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

    A service that no list has belongs to the search itself.
    """
    rest = list(pool_ids)
    found = []
    for part in matching.operations.parts_of(run):
        listed = set(part.run.candidates.values_list("pool_id", flat=True))
        mine = [pool for pool in rest if pool in listed]
        rest = [pool for pool in rest if pool not in listed]
        if mine:
            found.append(Part(part.run.profile_id, part.id, mine, is_help=part.part != parts.PACKAGE))
    if rest:
        found.insert(0, Part(run.profile_id, run.pk, rest))
    return found
