"""The facts of all pools as packed arrays, sorted by kind and cell. Built once, then changed row by row; what moves goes to the end."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from matching.engine.problem import RARE as RARE_FACTS
from matching.engine.problem import WORD, PoolFacts
from matching.snapshot.asking import Question
from matching.snapshot.kernel import FIRST, HAS, INSIDE, KNOWN, MAY, REGISTERED, RULED_OUT, SECOND
from matching.snapshot.layout import (
    CELLS,
    CODES_FROM,
    EXTENT,
    FIRST_SMALL,
    FIRST_WHOLE,
    FIRST_WIDE,
    GONE,
    HIGHEST,
    I_SAID,
    I_X,
    I_Y,
    LISTS,
    LOWEST,
    NEVER,
    NONE,
    PLACED,
    R_DRAWER,
    R_DRAWN,
    R_SERIES,
    R_STARTS,
    RARE,
    RARE_MASKS,
    S_FLAGS,
    S_KIND,
    cell,
)
from matching.snapshot.sweeping import sweep

#: Rows that may come or move before all are sorted anew.
ROOM = 4_096
_LOW = (1 << 64) - 1
#: An odd number that mixes the halves of an id.
_MIX = np.uint64(0x9E3779B97F4A7C15)
#: Of so many rows at most what stays of their facts is kept, about a kilobyte each: the same few are the best for all who live near.
KEPT = 30_000
#: Where among the facts those stand that do not stay, and what those are that few have.
_AT = {name: place for place, name in enumerate(PoolFacts._fields)}
_INSIDE, _ASSURED, _AGE, _MARKS, _STARTS_IN, _EXTENT, _DRAWN_OUT, _DRAWN_FIRST = (
    _AT[name] for name in ("in_extent", "assured_days", "age_s", "marks", "starts_in_s", "has_extent", "drawn_out", "drawn_first")
)
_NOTHING_RARE = [PoolFacts._field_defaults[name] for name in RARE_FACTS]
#: Those of the rare masks that are no second word of another.
_OTHER_MASKS = RARE_MASKS[4:R_DRAWN]
_AREA_RULES = {"required": INSIDE, "excluded": RULED_OUT, "preferred": FIRST}


def _halves(written: str) -> tuple[int, int]:
    """An id as two numbers of 64 bits."""
    number = int(written.replace("-", ""), 16)
    return number >> 64, number & _LOW


def _written(high: int, low: int) -> str:
    """An id as it is usually written."""
    return _dashed(f"{high:016x}{low:016x}")


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Full(Exception):
    """There is no room for another row, or for what it says: the table has to be built anew."""


class Best(NamedTuple):
    """The rows of the best pools in order, with their scores and metres (NONE: not on the map)."""

    rows: list[int]
    scores: list[int]
    metres: list[int]
    considered: int
    drawn: bool
    """Whether a pool in reach drew areas by hand, so that it matters in which of them the person lives."""


class Kept(NamedTuple):
    """Of the facts of one row what stays: values in the order of `PoolFacts`, when it was checked and told,
    what few say of days, hours and areas drawn by hand (None: nothing), and its place and number as PostgreSQL writes them."""

    values: list[Any]
    assured: int
    reported: int
    rare: list[int] | None
    place: str
    version: str


class Versions(NamedTuple):
    """What rows are in memory: their places (`ctid`) and numbers (`xmin`), each as an array of PostgreSQL is written."""

    places: str
    versions: str


class Table:
    """`wide`, `whole`, `small` and `ids` hold `total` rows: those up to `len(keys)` sorted, the others as they came."""

    def __init__(self, rows: int, saying: int) -> None:
        """Room for so many rows, of which so many say what few say."""
        size, lines = rows + ROOM, saying + saying // 4 + ROOM
        self.wide, self.whole = np.zeros((size, 9), np.int64), np.zeros((size, 13), np.int32)
        self.small, self.ids = np.zeros((size, 10), np.int16), np.zeros((size, 4), np.uint64)
        self.rare, self.spans, self.items = (
            np.zeros((lines, RARE), np.int64),
            np.zeros((lines, 11), np.int32),
            np.zeros(4 * lines, np.int32),
        )
        self.total = self.lines = self.filled = 0
        self.keys = np.empty(0, np.int32)
        self.codes: dict[str, int] = {}
        self.names: list[str] = []
        self._kinds: dict[str, int] = {}
        self._kind_of = np.zeros(256, np.uint8)
        self._series: dict[str, int] = {}
        self._series_names: list[str] = []
        self._drawers: dict[str, int] = {}
        self._later: dict[tuple[int, int], int] = {}
        self._kept: dict[int, Kept] = {}

    # --- building

    def add(self, copied: np.ndarray) -> None:
        """Rows as binary COPY gave them (`layout.COPIED`)."""
        rows = slice(self.total, self.total + len(copied))
        self.ids[rows, :2], self.ids[rows, 2:] = copied["value0"], copied["value1"]
        for first, array, columns in ((FIRST_WIDE, self.wide, 9), (FIRST_WHOLE, self.whole, 12), (FIRST_SMALL, self.small, 10)):
            for column in range(columns):
                array[rows, column] = copied[f"value{first + column}"]
        self.whole[rows, I_SAID] = NONE
        self.total = rows.stop

    def sort(self) -> None:
        """Put all rows in their order and make them findable. What few say comes after."""
        rows = slice(0, self.total)
        placed = self.small[rows, S_FLAGS] & PLACED != 0
        keys = self.small[rows, S_KIND].astype(np.int32) * CELLS
        keys += np.where(placed, cell(self.whole[rows, I_X], self.whole[rows, I_Y]), CELLS - 1).astype(np.int32)
        order = np.argsort(keys, kind="stable")
        self.keys = keys[order]
        for array in (self.wide, self.whole, self.small, self.ids):
            array[rows] = array[rows][order]
        mixed = self.ids[rows, 0] ^ self.ids[rows, 1] * _MIX
        self._by_id = np.argsort(mixed).astype(np.int32)
        self._mixed = mixed[self._by_id]

    def say(self, pool: str, said: Sequence[Any]) -> None:
        """What few say, of a row that is there."""
        row = self.row(pool)
        if row is not None:
            self.whole[row, I_SAID] = self._line(_written(*self.ids[row, 2:].tolist()), int(self.small[row, S_FLAGS]), said)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.wide, self.whole, self.small, self.ids, self.rare, self.spans, self.items, self.keys, self._by_id, self._mixed)
        return sum(array.nbytes for array in arrays)

    # --- changing

    def row(self, pool: str) -> int | None:
        """Where a pool stands; its id is written in any way that has all its digits."""
        high, low = _halves(pool)
        found = self._later.get((high, low))
        if found is not None:
            return None if found == GONE else found
        mixed = np.uint64(high) ^ (np.array([low], np.uint64) * _MIX)[0]
        place = int(np.searchsorted(self._mixed, mixed))
        while place < len(self._mixed) and self._mixed[place] == mixed:
            row = int(self._by_id[place])
            if self.ids[row, 0] == high and self.ids[row, 1] == low:
                return row
            place += 1
        return None

    def put(self, pool: str, packed: Sequence[Any] | None) -> None:
        """Take over a row as it is now (`layout.ROW`), or that it is no more. Raises `Full`."""
        row = self.row(pool)
        if row is not None:
            self._kept.pop(row, None)
        if packed is None:
            self._forget(pool, row)
            return
        small = packed[FIRST_SMALL : FIRST_SMALL + 10]
        whole = packed[FIRST_WHOLE:FIRST_SMALL]
        key = self._key(small, whole)
        if row is None or key != self._key(self.small[row], self.whole[row]):
            if self.total == len(self.small):
                raise Full
            self._forget(pool, row)
            row, self.total = self.total, self.total + 1
            self._later[_halves(pool)] = row
            self.whole[row, I_SAID] = NONE
        self.ids[row] = (*_halves(pool), *_halves(packed[1]))
        said = NONE if packed[-1] is None else self._line(packed[1], small[S_FLAGS], packed[-1], int(self.whole[row, I_SAID]))
        self.wide[row] = packed[FIRST_WIDE:FIRST_WHOLE]
        self.whole[row] = (*whole, said)
        self.small[row] = small

    def _forget(self, pool: str, row: int | None) -> None:
        if row is not None:
            self.small[row, S_KIND] = GONE
            self._later[_halves(pool)] = GONE

    @staticmethod
    def _key(small: Sequence[int], whole: Sequence[int]) -> int:
        where = int(cell(int(whole[I_X]), int(whole[I_Y]))) if small[S_FLAGS] & PLACED else CELLS - 1
        return int(small[S_KIND]) * CELLS + where

    def _line(self, service: str, flags: int, said: Sequence[Any], now: int = NONE) -> int:
        """The line of what few say; the one that it has `now`, if that says the same."""
        numbers = [mask or 0 for mask in said[:R_STARTS]]
        numbers += [said[R_STARTS], *(day or 0 for day in said[R_STARTS + 1 : R_SERIES]), self._number(self._series, said[R_SERIES])]
        draws = numbers[R_DRAWN] or flags & EXTENT
        numbers.append(self._number(self._drawers, service if draws else None))
        lists = [values or () for values in said[R_SERIES + 1 :]]
        items = [item for number, values in enumerate(lists) for item in (values if number < CODES_FROM else map(self._code, values))]
        spans = [*accumulate(map(len, lists), initial=0)]
        if len(self._series) != len(self._series_names):
            self._series_names = list(self._series)
        if now != NONE and numbers == self.rare[now].tolist():
            begin, end = self.spans[now, 0], self.spans[now, -1]
            if (self.spans[now] - begin).tolist() == spans and self.items[begin:end].tolist() == items:
                return now
        if self.lines == len(self.rare):
            raise Full
        if self.filled + len(items) > len(self.items):
            self.items = np.concatenate([self.items, np.zeros(max(len(self.items) // 4, len(items)), np.int32)])
        line, self.lines = self.lines, self.lines + 1
        self.rare[line], self.spans[line] = numbers, [self.filled + place for place in spans]
        self.items[self.filled : self.filled + len(items)] = items
        self.filled += len(items)
        return line

    @staticmethod
    def _number(numbers: dict[str, int], name: str | None) -> int:
        return NONE if name is None else numbers.setdefault(name, len(numbers))

    def _code(self, code: str) -> int:
        number = self.codes.get(code)
        if number is None:
            number = self.codes[code] = len(self.names)
            self.names.append(code)
            if number == len(self._kind_of):
                self._kind_of = np.concatenate([self._kind_of, np.zeros_like(self._kind_of)])
            kind = code.partition("|")[0]
            self._kind_of[number] = self._kinds.setdefault(kind, len(self._kinds))
        return number

    # --- asking

    def lives(self, covering: Iterable[str] | None) -> np.ndarray:
        """For each service that drew areas by hand, where the person lives in them; None: nobody knows yet, so in all that it is for."""
        if covering is None:
            return np.full(len(self._drawers) + 1, INSIDE, np.uint8)
        lives = np.zeros(len(self._drawers) + 1, np.uint8)
        for area in covering:
            service, _, rule = area.partition("|")
            if service in self._drawers:
                lives[self._drawers[service]] |= _AREA_RULES[rule]
        return lives

    def best(self, question: Question, *, limit: int, without: Iterable[object], lives: np.ndarray) -> Best:
        """The `limit` best rows: best score first, then nearest, then by id. Of a series of sessions only the next one."""
        left_out = np.array([row for row in map(self.row, map(str, without)) if row is not None], np.int64)
        said = self._said_of_codes(question)
        rows, scores, metres, _, considered, drawn, series = self._sweep(question, said, lives, left_out, limit)
        if series:
            rows, scores, metres, worths, *_ = self._sweep(question, said, lives, left_out, 0)
            kept = self._next_of_each(rows, question.at)
            ids = self.ids[rows[kept]]
            chosen = kept[np.lexsort((ids[:, 1], ids[:, 0], -worths[kept]))[:limit]]
            rows, scores, metres = rows[chosen], scores[chosen], metres[chosen]
        return Best(rows.tolist(), scores.tolist(), metres.tolist(), considered, drawn)

    def _sweep(self, question: Question, said: np.ndarray, lives: np.ndarray, without: np.ndarray, limit: int) -> Any:
        return sweep(
            self.keys, self.total, self.wide, self.whole, self.small, self.rare, self.spans, self.items, self.ids, question.kinds,
            question.asked, said, question.areas, lives, without, limit,
        )  # fmt: skip

    def _next_of_each(self, rows: np.ndarray, at: int) -> np.ndarray:
        """The places in `rows` of all that are no session of a series, and of the first of each series to begin."""
        lines = self.whole[rows, I_SAID]
        series = np.where(lines == NONE, NONE, self.rare[np.maximum(lines, 0), R_SERIES])
        of_one = np.flatnonzero(series != NONE)
        starts = -((at - self.rare[lines[of_one], R_STARTS]) // SECOND)
        ids = self.ids[rows[of_one]]
        order = np.lexsort((ids[:, 1], ids[:, 0], starts, series[of_one]))
        in_order = series[of_one][order]
        first = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
        return np.concatenate([np.flatnonzero(series == NONE), of_one[order[first]]])

    def _said_of_codes(self, question: Question) -> np.ndarray:
        """What is known of the person for each code in the table."""
        need = question.need
        known = np.zeros(len(self._kinds) + 1, np.uint8)
        for kind in need.registered_kinds & self._kinds.keys():
            known[self._kinds[kind]] = KNOWN
        said = known[self._kind_of[: len(self.names)]]
        for bit, codes in ((HAS | MAY, need.diagnoses), (MAY, need.conditions_under), (REGISTERED, need.registered)):
            for code in codes:
                if code in self.codes:
                    said[self.codes[code]] |= bit
        return said

    # --- telling

    def pools_of(self, rows: Sequence[int]) -> list[str]:
        """The ids (32 digits) of some rows."""
        digits = self.ids[rows, :2].astype(">u8").tobytes().hex()
        return [digits[place : place + 32] for place in range(0, len(digits), 32)]

    def kept(self, rows: Sequence[int]) -> list[Kept]:
        """What stays of the facts of some rows."""
        missing = [row for row in rows if row not in self._kept]
        if missing:
            if len(self._kept) + len(missing) > KEPT:
                self._kept.clear()
                missing = list(rows)
            arrays = [array[missing].tolist() for array in (self.ids, self.wide, self.whole, self.small)]
            for row, *facts in zip(missing, *arrays, strict=True):
                self._kept[row] = self._keep(*facts)
        return [self._kept[row] for row in rows]

    @staticmethod
    def versions_of(kept: Iterable[Kept]) -> Versions:
        """Where some rows lie and their numbers."""
        kept = list(kept)
        return Versions(f"{{{','.join([one.place for one in kept])}}}", f"{{{','.join([one.version for one in kept])}}}")

    @staticmethod
    def facts(kept: Iterable[Kept], question: Question, lives: np.ndarray) -> Iterator[PoolFacts]:
        """The facts of some rows, as `matching.queries` would have them."""
        for values, assured, reported, rare, _, _ in kept:
            values = values.copy()
            if assured != NONE:
                values[_ASSURED] = question.today - assured
            if reported != NEVER:
                values[_AGE] = (question.at - reported) // SECOND
            if rare is not None:
                _of_now(values, rare, question, lives)
            yield PoolFacts._make(values)

    def _keep(self, ids: list[int], wide: list[int], whole: list[int], small: list[int]) -> Kept:
        """What is so of a row whoever asks, and when."""
        pool_high, pool_low, service_high, service_low = ids
        accepts, requires, excludes, prefers, funding, languages, sources, reported, place = wide
        x, y, catchment, price, assured, free, maximum, fresh, expire, wait, times, version, line = whole
        kind, flags, status, sex, rating, low, high, leaning, said_yes, answers = small
        series, limited, rare = None, None, None
        rest: dict[str, Any] = {}
        if line != NONE:
            rare = self.rare[line].tolist()
            limited, rest = self._said(line, rare)
            accepts, requires = accepts | rare[0] << WORD, requires | rare[1] << WORD
            excludes, prefers = excludes | rare[2] << WORD, prefers | rare[3] << WORD
            series = None if rare[R_SERIES] == NONE else self._series_names[rare[R_SERIES]]
            if rare[R_STARTS] == NEVER and rare[R_DRAWER] == NONE and not any(rare[R_STARTS + 1 : R_SERIES]):
                rare = None
        values: list[Any] = [
            _written(pool_high, pool_low), _written(service_high, service_low), kind, flags & 1 != 0,
            x if flags & PLACED else None, y if flags & PLACED else None, flags & 2 != 0, catchment, limited, flags & EXTENT != 0, False,
            accepts, requires, excludes, prefers, funding, languages, sources,
            None if low == LOWEST else low, None if high == HIGHEST else high, sex,
            None if price == NONE else price, rating or None, None, None if free == NONE else free, None if maximum == NONE else maximum,
            status, None, fresh, expire, 8 if rating >= 3 else 0, None if wait == NONE else wait, None, series, times,
            None if leaning == LOWEST else leaning, said_yes, answers, *_NOTHING_RARE,
        ]  # fmt: skip
        for name, value in rest.items():
            values[_AT[name]] = value
        return Kept(values, assured, reported, rare, f'"({place >> 16},{place & 0xFFFF})"', str(version + 2_147_483_648))

    def _said(self, line: int, rare: list[int]) -> tuple[tuple[int, ...] | None, dict[str, Any]]:
        """Of what few say: the areas, and the other facts by name."""
        spans = self.spans[line].tolist()
        items = self.items[spans[0] : spans[-1]].tolist()
        rest: dict[str, Any] = {name: value for name, value in zip(_OTHER_MASKS, rare[4:R_DRAWN], strict=True) if value}
        areas = None
        for number, name in enumerate(LISTS):
            if spans[number] == spans[number + 1]:
                continue
            values = items[spans[number] - spans[0] : spans[number + 1] - spans[0]]
            if number == 0:
                areas = tuple(values)
            else:
                rest[name] = tuple(values) if number < CODES_FROM else tuple([self.names[value] for value in values])
        return areas, rest


def _of_now(values: list[Any], rare: list[int], question: Question, lives: np.ndarray) -> None:
    """Put in its place what hangs on the day, the hour and where the person lives."""
    values[_MARKS] += sum((until >= question.today) << bit for bit, until in enumerate(rare[R_STARTS + 1 : R_SERIES]))
    if rare[R_STARTS] != NEVER:
        values[_STARTS_IN] = -((question.at - rare[R_STARTS]) // SECOND)
    home = 0 if rare[R_DRAWER] == NONE else int(lives[rare[R_DRAWER]])
    values[_INSIDE] = values[_EXTENT] and home & INSIDE != 0
    if rare[R_DRAWN] & 1:
        values[_DRAWN_OUT] = home & RULED_OUT != 0
    if rare[R_DRAWN] & 2:
        values[_DRAWN_FIRST] = home & FIRST != 0
