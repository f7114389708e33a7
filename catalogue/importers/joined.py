"""Tables that belong together, joined on disk: a database of their own that lives as long as the file is read."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

Row = dict[str, Any]
#: Kilobytes of it that are held in memory; the rest is on disk.
_CACHE_KB = 16_000


class Joined:
    """Rows by table, found by one key of each. Of several with one id the last counts, as in a dictionary."""

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self._sorted = False
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # no name: on disk, and gone when it is closed
        for statement in (
            f"PRAGMA cache_size = -{_CACHE_KB}",
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA temp_store = FILE",
            "CREATE TABLE part (of_table TEXT NOT NULL, key TEXT NOT NULL, row TEXT NOT NULL)",
            "BEGIN",
        ):
            self._database.execute(statement)

    def put(self, table: str, key: str, rows: Iterable[Row]) -> None:
        """Add rows, to be found by what they have in that column; without a column, in their order only."""
        self.tables.add(table)
        packed = ((table, row.get(key, ""), json.dumps(row)) for row in rows)
        self._database.executemany("INSERT INTO part VALUES (?, ?, ?)", packed)

    def each(self, table: str) -> Iterator[Row]:
        """All rows of a table, in the order in which they came."""
        self._sort()
        for (row,) in self._database.execute("SELECT row FROM part WHERE of_table = ? AND key = '' ORDER BY rowid", [table]):
            yield json.loads(row)

    def of(self, table: str, key: str) -> list[Row]:
        """The rows that have that key; none have an empty one."""
        if not key or table not in self.tables:
            return []
        self._sort()
        found = self._database.execute("SELECT row FROM part WHERE of_table = ? AND key = ? ORDER BY rowid", [table, key])
        return [json.loads(row) for (row,) in found]

    def one(self, table: str, key: str) -> Row | None:
        """The last row that has that key."""
        return next(reversed(self.of(table, key)), None)

    def close(self) -> None:
        """The file goes with it."""
        self._database.close()

    def _sort(self) -> None:
        if not self._sorted:
            self._database.execute("CREATE INDEX part_key ON part (of_table, key)")
            self._sorted = True
