"""A table, how far it has come, and ranking in it.

A ranking takes one round trip: the best rows of the table are found, then one statement says what changed since the table was last brought
up to date and whether those rows are still as they were. When something changed, it is taken over and the best are found again. So the
answer is what the SQL would have said at the instant of that statement, and nothing stale is shown.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from matching.engine.check import Ranked
from matching.engine.problem import Need, Weights
from matching.queries import Ranking
from matching.snapshot import source
from matching.snapshot.asking import question
from matching.snapshot.layout import NONE
from matching.snapshot.source import Answer
from matching.snapshot.table import Full, Table, Versions

#: Seconds after which a table that was not brought up to date is given up: long before the changes that it would need are deleted.
LASTS = 3_600
#: How often the best are looked for anew because something changed in between, before the SQL is asked.
TURNS = 4
#: What is asked of a new table, so that all is compiled before somebody waits for it.
_ANYBODY = Need(age=80, sex=0, x=530_000, y=180_000, care_types=3)


class Behind(Exception):
    """The table cannot say what is so now."""


@dataclass
class Held:
    """Whoever reads or changes the table holds the lock."""

    table: Table
    seen: str
    """The snapshot of PostgreSQL up to which the table has come."""
    started: str
    """When the server was started; a table does not outlive it."""
    looked_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls) -> "Held":
        """Read all rows, on a connection without a transaction."""
        began = time.monotonic()
        table, seen, started = source.load()
        table.best(question(_ANYBODY, Weights(), datetime.now(UTC)), limit=1, without=(), lives=table.lives(()))
        return cls(table, seen, started, began)

    def rank(self, need: Need, weights: Weights, *, at: datetime, limit: int, without: Iterable[UUID] = ()) -> Ranking | None:
        """As `matching.queries.rank`; None when this transaction has itself changed facts, or others change them all the time.

        Raises `Behind`.
        """
        asked, without = question(need, weights, at), list(without)
        covering: list[str] | None = None
        drawn = False
        for _ in range(TURNS):
            with self.lock:
                seen, lives = self.seen, self.table.lives(covering)
                best = self.table.best(asked, limit=limit, without=without, lives=lives)
                drawn = drawn or best.drawn
                if drawn and covering is None:  # not all of them will turn out to fit
                    best = self.table.best(asked, limit=2 * limit + 10, without=without, lives=lives)
                kept = self.table.kept(best.rows)
            answer = source.follow(seen, self.table.versions_of(kept), home=f"SRID=27700;POINT({need.x} {need.y})", drawn=drawn)
            if answer.own:
                return None
            with self.lock:
                if self.seen != seen:
                    continue  # somebody else was faster: what was said is of an older table
                self._take(answer, best.rows)
                if answer.changes or drawn:
                    shown, covering, lives = set(best.rows), answer.covering, self.table.lives(answer.covering)
                    best = self.table.best(asked, limit=limit, without=without, lives=lives)
                    new = self.table.pools_of([row for row in best.rows if row not in shown])
                    drawn = drawn or best.drawn
                    if (drawn and covering is None) or not answer.changes.keys() >= set(new):
                        continue
                    kept = self.table.kept(best.rows)
            facts = self.table.facts(kept, asked, lives)
            ranked = zip(facts, best.scores, best.metres, strict=True)
            return Ranking([Ranked(facts, score, None if away == NONE else away) for facts, score, away in ranked], best.considered)
        return None

    def catch_up(self) -> None:
        """Take over what changed. Raises `Behind`."""
        with self.lock:
            seen = self.seen
        answer = source.follow(seen, Versions("{}", "{}"), home="SRID=27700;POINT(0 0)", drawn=False)
        with self.lock:
            if self.seen == seen and not answer.own:
                self._take(answer, [])

    def _take(self, answer: Answer, rows: list[int]) -> None:
        """Take over the changes, if these rows are otherwise as they should be."""
        if answer.started != self.started:
            raise Behind("the server was started anew")
        if time.monotonic() - self.looked_at > LASTS:
            raise Behind("it was not brought up to date for long")
        if answer.too_many:
            raise Behind(f"more than {source.MOST} rows changed")
        changed = sum(pool in answer.changes for pool in self.table.pools_of(rows)) if answer.changes else 0
        if answer.same < len(rows) - changed:
            raise Behind("a row is not as it was, and no change was noted")
        try:
            for pool, packed in answer.changes.items():
                self.table.put(pool, packed)
        except Full:
            raise Behind("it is full") from None
        if answer.changes:
            self.seen = answer.seen
        self.looked_at = time.monotonic()
