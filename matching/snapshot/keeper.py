"""The one table of a process: loaded by a thread, kept current, given up when it is not sure of itself. Without one the SQL answers.

A process that serves people holds one (`hold`, from `config.asgi`); commands and workers, which rank seldom, ask the SQL. What compiles
and what computes is imported by the thread alone, so that no other process pays for it.
"""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from matching.engine.problem import Need, Weights
from matching.queries import Ranking

if TYPE_CHECKING:
    from matching.snapshot.held import Held

logger = logging.getLogger(__name__)

#: Seconds between two looks at what changed, and before a table that was given up, or could not be read, is built anew.
TICK, PAUSE = 1.0, 5.0


class Keeper:
    """`held` is the table, or None while there is none."""

    def __init__(self) -> None:
        self.held: Held | None = None
        self._thread: threading.Thread | None = None

    def hold(self) -> None:
        """Load a table and keep it current, in a thread that lasts as long as the process; where the setting says so."""
        if settings.MATCH_IN_MEMORY and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="facts in memory", daemon=True)
            self._thread.start()

    def rank(self, need: Need, weights: Weights, *, at: datetime, limit: int, without: Iterable[UUID] = ()) -> Ranking | None:
        """As `matching.queries.rank`, from memory; None when memory cannot say."""
        held = self.held
        if held is None:
            return None
        from matching.snapshot.held import Behind

        try:
            return held.rank(need, weights, at=at, limit=limit, without=without)
        except Behind as reason:
            self._give_up(held, reason)
            return None

    def look(self) -> float:
        """Load a table if there is none, else bring it up to date. Returns how many seconds to wait before the next look."""
        from matching.snapshot.held import Behind, Held

        held = self.held
        if held is None:
            began = time.monotonic()
            self.held = held = Held.load()
            size = held.table.nbytes / 1e6
            logger.info("matching: %d rows in memory (%.0f MB) after %.1f s", held.table.total, size, time.monotonic() - began)
            return TICK
        try:
            held.catch_up()
        except Behind as reason:
            self._give_up(held, reason)
            return PAUSE
        return TICK

    def _give_up(self, held: "Held", reason: Exception) -> None:
        if self.held is held:
            logger.warning("matching: the SQL answers until the rows in memory are read anew: %s", reason)
            self.held = None

    def _run(self) -> None:
        while True:
            try:
                pause = self.look()
            except (Error, OSError) as error:
                # What is in memory stays: whoever asks meets the database itself.
                logger.warning("matching: PostgreSQL is away (%s)", type(error).__name__, exc_info=True)
                pause = PAUSE
            finally:
                connection.close()
            time.sleep(pause)


keeper = Keeper()
