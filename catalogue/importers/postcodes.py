"""Postcodes: Code-Point Open, the same with latitude and longitude, or the ONS Postcode Directory.

Rows stream from the file through COPY: into the table itself while that is empty, which is the fastest way there is, and otherwise into
a temporary one, from which they are merged by set operations. Memory does not grow with the file, and rows that are already as the
file says are not written again.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import IO

from django.db import IntegrityError, connection, transaction

from core.geo import BNG, WGS84, normal_postcode

from .files import reading
from .run import BrokenSource, Importing

#: Columns by what they mean; the first that the file has is used. `#` stands for a year.
_COLUMNS = {
    "postcode": (r"postcode", r"pcds", r"pcd\d?"),
    "quality": (r"quality", r"positional_quality_indicator"),
    "grid_quality": (r"osgrdind", r"gridind"),
    "easting": (r"easting", r"eastings", r"oseast1m", r"east1m"),
    "northing": (r"northing", r"northings", r"osnrth1m", r"north1m"),
    "latitude": (r"lat", r"latitude"),
    "longitude": (r"lon", r"long", r"longitude"),
    "lad": (r"lad", r"lad\d\dcd", r"oslaua", r"laua", r"admin_district_code"),
    "ward": (r"ward", r"wd\d\dcd", r"osward", r"admin_ward_code"),
}
_WELL_FORMED = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}").fullmatch
_GSS = re.compile(r"[A-Z][0-9]{8}").fullmatch
#: What each value of a good row looks like, for whole chunks at a time. Anything else is looked at row by row.
_PLAIN = {
    "postcode": r"(?!BT)[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}",
    "quality": r"[1-8]0",
    "easting": r"(?:[1-6][0-9]{5}|[1-9][0-9]{0,4})",
    "northing": r"(?:1[0-2][0-9]{5}|[1-9][0-9]{0,5})",
    "lad": r"(?:[A-Z][0-9]{8})?",
    "ward": r"(?:[A-Z][0-9]{8})?",
}
#: The columns of the table, which `_PLAIN` names too.
_INTO = ("postcode", "quality", "easting", "northing", "lad", "ward")
NO_COORDINATE = 90
#: The National Grid ends here, in metres.
_MAX_EASTING, _MAX_NORTHING = 700_000, 1_300_000
#: Characters read at once. Small, because a chunk with one bad row is read row by row.
_CHUNK = 16_384
_TABLE = "catalogue_postcode"


@dataclass(frozen=True)
class _Columns:
    """Where each value stands in a row."""

    at: dict[str, int]
    width: int
    on_grid: bool
    """The file has eastings and northings; otherwise longitude and latitude."""

    def plain(self) -> re.Pattern[str] | None:
        """What a chunk of good rows matches as a whole; None when the file has columns that are not taken."""
        names = sorted(self.at, key=self.at.__getitem__)
        if len(names) < self.width or set(names) != set(_PLAIN):
            return None
        return re.compile(f"(?:{','.join(_PLAIN[name] for name in names)}\n)+")

    def copied(self) -> list[str]:
        """The table's columns in the order of the file, or in one order for a file that needs rewriting."""
        return sorted(_INTO, key=lambda name: self.at.get(name, 0)) if self.plain() else list(_INTO)


def load(path: Path, importing: Importing) -> None:
    """Merge a file of postcodes into the database. What the file does not name stays as it is."""
    importing.begin("Reading", None)
    with connection.cursor() as cursor, reading(path, newline=None) as text:
        columns = _find_columns(path, next(csv.reader(text.readlines(1)), []))
        cursor.execute(f"LOCK TABLE {_TABLE} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {_TABLE})")  # noqa: S608
        if columns.on_grid and not cursor.fetchone()[0]:
            added, changed, unchanged = _fill(text, columns, importing, cursor), 0, 0
        else:
            added, changed, unchanged = _merge(text, columns, importing, cursor)
        importing.count("postcodes", added=added, changed=changed, unchanged=unchanged)
        if added or changed:
            _place_outcodes(cursor, importing)


def _copy(text: IO[str], table: str, columns: _Columns, importing: Importing, cursor) -> None:
    """Copy the good rows of the file into a table."""
    plain = columns.plain()
    number = 1
    with cursor.copy(f"COPY {table} ({', '.join(columns.copied())}) FROM STDIN (DELIMITER ',')") as copy:
        while lines := text.readlines(_CHUNK):
            chunk = "".join(lines)
            if plain is None or not plain.fullmatch(chunk):
                chunk = "".join(_good_rows(lines, number + 1, columns, importing))
            copy.write(chunk)
            number += len(lines)
            importing.advance(len(lines))


