"""What the relay and the hubs share: the group, the two messages, and how long silence may last."""

#: The channel-layer group that every web process's hub joins.
GROUP = "lune.events"
#: One batch of rows: {previous, cursor, events: [{type, topics, audience}]}.
BATCH = "event.batch"
#: The relay lives: {cursor}.
HEARTBEAT = "event.heartbeat"
#: Seconds between two heartbeats.
BEAT = 2.0
#: Seconds without a word after which the far end is held to be dead.
SILENCE = 6.0


def back_off(attempt: int, *, chance: float, first: float = 0.1, most: float = 2.0) -> float:
    """Seconds to wait before try number `attempt` (from 0): doubling, at most `most`, spread by `chance` (0 to 1)."""
    return min(most, first * 2 ** min(attempt, 16)) * (0.5 + chance / 2)
