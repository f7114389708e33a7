"""The rows of a board, in the order in which a ward reads them."""

from capacity.queries import PoolState
from capacity.status import Rag

#: More rows than that take too long to come round.
MOST_ROWS = 120

_FIRST = (Rag.GREEN, Rag.AMBER, Rag.RED, Rag.GREY)


def in_order(states: list[PoolState]) -> list[PoolState]:
    """What takes people now first, what is not known last; by name within each."""
    return sorted(states, key=lambda state: _FIRST.index(state.rag))
