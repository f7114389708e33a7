"""What a pool's figure is worth: the same decision as `capacity.status.rag`, as one small integer.

The engine may not import `capacity`, and SQL must be able to say the same; a test proves that all three agree.
"""

from matching.engine.problem import ASSESSMENT_FIRST, NOT_ACCEPTING, WAITING_LIST, Need, PoolFacts

GREEN, FEW, AGEING, ASSESSMENT, LIST, UNKNOWN, REFUSING, FULL, CLOSED = range(9)
#: A report this many seconds from the future is still believed.
SKEW_S = 300
#: From this many places on, a tenth or less of them free counts as few.
FEW_FROM = 10
#: Share of the availability points, in thousandths, for GREEN … UNKNOWN. The rest are not candidates.
SHARES = (1000, 850, 600, 500, 300, 200)
#: The share of a list that says how long it is: from 400 without a wait down to 100 for this many days and more.
LONG_WAIT, SHORTEST, LONGEST = 90, 400, 100
#: Nobody can be placed there now.
RED = frozenset({REFUSING, FULL, CLOSED})


def place(facts: PoolFacts) -> int:
    """The state of the pool's figure, one of the constants above."""
    if not facts.is_open or facts.has_begun:
        return CLOSED
    if facts.age_s is None or facts.age_s < -SKEW_S or facts.age_s >= facts.expire_s:
        return UNKNOWN
    if facts.status == NOT_ACCEPTING:
        return REFUSING
    if facts.status == WAITING_LIST:
        return LIST
    if facts.free is None:
        return UNKNOWN
    if facts.free <= 0:
        return FULL
    if facts.status == ASSESSMENT_FIRST:
        return ASSESSMENT
    if facts.age_s >= facts.fresh_s:
        return AGEING
    if facts.maximum is not None and facts.maximum >= FEW_FROM and facts.free * FEW_FROM <= facts.maximum:
        return FEW
    return GREEN


def share(facts: PoolFacts) -> int:
    """The share of the availability points for what the figure is worth; a waiting list that says how long it is counts by that."""
    state = place(facts)
    if state in RED:
        return 0
    if state == LIST and facts.wait_days is not None:
        return LONGEST + (SHORTEST - LONGEST) * max(0, LONG_WAIT - facts.wait_days) // LONG_WAIT
    return SHARES[state]


def joins(need: Need, facts: PoolFacts) -> bool:
    """Whether the person can wait for as long as this list is; where it does not say, whether there is time for any."""
    if facts.wait_days is None or need.days is None:
        return need.joins_lists
    return facts.wait_days <= need.days
