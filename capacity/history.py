"""The history of places summed up: a line for each pool and each whole day of London's calendar, of 23, 24 or 25 hours.

A line says what Lune showed on that day, by the clock of the server. A report that came late changed nothing that was shown: it is
counted among the reports, and believed nowhere. That is why a day never changes once it is over, and why summing twice gives the same.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from core.clock import local_date

#: So many days are summed in one statement and one transaction.
STEP = timedelta(days=7)

# A figure is in force from when it came until the next one came, in the order of versions; two servers' clocks may differ a little, so
# that the times of versions are made to rise. It is known for as long as `capacity.status.rag` would show another colour than grey.
_SUM = """
WITH span AS (
    SELECT %(first)s::date::timestamp AT TIME ZONE 'Europe/London' AS begins,
           (%(last)s::date + 1)::timestamp AT TIME ZONE 'Europe/London' AS ends
), days AS (
    SELECT d::date AS day, d AT TIME ZONE 'Europe/London' AS begins, (d + interval '1 day') AT TIME ZONE 'Europe/London' AS ends
    FROM generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') AS d
), changed AS (
    SELECT pool_id, min(version) AS version FROM capacity_capacityreport, span
    WHERE kind <> 'late' AND received_at >= begins AND received_at < ends + interval '1 hour' GROUP BY pool_id
), figures AS (
    SELECT p.id AS pool_id, r.version, r.received_at, t.observed_at AS told,
           r.available, r.held, r.maximum, r.occupied, r.status, r.is_open
    FROM capacity_servicecapacity p CROSS JOIN span LEFT JOIN changed c ON c.pool_id = p.id
    JOIN LATERAL (
        SELECT * FROM capacity_capacityreport b
        WHERE b.pool_id = p.id AND b.kind <> 'late' AND b.received_at < begins AND (c.version IS NULL OR b.version < c.version)
        ORDER BY b.version DESC LIMIT 1
    ) r ON true
    LEFT JOIN LATERAL (
        SELECT b.observed_at FROM capacity_capacityreport b
        WHERE b.pool_id = p.id AND b.kind = 'report' AND b.version <= r.version ORDER BY b.version DESC LIMIT 1
    ) t ON true
    UNION ALL
    SELECT r.pool_id, r.version, r.received_at, CASE WHEN r.kind = 'report' THEN r.observed_at END,
           r.available, r.held, r.maximum, r.occupied, r.status, r.is_open
    FROM changed c JOIN capacity_capacityreport r ON r.pool_id = c.pool_id AND r.version >= c.version CROSS JOIN span
    WHERE r.kind <> 'late' AND r.received_at < ends + interval '1 hour'
), rising AS (
    SELECT *, max(received_at) OVER w AS since, max(told) OVER w AS told_at
    FROM figures WINDOW w AS (PARTITION BY pool_id ORDER BY version)
), spells AS (
    SELECT s.*, coalesce(lead(s.since) OVER (PARTITION BY s.pool_id ORDER BY s.version), 'infinity') AS until,
           CASE WHEN NOT s.is_open THEN 'infinity'::timestamptz
                WHEN s.told_at IS NULL OR (s.available IS NULL AND s.status NOT IN ('no-capacity', 'waitlist')) THEN '-infinity'
                ELSE s.told_at + coalesce(f.expires_after, interval '72 hours') END AS known_until,
           CASE WHEN s.is_open AND s.status IN ('capacity', 'additional-assessment-required') THEN s.available - s.held ELSE 0 END AS free,
           coalesce(p.ends_at, 'infinity') AS over_at
    FROM rising s JOIN capacity_servicecapacity p ON p.id = s.pool_id
    LEFT JOIN capacity_freshnesspolicy f ON f.care_type_id = p.care_type_id
), cut AS (
    SELECT s.*, d.day, greatest(s.since, d.begins) AS starts, least(s.until, d.ends) AS stops,
           s.until >= d.ends AS is_last, s.until >= d.ends AND s.known_until >= d.ends AS known_at_end
    FROM spells s JOIN days d ON s.since < d.ends AND s.until > d.begins AND d.begins < s.over_at
), pieces AS (
    SELECT *, extract(epoch FROM least(stops, greatest(starts, known_until)) - starts) AS known FROM cut
), happened AS (
    SELECT pool_id, (received_at AT TIME ZONE 'Europe/London')::date AS day,
           count(*) FILTER (WHERE kind IN ('report', 'late')) AS reports, count(*) FILTER (WHERE kind = 'fill') AS filled,
           count(*) FILTER (WHERE kind = 'reopen') AS reopened, count(*) FILTER (WHERE kind = 'hold') AS holds,
           count(*) FILTER (WHERE kind = 'expire') AS expired
    FROM capacity_capacityreport, span WHERE received_at >= begins AND received_at < ends GROUP BY 1, 2
), lines AS (
    SELECT pool_id, day, max(maximum) FILTER (WHERE is_last) AS maximum, max(available) FILTER (WHERE known_at_end) AS available,
           coalesce(max(held) FILTER (WHERE is_last), 0) AS held, max(occupied) FILTER (WHERE known_at_end) AS occupied,
           min(free) FILTER (WHERE known > 0) AS least_free, max(free) FILTER (WHERE known > 0) AS most_free,
           round(coalesce(sum(known) FILTER (WHERE free > 0), 0) / 3600, 2) AS free_hours, round(sum(known) / 3600, 2) AS known_hours
    FROM pieces GROUP BY pool_id, day
)
INSERT INTO capacity_poolday (
    pool_id, day, maximum, available, held, occupied, least_free, most_free, free_hours, known_hours,
    reports, filled, reopened, holds, expired
)
SELECT l.pool_id, l.day, l.maximum, l.available, l.held, l.occupied, l.least_free, l.most_free, l.free_hours, l.known_hours,
       coalesce(h.reports, 0), coalesce(h.filled, 0), coalesce(h.reopened, 0), coalesce(h.holds, 0), coalesce(h.expired, 0)