def _find_columns(path: Path, header: list[str]) -> _Columns:
    names = [name.strip().lower() for name in header]
    at: dict[str, int] = {}
    for meaning, patterns in _COLUMNS.items():
        for pattern in patterns:
            index = next((index for index, name in enumerate(names) if re.fullmatch(pattern, name)), None)
            if index is not None:
                at.setdefault(meaning, index)
    on_grid = {"easting", "northing"} <= at.keys()
    if not {"postcode", "lad"} <= at.keys() or not (on_grid or {"latitude", "longitude"} <= at.keys()):
        raise BrokenSource(
            f"{path.name} is not a file of postcodes: its first line must name postcode, easting and northing (or lat and lon), and lad."
        )
    return _Columns(at, len(header), on_grid)


def _good_rows(lines: list[str], first: int, columns: _Columns, importing: Importing) -> Iterator[str]:
    """The good ones of some lines as COPY wants them. What is bad goes to quarantine. `first` is the number of the first line."""
    order = columns.copied()
    for number, row in enumerate(csv.reader(lines), start=first):
        if len(row) != columns.width:
            if row:
                importing.reject(f"line {number}", "", f"The row has not {columns.width} values.", "Correct the commas in the row.", row)
            continue
        values, fault = _read(row, columns)
        if fault:
            importing.reject(f"line {number}", *fault, row)
        else:
            yield ",".join(str(values[name]) for name in order) + "\n"


def _read(row: list[str], columns: _Columns) -> tuple[dict[str, object], tuple[str, str, str] | None]:
    """The values of one row by column (perhaps degrees in place of metres), and what is wrong with it: field, reason, advice."""
    at, on_grid = columns.at, columns.on_grid
    postcode = normal_postcode(row[at["postcode"]])
    quality = _quality(row, at)
    lad = row[at["lad"]].strip()
    ward = row[at["ward"]].strip() if "ward" in at else ""
    try:
        x, y = (float(row[at[name]]) for name in (("easting", "northing") if on_grid else ("longitude", "latitude")))
    except ValueError:
        x = y = 0.0
    if not (isfinite(x) and isfinite(y)):
        x = y = 0.0
    values: dict[str, object] = {
        "postcode": postcode,
        "quality": quality,
        "easting": round(x) if on_grid else x,
        "northing": round(y) if on_grid else y,
        "lad": lad,
        "ward": ward if _GSS(ward) else "",
    }
    fault = None
    if postcode is None:
        fault = ("postcode", "This is not a postcode.", "Correct the postcode.")
    elif quality is None or quality >= NO_COORDINATE or not (x and y):
        fault = ("quality", "It has no coordinate.", "Nothing: the publisher does not know where it is.")
    elif on_grid and postcode.startswith("BT"):
        fault = ("easting", "Northern Ireland uses the Irish grid.", "Load a file that has lat and lon for these.")
    elif on_grid and not (0 < x < _MAX_EASTING and 0 < y < _MAX_NORTHING):
        fault = ("easting", "The coordinate lies outside Great Britain.", "Correct easting and northing.")
    elif not on_grid and not (-9 < x < 2.5 and 49 < y < 61.5):
        fault = ("lat", "The coordinate lies outside the United Kingdom.", "Correct lat and lon.")
    elif lad and not _GSS(lad):
        fault = ("lad", "The district's code has not the form E07000123.", "Correct the code, or leave it empty.")
    return values, fault


def _quality(row: list[str], at: dict[str, int]) -> int | None:
    """Code-Point Open's figure: 10 best, 90 no coordinate. The ONS counts the same steps from 1 to 9. None: unreadable."""
    try:
        if "quality" in at:
            return int(row[at["quality"]])
        return int(row[at["grid_quality"]]) * 10 if "grid_quality" in at else 10
    except ValueError:
        return None


def _fill(text: IO[str], columns: _Columns, importing: Importing, cursor) -> int:
    """Fill the empty table; its index is built afterwards, in a third of the time that an index in place would take."""
    cursor.execute(f"ALTER TABLE {_TABLE} DROP CONSTRAINT {_TABLE}_pkey")
    _copy(text, _TABLE, columns, importing, cursor)
    try:
        with transaction.atomic():
            cursor.execute(f"ALTER TABLE {_TABLE} ADD PRIMARY KEY (postcode)")
    except IntegrityError:
        _drop_repeats(_TABLE, importing, cursor)
        cursor.execute(f"ALTER TABLE {_TABLE} ADD PRIMARY KEY (postcode)")
    cursor.execute(f"SELECT count(*) FROM {_TABLE}")  # noqa: S608
    return cursor.fetchone()[0]


