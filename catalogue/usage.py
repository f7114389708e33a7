"""Counting how the public directory is used, without knowing anybody.

What a page saw goes to Redis first, so that reading costs no write to the database, and once a minute from there into `UsageCount`. A
visitor is a hash of address and browser with a random word of the day. That word and the hashes live in Redis alone and are gone the day
after: nobody is known again, nothing leads back to an address, and each thing counts once a visitor and day, however often it is done.
If Redis is away nothing is counted, and no page waits for it.
"""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from catalogue.models import Service, UsageCount
from catalogue.search import plain

Kind = UsageCount.Kind
logger = structlog.get_logger(__name__)

#: Who does nothing for so long and then comes back makes another visit.
VISIT_ENDS = timedelta(minutes=30)
#: A hash is forgotten with its day, whatever the clock of a server says.
FORGOTTEN = timedelta(hours=26)
#: So many things in one visit are the work of a program; and so many different things may wait to be collected.
MOST_IN_A_VISIT, MOST_WAITING = 400, 20_000
#: After a fault Redis is left alone for so long.
LEAVE_ALONE = 30.0
#: Fewer than so many could point at a person: told as “fewer than 5”, or not at all.
SMALL = 5
#: Words that stay rare are forgotten after so long, everything else after two years.
RARE_WORDS_KEPT, KEPT = timedelta(days=35), timedelta(days=740)
LONGEST_WORDS, MOST_WORDS = 60, 6

# One round trip, whole or not at all: a visitor, the beginning of a visit, and what is seen for the first time today.
_COUNT = """
local seen, here, counts = KEYS[1], KEYS[2], KEYS[3]
local function count(field)
  if redis.call('HEXISTS', counts, field) == 1 or redis.call('HLEN', counts) < tonumber(ARGV[4]) then
    redis.call('HINCRBY', counts, field, 1)
  end
end
local n = redis.call('INCR', here)
redis.call('EXPIRE', here, ARGV[1])
if n > tonumber(ARGV[3]) then return 0 end
if n == 1 then count(ARGV[5]) end
for i = 6, #ARGV, 2 do
  if redis.call('SADD', seen, ARGV[i]) == 1 then count(ARGV[i + 1]) end
end
redis.call('EXPIRE', seen, ARGV[2])
return n
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that somebody did. `what` is in words that may be kept (`harmless`), `area` the code of a district."""

    kind: Kind
    what: str = ""
    area: str = ""
    service: UUID | None = None

    def field(self, day: date) -> str:
        return json.dumps([day.isoformat(), self.kind.value, self.what, self.area, str(self.service) if self.service else None])


def harmless(text: str) -> str:
    """The words of a search as they may be kept: small letters; nothing at all of what may be an address, a number or a story."""
    if re.search(r"[\d@]", text):
        return ""
    words = plain(text)
    return words if len(words) <= LONGEST_WORDS and len(words.split()) <= MOST_WORDS else ""


_left_alone_until = 0.0


def count(visitor: str, seen: Iterable[Seen], *, at: datetime) -> bool:
    """Count a visitor and what it did. `visitor` is whatever tells one from another; it is hashed here and goes no further.

    Returns whether it was counted. Never raises for a fault of Redis.
    """
    day = timezone.localdate(at)

    def counted() -> bool:
        salt = _salt(day)
        # The day stands in the name of each key that holds hashes: nothing of yesterday is looked at again.
        keys = [_key(f"{day}:seen"), _key(f"{day}:here:{_hashed(salt, visitor)}"), _key("counts")]
        parts: list[str | int] = [int(VISIT_ENDS.total_seconds()), int(FORGOTTEN.total_seconds()), MOST_IN_A_VISIT, MOST_WAITING]
        parts.append(Seen(Kind.VISIT).field(day))
        for each in (Seen(Kind.VISITOR), *seen):
            field = each.field(day)
            parts += [_hashed(salt, visitor, field), field]
        return _script()(keys=keys, args=parts, client=store()) != 0

    return _unless_away(counted)


