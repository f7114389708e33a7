"""What is asked to be different. Pools, sources and pathways are numbers of the world; days count from the beginning, the first is 0."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: Changes with the shape of what is kept, so that an older question is still understood.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Close:
    """These pools take nobody from that day on. Who lives there stays until they would have left, or has to be `moved` at once."""

    pools: tuple[int, ...]
    day: int = 0
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Add:
    """So many places more in a pool, from that day on."""

    pool: int
    places: int
    day: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """So many times as many people come, on the days from `first` to before `last`. Empty: from everywhere, on every pathway."""

    factor: float
    first: int = 0
    last: int = 10_000
    pathways: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Strike:
    """That share of the answering, and of the moving in that follows it, stands still on the days from `first` to before `last`."""

    share: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers take so many times as long, from that day on."""

    factor: float
    day: int = 0


Change = Close | Add | Demand | Strike | Answers
_KINDS: dict[str, type] = {"close": Close, "add": Add, "demand": Demand, "strike": Strike, "answers": Answers}


def to_json(changes: Iterable[Change]) -> dict[str, Any]:
    names = {kind: name for name, kind in _KINDS.items()}
    return {"format": FORMAT, "changes": [{"what": names[type(change)], **asdict(change)} for change in changes]}


def from_json(data: Mapping[str, Any]) -> tuple[Change, ...]:
    """What `to_json` said. Raises ValueError for another format."""
    if data.get("format") != FORMAT:
        raise ValueError(f"These changes are of format {data.get('format')}; {FORMAT} is understood.")
    return tuple(_one(each) for each in data["changes"])


def _one(data: Mapping[str, Any]) -> Change:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name != "what"}
    return _KINDS[data["what"]](**values)


def demand(changes: Iterable[Change], *, day: float, pathway: int, source: int) -> float:
    """How many times as many people come then from there."""
    factor = 1.0
    for change in changes:
        if not isinstance(change, Demand) or not change.first <= day < change.last:
            continue
        if (not change.pathways or pathway in change.pathways) and (not change.sources or source in change.sources):
            factor *= change.factor
    return factor


def answered_at(changes: Iterable[Change], *, asked: float, takes: float) -> float:
    """When an answer comes that takes so long on usual days: more on days of a strike, less or more by `Answers`."""
    changes = list(changes)
    for change in changes:
        if isinstance(change, Answers) and asked >= change.day:
            takes *= change.factor
    strikes = [change for change in changes if isinstance(change, Strike) and change.last > change.first]
    edges = sorted({float(edge) for change in strikes for edge in (change.first, change.last) if edge > asked})
    now = asked
    for edge in edges:
        pace = _pace(strikes, now)
        if pace > 0 and takes <= (edge - now) * pace:
            return now + takes / pace
        takes -= (edge - now) * pace
        now = edge
    return now + takes


def _pace(strikes: Iterable[Strike], day: float) -> float:
    pace = 1.0
    for strike in strikes:
        if strike.first <= day < strike.last:
            pace *= 1 - strike.share
    return pace
