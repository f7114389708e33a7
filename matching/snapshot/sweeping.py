"""Looking at the rows that can be in reach, cell by cell, and keeping the best of those that fit: compiled, like `kernel`."""

import numpy as np

from matching.compiling import bare, compiled
from matching.snapshot.kernel import (
    A_AT,
    A_MAX_DISTANCE,
    A_X,
    A_Y,
    AWAY,
    REFUSED,
    judge,
)
from matching.snapshot.layout import (
    ACROSS,
    CELL,
    CELLS,
    EXTENT,
    I_SAID,
    I_X,
    I_Y,
    LIMITED,
    NEVER,
    NONE,
    ONLINE,
    OPEN,
    PLACED,
    R_DRAWER,
    R_SERIES,
    R_STARTS,
    S_FLAGS,
    S_KIND,
    UP,
)

#: From this the metres are taken: of two with the same score the nearer is worth more. What is not on the map comes last.
NEARER = 1 << 31


@bare
def reach(row, kind, wide, whole, small, rare, asked):
    """Whole metres to a row of the kind, NONE where it is not on the map but near enough, AWAY where it is not in reach."""
    flags = small[row, S_FLAGS]
    if small[row, S_KIND] != kind or not flags & OPEN:
        return AWAY
    if whole[row, I_SAID] != NONE:
        starts = rare[whole[row, I_SAID], R_STARTS]
        if starts != NEVER and starts <= asked[A_AT]:
            return AWAY
    if not flags & PLACED:
        return NONE if flags & (ONLINE | EXTENT | LIMITED) else AWAY
    east, north = whole[row, I_X] - asked[A_X], whole[row, I_Y] - asked[A_Y]
    away = np.int64(np.sqrt(np.float64(east * east + north * north)))
    return away if away <= asked[A_MAX_DISTANCE] else AWAY


@compiled
def _bisect(keys, key):
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _stretches(keys, total, kinds, asked):
    """Where the rows stand that can be in reach, as (kind, from, to): cells side by side are one stretch; what came since stands last."""
    west = min(max((asked[A_X] - asked[A_MAX_DISTANCE]) // CELL, 0), ACROSS - 1)
    east = min(max((asked[A_X] + asked[A_MAX_DISTANCE]) // CELL, 0), ACROSS - 1)
    south = min(max((asked[A_Y] - asked[A_MAX_DISTANCE]) // CELL, 0), UP - 1)
    north = min(max((asked[A_Y] + asked[A_MAX_DISTANCE]) // CELL, 0), UP - 1)
    found = np.empty((len(kinds) * (north - south + 3), 3), np.int64)
    count = 0
    for kind in kinds:
        for y in range(south, north + 1):
            first = kind * CELLS + y * ACROSS
            found[count] = (kind, _bisect(keys, first + west), _bisect(keys, first + east + 1))
            count += 1
        found[count] = (kind, _bisect(keys, (kind + 1) * CELLS - 1), _bisect(keys, (kind + 1) * CELLS))
        found[count + 1] = (kind, len(keys), total)
        count += 2
    return found[:count]


@bare
def _after(row, worth, other, its_worth, ids):
    """Does the row stand after the other in the order of the answer: worth most first, then by id?"""
    if worth != its_worth:
        return worth < its_worth
    if ids[row, 0] != ids[other, 0]:
        return ids[row, 0] > ids[other, 0]
    return ids[row, 1] > ids[other, 1]


@bare
def _sift(
    stretches, wide, whole, small, rare, spans, items, ids, asked, said, areas, lives, without, limit, rows, scores, metres, worths
):  # fmt: skip
    """Fill in the `limit` best rows in order, or with no limit (0) all that fit, as they come."""
    count = reached = 0
    drawn = series = False
    for number in range(len(stretches)):
        for row in range(stretches[number, 1], stretches[number, 2]):
            away = reach(row, stretches[number, 0], wide, whole, small, rare, asked)
            if away == AWAY:
                continue
            reached += 1
            line = whole[row, I_SAID]
            if line != NONE and rare[line, R_DRAWER] != NONE:
                drawn = True
            score = judge(row, away, wide, whole, small, rare, spans, items, asked, said, areas, lives)
            if score == REFUSED:
                continue
            left_out = False
            for place in range(len(without)):
                left_out = left_out or without[place] == row
            if left_out:
                continue
            if line != NONE and rare[line, R_SERIES] != NONE:
                series = True
            worth = (score << 32) + (0 if away == NONE else NEARER - away)
            place = count
            if limit:
                if count == limit:
                    if _after(row, worth, rows[limit - 1], worths[limit - 1], ids):
                        continue
                    place = limit - 1
                while place and not _after(row, worth, rows[place - 1], worths[place - 1], ids):
                    rows[place], worths[place] = rows[place - 1], worths[place - 1]
                    scores[place], metres[place] = scores[place - 1], metres[place - 1]
                    place -= 1
            rows[place], worths[place], scores[place], metres[place] = row, worth, score, away
            if not limit or count < limit:
                count += 1
    return count, reached, drawn, series


@compiled
def sweep(keys, total, wide, whole, small, rare, spans, items, ids, kinds, asked, said, areas, lives, without, limit):
    """The `limit` best rows that fit, in order; with 0 all that fit, in no order.

    Of each its number, score and metres away; how many rows were in reach; whether one of these drew areas by hand, and whether one that
    fits is of a series.
    """
    stretches = _stretches(keys, total, kinds, asked)
    most = limit
    if limit == 0:
        for number in range(len(stretches)):
            most += stretches[number, 2] - stretches[number, 1]
    rows, scores, metres, worths = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    count, reached, drawn, series = _sift(
        stretches, wide, whole, small, rare, spans, items, ids, asked, said, areas, lives, without, limit, rows, scores, metres, worths
    )
    return rows[:count], scores[:count], metres[:count], worths[:count], reached, drawn, series
