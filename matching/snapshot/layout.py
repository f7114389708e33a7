"""What stands where in the packed arrays, and how PostgreSQL says it.

A row is a line of three arrays: `wide` (64 bits), `whole` (32) and `small` (16). What few services say stands in two more, to which the
row points: `rare` and `spans`, the places of its ten lists in one long array of items. Each value is a number; if not stated, `NONE`.
"""

from typing import Any

import numpy as np

#: Not stated, in 32 bits. Where it is the lowest age, the highest age or a distance, it refuses nobody.
NONE = -2_147_483_648
#: Never: of instants, which are microseconds since 1970.
NEVER = -9_223_372_036_854_775_808
#: Not stated, in 16 bits: the lowest for what is at least, the highest for what is at most.
LOWEST, HIGHEST = -32_768, 32_767
#: Kind of a row that is no more.
GONE = -1
#: Side of a cell in metres; cells from west to east and from south to north. What lies beyond counts to the outermost.
CELL, ACROSS, UP = 5_000, 140, 260
#: Cells of one kind; the last is for pools that are not on the map.
CELLS = ACROSS * UP + 1


#: Columns of `wide`. `PLACE` is where the row lies in PostgreSQL (`ctid`): its page, and in the last 16 bits its number there.
(W_ACCEPTS, W_REQUIRES, W_EXCLUDES, W_PREFERS, W_FUNDING, W_LANGUAGES, W_SOURCES, W_REPORTED, W_PLACE) = range(9)
#: Columns of `whole`. `SAID` is the line in `rare`, or NONE; `VERSION` is the row's own in PostgreSQL (`xmin`).
(I_X, I_Y, I_CATCHMENT, I_PRICE, I_ASSURED, I_FREE, I_MAXIMUM, I_FRESH, I_EXPIRE, I_WAIT, I_TIMES, I_VERSION, I_SAID) = range(13)
#: Columns of `small`.
(S_KIND, S_FLAGS, S_STATUS, S_SEX, S_CQC, S_MIN_AGE, S_MAX_AGE, S_LEANING, S_SAID_YES, S_ANSWERS) = range(10)
#: Bits of the flags.
OPEN, ONLINE, EXTENT, PLACED, CODED, LIMITED = 1, 2, 4, 8, 16, 32
#: The columns of `PoolFact` that are masks in `rare`: null and 0 say the same.
RARE_MASKS = (
    "own_accepts", "own_requires", "own_excludes", "own_prefers", "funding_out", "languages_out", "sources_out",
    "funding_first", "languages_first", "sources_first", "funding_must", "languages_must", "sources_must", "drawn",
)  # fmt: skip
#: Columns of `rare`. `SERIES` and `DRAWER` (the service, where it drew an area by hand) are numbers that the table gave, or NONE.
(
    R_OWN_ACCEPTS, R_OWN_REQUIRES, R_OWN_EXCLUDES, R_OWN_PREFERS, R_FUNDING_OUT, R_LANGUAGES_OUT, R_SOURCES_OUT,
    R_FUNDING_FIRST, R_LANGUAGES_FIRST, R_SOURCES_FIRST, R_FUNDING_MUST, R_LANGUAGES_MUST, R_SOURCES_MUST, R_DRAWN,
    R_STARTS, R_MARK, _, _, R_SERIES, R_DRAWER,
) = range(20)  # fmt: skip
RARE = 20
#: The columns of `PoolFact` that are lists, as they follow one another among the items: areas by number, the others by number of the code.
LISTS = (
    "area_ids", "areas_out", "areas_first", "conditions_in", "conditions_out", "conditions_ok", "conditions_first",
    "registered_in", "registered_out", "registered_first",
)  # fmt: skip
(
    L_AREAS, L_AREAS_OUT, L_AREAS_FIRST, L_CONDITIONS_IN, L_CONDITIONS_OUT, L_CONDITIONS_OK, L_CONDITIONS_FIRST,
    L_REGISTERED_IN, L_REGISTERED_OUT, L_REGISTERED_FIRST,
) = range(10)  # fmt: skip
#: The first of the lists that hold codes.
CODES_FROM = L_CONDITIONS_IN


