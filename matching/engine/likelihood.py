"""How likely a service says yes, from what was learned elsewhere: a sum of whole thousandths of a logit, looked up in a table of chances.

The numbers that hold for all services travel with the need (`Need.chances`), so that a stored run is judged by them again; the one that
holds for a service is among its facts (`leaning`). Nothing here knows age, sex, language or what a person has: `docs/likelihood.md`.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from matching.engine.problem import ASSESSMENT_FIRST, NOT_ACCEPTING, WAITING_LIST

#: Places among the numbers: what a service leans to of which nothing is known, the day of the week, what the figure says (of each of
#: `SAYS`), a figure of just now, each step of distance, no journey; then the table, by the sum.
USUAL, DAY, SAID, FRESH, STEP, NO_JOURNEY, TABLE = 0, 1, 2, 6, 7, 8, 9
#: What a figure says, however old it is.
SAYS = ("a place is free", "assessment first", "a waiting list", "no place, or nothing")
FREE, ASSESSMENT, LIST, NOTHING = range(4)
#: A sum beyond this many thousandths either way counts as this; so many make one line of the table.
FARTHEST, LINE = 6_000, 100
LINES = 2 * FARTHEST // LINE + 1
#: Metres as the crow flies from which the next step of distance begins: each twice as far as the one before.
STEPS = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
#: With fewer answers than this nothing is said of the service alone.
FEW_ANSWERS = 5


def packed(learned: Mapping[str, Any], weekday: int) -> tuple[int, ...]:
    """The numbers in their order for a search on that day of the week (0: Monday); none where nothing was learned."""
    if not learned:
        return ()
    days, said = learned["days"], learned["said"]
    return (learned["usual"], days[weekday], *said, learned["fresh"], learned["step"], learned["no_journey"], *learned["table"])


def says(status: int, free: int | None) -> int:
    """What a figure says, as a place in `SAYS`."""
    if status == WAITING_LIST:
        return LIST
    if status == NOT_ACCEPTING or free is None or free <= 0:
        return NOTHING
    return ASSESSMENT if status == ASSESSMENT_FIRST else FREE


def steps(metres: int | None, *, online: bool) -> int | None:
    """How many steps away; None where there is no journey, or nobody knows how far it is."""
    return None if online or metres is None else bisect_right(STEPS, metres)


def total(chances: Sequence[int], leaning: int | None, said: int, fresh: int, away: int | None) -> int:
    """The sum. `fresh` is from 0 to 1000: how young the figure is, as the factor for freshness has it."""
    summed = (chances[USUAL] if leaning is None else leaning) + chances[DAY] + chances[SAID + said]
    summed += chances[FRESH] * fresh // 1000
    return summed + (chances[NO_JOURNEY] if away is None else chances[STEP] * away)


def line(summed: int) -> int:
    """The line of the table for a sum."""
    return (min(max(summed, -FARTHEST), FARTHEST) + FARTHEST) // LINE


def chance(chances: Sequence[int], leaning: int | None, said: int, fresh: int, away: int | None) -> int:
    """Of a thousand such requests, how many are said yes to."""
    return chances[TABLE + line(total(chances, leaning, said, fresh, away))]


def in_words(share: int) -> str:
    """`"about 7 in 10"`: no finer than anybody can know."""
    tenths = (share + 50) // 100
    return "fewer than 1 in 10" if tenths < 1 else "more than 9 in 10" if tenths > 9 else f"about {tenths} in 10"