def add(seen: Iterable[Seen], *, at: datetime) -> bool:
    """Count what was done, each time that it is done, by whomever."""
    day = timezone.localdate(at)

    def added() -> bool:
        with store().pipeline(transaction=False) as line:
            for each in seen:
                line.hincrby(_key("counts"), each.field(day), 1)
            return bool(line.execute())

    return _unless_away(added)


def _unless_away(write: Callable[[], bool]) -> bool:
    global _left_alone_until
    if not settings.USAGE_COUNTED or time.monotonic() < _left_alone_until:
        return False
    try:
        return write()
    except (RedisError, OSError) as error:
        _left_alone_until = time.monotonic() + LEAVE_ALONE
        logger.warning("usage is not counted", error=type(error).__name__)
        return False


def collect(*, at: datetime) -> int:
    """Bring what was counted into the database. Returns how many different things. What is not public is dropped, whoever counted it."""
    client, waiting, taken = store(), _key("counts"), _key("taken")
    if not client.exists(taken):  # else the last collection was broken off: it comes first
        if not client.exists(waiting):
            return 0
        client.rename(waiting, taken)
    found = client.hgetall(taken)
    rows = _public({tuple(json.loads(field)): int(number) for field, number in found.items()})
    with transaction.atomic():
        _add(rows)
        client.delete(taken)
    return len(rows)


@transaction.atomic
def forget(*, at: datetime) -> int:
    """Delete what is old, and words that so few ever used that they may be somebody's own. Returns how many rows."""
    today = timezone.localdate(at)
    gone, _ = UsageCount.objects.filter(day__lt=today - KEPT).delete()
    words = UsageCount.objects.exclude(what="")
    often = words.filter(kind=Kind.SEARCH).values("what").annotate(all=Sum("count")).filter(all__gte=SMALL).values("what")
    rare, _ = words.filter(day__lt=today - RARE_WORDS_KEPT).exclude(what__in=often).delete()
    return gone + rare


def _public(rows: Mapping[tuple, int]) -> dict[tuple, int]:
    """Without what belongs to a service that the public may not know of."""
    told = {str(pk) for pk in Service.objects.public().filter(pk__in={row[4] for row in rows if row[4]}).values_list("pk", flat=True)}
    return {row: number for row, number in rows.items() if row[4] is None or row[4] in told}


def _add(rows: Mapping[tuple, int]) -> None:
    """Add to the counts of the database, in one statement; the same order always, so that two that do it wait and do not lock."""
    if not rows:
        return
    ordered = sorted(rows.items(), key=lambda item: json.dumps(item[0]))
    columns: list[list] = [[*column] for column in zip(*((*row, number) for row, number in ordered), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO catalogue_usagecount (day, kind, what, area, service_id, count)
            SELECT * FROM unnest(%s::date[], %s::varchar[], %s::varchar[], %s::varchar[], %s::uuid[], %s::int[])
            ON CONFLICT (day, kind, what, area, service_id) DO UPDATE SET count = catalogue_usagecount.count + EXCLUDED.count
            """,
            columns,
        )


@cache
def store() -> Redis:
    """Redis, which must answer at once or not at all."""
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.2, socket_timeout=0.2, decode_responses=True)


@cache
def _script():
    return store().register_script(_COUNT)


def _salt(day: date) -> str:
    """The random word of the day: made by whoever comes first, known to Redis alone."""
    mine = secrets.token_hex(16)
    kept = store().set(_key(f"{day}:salt"), mine, nx=True, get=True, ex=int(FORGOTTEN.total_seconds()))
    return str(kept or mine)


def _hashed(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(errors="replace"), digest_size=12).hexdigest()


def _key(name: str) -> str:
    return f"{settings.USAGE_PREFIX}:{name}"