FROM lines l LEFT JOIN happened h USING (pool_id, day)
ON CONFLICT (pool_id, day) DO UPDATE SET
    maximum = EXCLUDED.maximum, available = EXCLUDED.available, held = EXCLUDED.held, occupied = EXCLUDED.occupied,
    least_free = EXCLUDED.least_free, most_free = EXCLUDED.most_free, free_hours = EXCLUDED.free_hours,
    known_hours = EXCLUDED.known_hours, reports = EXCLUDED.reports, filled = EXCLUDED.filled, reopened = EXCLUDED.reopened,
    holds = EXCLUDED.holds, expired = EXCLUDED.expired
"""


def sum_days(*, at: datetime, since: date | None = None, stop: Callable[[], bool] = lambda: False) -> int:
    """Sum every day that is over at `at`, from `since`, or else from the first day not summed yet. Returns how many lines were written.

    Days that were summed before are summed anew and come out the same. `stop` is asked between the weeks, each of which is one
    transaction: what was summed by then stays.
    """
    last, (summed, told) = local_date(at) - timedelta(days=1), _ends()
    first = told if since is None or told is None else max(since, told)
    if since is None and summed is not None:
        first = summed + timedelta(days=1)
    written = 0
    while first is not None and first <= last and not stop():
        upto = min(first + STEP - timedelta(days=1), last)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SUM, {"first": first, "last": upto})
            written += cursor.rowcount
        first = upto + timedelta(days=1)
    return written


def _ends() -> tuple[date | None, date | None]:
    """The last day that was summed, and the day on which anybody first said anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(day) FROM capacity_poolday),"
            " (SELECT min(received_at AT TIME ZONE 'Europe/London')::date FROM capacity_capacityreport)"
        )
        return cursor.fetchone()
