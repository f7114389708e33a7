"""What a browser asks for, checked, and the answer: what it missed, or everything."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from capacity import queries
from core import clock, errors
from notifications import journal, viewer
from notifications.journal import Cursor
from notifications.listener import encode

#: Pools and topics that one socket may watch; more than any page shows.
MOST_POOLS = 2_000
MOST_TOPICS = 200
#: Characters in one message: room for the most pools, and no more.
MOST_CHARACTERS = 128 * 1024
#: Missed rows that are looked through; beyond that a snapshot costs less.
MOST_MISSED = 10_000


@dataclass(frozen=True)
class Watch:
    """A well-formed request. What of it the viewer may see is decided when it is answered."""

    pools: frozenset[UUID]
    topics: frozenset[str]
    cursor: Cursor | None


@dataclass(frozen=True)
class Answer:
    """The message to send, the versions it tells, what the viewer may in fact watch, and whether the message tells anything that is new."""

    text: str
    versions: dict[UUID, int]
    pools: set[UUID]
    topics: set[str]
    news: bool


def understand(text: str) -> Watch:
    """Read one message from a browser. Raises Invalid with words for whoever writes the script."""
    try:
        message: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise errors.Invalid("This is not JSON. Send an object with an action.", code="not-json") from None
    if not isinstance(message, dict) or message.get("action") != "watch":
        raise errors.Invalid("The only action is “watch”.", code="unknown-action")
    pools, topics = message.get("pools", []), message.get("topics", [])
    if not _strings(pools) or not _strings(topics):
        raise errors.Invalid("“pools” and “topics” must be lists of strings.", code="wrong-form")
    if len(pools) > MOST_POOLS or len(topics) > MOST_TOPICS:
        raise errors.Invalid(f"One page may watch {MOST_POOLS:,} pools and {MOST_TOPICS} topics. Show fewer at once.", code="too-many")
    try:
        ids = frozenset(UUID(pool) for pool in pools)
    except ValueError:
        raise errors.Invalid("Each of “pools” must be the id of a pool.", code="wrong-form") from None
    return Watch(ids, frozenset(topics), Cursor.parse(message.get("cursor")))


def answer(who: viewer.Viewer, watch: Watch, told: Cursor) -> Answer:
    """Read what `who` may see of `watch`: the changes since its cursor, or a snapshot when those cannot be told.

    `told` is the hub's place when the listener was registered; it was read before anything here, so that whatever commits
    in between is told again rather than missed.
    """
    user = who.user
    pools, topics = viewer.pools_seen(user, watch.pools), viewer.topics_seen(user, watch.topics)
    missed = _missed(user, watch.cursor, pools, topics)
    changed, named = (pools, topics) if missed is None else missed
    states = queries.pool_states(changed, clock.now()) if changed else {}
    shown = {str(pool): state.as_json() for pool, state in states.items()}
    if missed is None:
        message: dict[str, Any] = {"kind": "snapshot", "cursor": str(told), "pools": shown}
    else:
        # Another web process may have told this browser more than our hub knows yet.
        upto = max(told, watch.cursor or told)
        message = {"kind": "events", "cursor": str(upto), "pools": shown, "topics": sorted(named)}
    versions = {pool: state.version for pool, state in states.items()}
    _ = who.catalogue  # written out here, beside the loop
    return Answer(encode(message), versions, pools, topics, news=missed is None or any(missed))


def _missed(user: Any, cursor: Cursor | None, pools: set[UUID], topics: set[str]) -> tuple[set[UUID], set[str]] | None:
    """Pools and topics that changed after `cursor`; None when that cannot be known, or is too much to tell."""
    if cursor is None or not journal.known(cursor):
        return None
    names = {f"pool:{pool}": pool for pool in pools}
    named = journal.touched(names.keys() | topics, cursor, getattr(user, "organization_id", None), MOST_MISSED)
    if named is None:
        return None
    return {names[topic] for topic in named & names.keys()}, named & topics


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
