"""From statements to figures: each belongs to one pool, or to all that its word covers."""

from collections.abc import Mapping, Sequence

from capacity.understand.model import MORE, SAME, ZERO, PoolWords, Reading, Said, UnclearError

#: Where a pool has no maximum, nobody means more than this.
MOST = 100
#: From here on a number that is the maximum may be how many there are, and not how many are free.
_ALL_EMPTY = 5


def resolve(said: Sequence[Said], pools: Sequence[PoolWords]) -> tuple[Reading, ...]:
    """Give each statement its pools: those that name one pool first, so that what is left of a wider word is plain too."""
    figures: dict[int, Reading] = {}
    open_ = [(statement, _matching(statement, pools)) for statement in said]
    if any(not found for _, found in open_):
        raise UnclearError("no-such-kind")
    wide: list[tuple[Said, list[int]]] = []
    for statement, found in open_:
        key = statement.key
        if key is not None and key.kind == "key" and key.words and len(found) == 1:
            _put(figures, found[0], statement, pools)
        else:
            wide.append((statement, found))
    totals: list[tuple[Said, list[int]]] = []
    for statement, found in wide:
        value, key = statement.value, statement.key
        if key is not None and key.kind == "rest":
            left = [index for index in range(len(pools)) if index not in figures]
        elif key is not None and key.kind in ("all", "each"):
            left = found
        else:
            left = [index for index in found if index not in figures] if len(pools) > 1 else found
        covers = (
            (key is not None and key.kind == "each") or value.kind == SAME or (value.kind == ZERO and (value.covers or key is not None))
        )
        if covers and left:
            for index in left:
                _put(figures, index, statement, pools)
        elif len(left) == 1 and (len(pools) == 1 or (key is not None and key.words and value.kind != ZERO)):
            _put(figures, left[0], statement, pools)
        elif value.kind == "number":
            totals.append((statement, found))
        else:
            raise UnclearError("which")
    _check_totals(totals, figures)
    return tuple(figures[index] for index in sorted(figures))


def _matching(statement: Said, pools: Sequence[PoolWords]) -> list[int]:
    value, key = statement.value, statement.key
    if value.kind == "taken":
        if len(pools) != 1 or pools[0].available != 2:
            raise UnclearError("which")
        return [0]
    if key is None or key.kind in ("rest", "each"):
        return list(range(len(pools)))
    if key.kind in ("all", "both"):
        if value.kind not in (ZERO, SAME):
            raise UnclearError("which")
        return list(range(len(pools)))
    return [index for index, pool in enumerate(pools) if key.words <= pool.words]


def _put(figures: dict[int, Reading], index: int, statement: Said, pools: Sequence[PoolWords]) -> None:
    """One figure for one pool. Two different ones contradict each other."""
    pool, value = pools[index], statement.value
    figure: int
    if value.kind in (SAME, MORE):
        if pool.available is None:
            raise UnclearError("nothing-before")
        figure = pool.available + (value.number if value.kind == MORE else 0)
    else:
        figure = value.number
    if figure < 0 or figure > (pool.maximum if pool.maximum is not None else MOST):
        raise UnclearError("too-many")
    if value.kind == "number" and figure == pool.maximum and figure >= _ALL_EMPTY and not statement.free:
        raise UnclearError("total")
    if index in figures and figures[index].figure != figure:
        raise UnclearError("twice")
    figures[index] = Reading(pool, figure, value.said)


def _check_totals(totals: Sequence[tuple[Said, list[int]]], figures: Mapping[int, Reading]) -> None:
    """ "3 beds: 2 general, 1 dementia": a number without a kind is all right when it is what the others make together."""
    if not totals:
        return
    if len(totals) > 1 or len(figures) < 2:
        raise UnclearError("which")
    statement, found = totals[0]
    if not set(figures) <= set(found) or sum(reading.figure for reading in figures.values()) != statement.value.number:
        raise UnclearError("which")