def _ordinal(date: str) -> str:
    """The day as Python counts it."""
    return f"({date} - DATE '0001-01-01' + 1)"


def _instant(moment: str) -> str:
    return f"coalesce((extract(epoch FROM {moment}) * 1000000)::bigint, {NEVER})"


def _or_none(expression: str) -> str:
    return f"coalesce({expression}, {NONE})::int4"


_FLAGS = " + ".join(
    f"{bit} * ({condition})::int"
    for bit, condition in (
        (OPEN, "f.is_open"),
        (ONLINE, "f.online"),
        (EXTENT, "f.has_extent"),
        (PLACED, "f.point IS NOT NULL"),
        (CODED, "f.coded"),
        (LIMITED, "f.area_ids IS NOT NULL"),
    )
)
_WIDE = [f"f.{name}::int8" for name in ("accepts", "requires", "excludes", "prefers", "funding", "languages", "sources")]
_WIDE += [_instant("f.reported_at"), "((f.ctid::text::point)[0]::int8 << 16) + (f.ctid::text::point)[1]::int8"]
_WHOLE = [
    _or_none("ST_X(f.point)::int"),
    _or_none("ST_Y(f.point)::int"),
    "f.catchment_m::int4",
    _or_none("f.price_pence"),
    _or_none(_ordinal("f.assured_on")),
    _or_none("f.free"),
    _or_none("f.maximum"),
    "f.fresh_s::int4",
    "f.expire_s::int4",
    _or_none("f.wait_days"),
    "coalesce(f.times, 0)::int4",
    # Of 32 bits without a sign, as one with: only whether it is the same matters.
    "(f.xmin::text::int8 - 2147483648)::int4",
]
_SMALL = [
    "f.care_type::int2",
    f"({_FLAGS})::int2",
    "f.status::int2",
    "f.sex::int2",
    "coalesce(f.cqc_rating, 0)::int2",
    f"coalesce(f.min_age, {LOWEST})::int2",
    f"coalesce(f.max_age, {HIGHEST})::int2",
    f"coalesce(f.leaning, {LOWEST})::int2",
    "coalesce(f.said_yes, 0)::int2",
    "coalesce(f.answers, 0)::int2",
]
#: The columns that every row has, as the arrays hold them; none is null.
PACKED = ["f.pool_id", "f.service_id", *_WIDE, *_WHOLE, *_SMALL]
#: Whether a row says something of what few say.
SAYS = "(f.coded OR f.has_extent OR f.area_ids IS NOT NULL OR f.marks_until IS NOT NULL OR f.starts_at IS NOT NULL OR f.series IS NOT NULL)"
_RARE = [f"f.{name}" for name in RARE_MASKS] + [
    _instant("f.starts_at"),
    *(f"{_ordinal(f'f.marks_until[{number}]')}" for number in (1, 2, 3)),
    "f.series",
    *(f"f.{name}" for name in LISTS),
]
#: What few say, as one JSON array: masks, when it begins, marks, the series and the lists.
SAID = f"CASE WHEN {SAYS} THEN json_build_array({', '.join(_RARE)}) END"
#: A whole row as one JSON array.
ROW = f"json_build_array({', '.join([*PACKED, SAID])})"

#: A row of binary COPY with these columns: each value after its length, all numbers with the greatest byte first.
_TYPES = [(">u8", (2,))] * 2 + [(">i8", ())] * len(_WIDE) + [(">i4", ())] * len(_WHOLE) + [(">i2", ())] * len(_SMALL)
COPIED = np.dtype(
    [("columns", ">i2")]
    + [field for number, type_ in enumerate(_TYPES) for field in ((f"length{number}", ">i4"), (f"value{number}", *type_))]
)
#: The first of the wide, whole and small columns among them.
FIRST_WIDE, FIRST_WHOLE, FIRST_SMALL = 2, 2 + len(_WIDE), 2 + len(_WIDE) + len(_WHOLE)


def cell(x: Any, y: Any) -> Any:
    """The cell of a place; of numbers or of arrays."""
    return np.clip(y // CELL, 0, UP - 1) * ACROSS + np.clip(x // CELL, 0, ACROSS - 1)