def _drop_repeats(table: str, importing: Importing, cursor) -> None:
    """Keep the first row of each postcode and put the others into quarantine."""
    cursor.execute(
        f"DELETE FROM {table} WHERE ctid IN ("  # noqa: S608
        f" SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY postcode ORDER BY ctid) AS nth FROM {table}) AS counted"
        " WHERE nth > 1) RETURNING postcode"
    )
    for (postcode,) in cursor.fetchall():
        importing.reject(postcode, "postcode", "The postcode stands in the file more than once.", "The first was used. Delete the others.")


def _merge(text: IO[str], columns: _Columns, importing: Importing, cursor) -> tuple[int, int, int]:
    """Write what is new or different, leave alone what is neither; returns how many were added, changed and left."""
    cursor.execute(
        'CREATE TEMPORARY TABLE incoming (postcode varchar(8) COLLATE "C", quality smallint, easting float8, northing float8,'
        " lad varchar(9), ward varchar(9)) ON COMMIT DROP"
    )
    _copy(text, "incoming", columns, importing, cursor)
    importing.begin("Merging", None)
    if not columns.on_grid:
        cursor.execute(
            "UPDATE incoming SET (easting, northing) = (SELECT ST_X(at), ST_Y(at) FROM"  # noqa: S608
            f" ST_Transform(ST_SetSRID(ST_MakePoint(easting, northing), {WGS84}), {BNG}) AS at)"
        )
    _drop_repeats("incoming", importing, cursor)
    cursor.execute("ANALYZE incoming")
    new = "(SELECT postcode, quality, round(easting)::int AS easting, round(northing)::int AS northing, lad, ward FROM incoming) AS new"
    values = "quality", "easting", "northing", "lad", "ward"
    old_row, new_row = (", ".join(f"{side}.{name}" for name in values) for side in ("old", "new"))
    cursor.execute(
        f"UPDATE {_TABLE} AS old SET {', '.join(f'{name} = new.{name}' for name in values)} FROM {new}"  # noqa: S608
        f" WHERE old.postcode = new.postcode AND ({old_row}) IS DISTINCT FROM ({new_row})"
    )
    changed = cursor.rowcount
    cursor.execute(
        f"INSERT INTO {_TABLE} (postcode, {', '.join(values)}) SELECT postcode, {', '.join(values)} FROM {new}"  # noqa: S608
        f" WHERE NOT EXISTS (SELECT 1 FROM {_TABLE} AS old WHERE old.postcode = new.postcode)"
    )
    added = cursor.rowcount
    cursor.execute("SELECT count(*) FROM incoming")
    count = cursor.fetchone()[0]
    cursor.execute("DROP TABLE incoming")
    return added, changed, count - added - changed


def _place_outcodes(cursor, importing: Importing) -> None:
    """Put each outcode that the file touched in the middle of its postcodes. Towns that are known stay."""
    cursor.execute(
        f"""
        WITH part AS MATERIALIZED (  -- or the planner sorts all postcodes, expecting as many groups
            SELECT left(postcode, -4) AS code, lad, count(*) AS n, sum(easting::int8) AS x, sum(northing::int8) AS y
            FROM {_TABLE}
            GROUP BY 1, 2
        ), middle AS (
            SELECT code, ST_SetSRID(ST_MakePoint(sum(x) / sum(n), sum(y) / sum(n)), {BNG}) AS point,
                   (array_agg(lad ORDER BY n DESC, lad))[1] AS lad
            FROM part
            GROUP BY code
        )
        INSERT INTO catalogue_outcode AS old (code, town, point, lad)
        SELECT code, '', point, lad FROM middle
        ON CONFLICT (code) DO UPDATE SET point = excluded.point, lad = excluded.lad
        WHERE NOT ST_DWithin(old.point, excluded.point, 1) OR old.lad <> excluded.lad
        RETURNING (xmax = 0)
        """  # noqa: S608
    )
    fresh = [added for (added,) in cursor.fetchall()]
    importing.count("outcodes", added=sum(fresh), changed=len(fresh) - sum(fresh))
