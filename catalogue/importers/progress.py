"""How far a run is, told while its one large transaction still runs, and the wish that it should stop.

Both go over a connection of their own: what the import writes becomes visible only when it ends.
"""

import time
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from core.errors import Conflict, LuneError

#: Seconds between two words about how far a run is.
PAUSE = 1.0
#: "Import" in a row of PostgreSQL's advisory locks: one import at a time.
LOCK = 0x1_0EF


class Stopped(LuneError):
    """Somebody asked for the run to end."""

    code = "stopped"


class Watch:
    """Use as a context manager: while it is open, no other import runs."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self._told = 0.0
        self._connection: BaseDatabaseWrapper | None = None

    def __enter__(self) -> "Watch":
        self._connection = connection.copy()
        if not self._ask("SELECT pg_try_advisory_lock(%s)", LOCK)[0]:
            self._connection.close()
            self._connection = None
            raise Conflict("Another import is running. Wait until it has finished, then try again.", code="import-running")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._connection is not None:
            self._ask("SELECT pg_advisory_unlock(%s)", LOCK)
            self._connection.close()
            self._connection = None

    def tell(self, stage: str, done: int, total: int | None, *, now: bool = False) -> None:
        """Write how far the run is, at most once each `PAUSE`, unless `now`. Raises `Stopped` when somebody has asked for that."""
        moment = time.monotonic()
        if self._connection is None or (moment - self._told < PAUSE and not now):
            return
        self._told = moment
        row = self._ask(
            "UPDATE catalogue_importrun SET stage = %s, done = %s, total = %s WHERE id = %s RETURNING stop_requested_at",
            stage[:60],
            done,
            total,
            self.run_id,
        )
        if row and row[0] is not None:
            raise Stopped("The import was stopped. Nothing was changed; start it again when you like.")

    def _ask(self, statement: str, *values: Any) -> tuple:
        assert self._connection is not None
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone() or ()


def is_running() -> bool:
    """Whether an import holds the lock now, in whatever process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        free = cursor.fetchone()[0]
        if free:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return not free
