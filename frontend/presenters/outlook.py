"""What may come, in words. It stands beside the present figure, never in its place, and has no colour."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from capacity.forecast import ENOUGH_DAYS
from capacity.outlook import Chance, Outlook, outlooks
from capacity.queries import PoolState
from frontend.environment import plural

#: At this chance a place is called likely.
LIKELY = 0.5


def in_ten(share: float) -> str:
    """A chance as people say it: "7 in 10"."""
    if share < 0.05:
        return "fewer than 1 in 10"
    return "more than 9 in 10" if share > 0.95 else f"{round(share * 10)} in 10"


def _range(chance: Chance) -> str:
    low, high = max(0, int(chance.low * 10)), min(10, -int(-chance.high * 10 // 1))
    return f"between {low} and {high} in 10"


def _days(number: int) -> str:
    return "a day" if number == 1 else f"{number} days"


def sentences(states: Iterable[PoolState], at: datetime, *, full_only: bool = False) -> dict[UUID, str]:
    """For each of these pools of which anything is forecast, one sentence; with `full_only` only where no place is known to be free."""
    wanted = {state.id: bool(state.free) for state in states if not (full_only and state.free)}
    return {pk: words(outlook, free_now=wanted[pk]) for pk, outlook in outlooks(wanted, at).items()} if wanted else {}


def words(outlook: Outlook, *, free_now: bool) -> str:
    """One sentence for a list: "A place is likely within 3 days: 7 in 10. Usual wait 2 to 6 days. From 84 days of its own history"."""
    if not outlook.chances:
        return lacking(outlook)
    parts = [headline(outlook)]
    if not free_now and (usual := wait(outlook)):
        parts.append(usual)
    parts.append(f"From {plural(outlook.days, 'day')} of its own history" + (" and of others of its kind" if outlook.is_forecast else ""))
    return ". ".join(parts) + "."


def lacking(outlook: Outlook) -> str:
    """Why nothing is told."""
    if not outlook.enough:
        return f"Not enough history yet for a forecast: {outlook.days} of {plural(ENOUGH_DAYS, 'day')}."
    return "No forecast: nobody has told its figure for a week."


def headline(outlook: Outlook) -> str:
    """The soonest time by which a place is likely; or that none is, within the longest that is told."""
    chosen = next((each for each in outlook.chances if each.chance >= LIKELY), None)
    if not outlook.is_forecast:
        said = chosen or outlook.chances[-1]
        return f"No forecast, but what was usual: within {_days(said.days)} a place came {in_ten(said.chance)} times"
    if chosen is None:
        longest = outlook.chances[-1]
        return f"A place within {_days(longest.days)} is not likely: {in_ten(longest.chance)} ({_range(longest)})"
    return f"A place is likely within {_days(chosen.days)}: {in_ten(chosen.chance)} ({_range(chosen)})"


def wait(outlook: Outlook) -> str:
    """How long it took, when it was full, until a place came; empty when that is not known."""
    if outlook.wait is None:
        return ""
    low, high = outlook.wait_low if outlook.wait_low is not None else outlook.wait, outlook.wait_high
    if high is None:
        return f"Usual wait when full {_number(low)} days or more"
    return (
        f"Usual wait when full {_days(int(_number(low)))}"
        if low == high
        else f"Usual wait when full {_number(low)} to {_number(high)} days"
    )


def _number(days: Decimal) -> str:
    return str(max(1, round(days)))


def table(outlook: Outlook) -> list[tuple[str, str, str]]:
    """For each number of days ahead: the days, the chance, between what it lies."""
    return [(f"Within {_days(each.days)}", in_ten(each.chance), _range(each)) for each in outlook.chances]
