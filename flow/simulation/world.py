"""What is simulated: places, kinds of need and where each could go, where people come from, and who waits at the beginning."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from flow.simulation.laws import Law

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
HOURS = 168
_LAWS = ("stay", "answer", "search", "patience")


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A region at its beginning. Needs are numbered, and so are the pools; a need's options are `start[n]:start[n + 1]`, the best first.

    A need is what somebody needed once, without who it was: where they could go, and nothing else. A pool has `size` places for people of
    whom this region knows; `taken` of them are taken, each since `since` days (negative: not known). `others` live there besides: as many
    of them come as go, and they need a place only when it closes.
    """

    kinds: tuple[str, ...]
    """What kinds of place are called."""
    kind: Ints
    size: Ints
    others: Ints
    taken_pool: Ints
    """The pool of each place that is taken at the beginning."""
    since: Floats
    stay: tuple[Law, ...]
    """How long somebody stays, by kind of place."""
    answer: tuple[Law, ...]
    """How long an answer takes, by kind of place."""

    pathways: tuple[str, ...]
    in_hospital: tuple[bool, ...]
    """Whether a day of waiting on that pathway is a bed-day."""
    search: tuple[Law, ...]
    """From being ready until somebody looks for a place, by pathway."""
    patience: tuple[Law, ...]
    """After how long somebody goes without a place, by pathway."""
    pathway: Ints
    """Of each need."""
    start: Ints
    pool: Ints
    score: Ints
    """Of each option, from 0 to 10,000."""
    metres: Ints
    chance: Floats
    """Of each option, that the answer is yes."""

    sources: tuple[str, ...]
    """Where people come from: hospitals and teams."""
    stream_source: Ints
    stream_pathway: Ints
    rate: Floats
    """People a day, of each stream (a source and a pathway)."""
    stream_start: Ints
    stream_need: Ints
    """The needs of each stream, each as likely as the others."""
    week: Floats
    """How busy each hour of the week is, 1 on average; the first is Monday's."""
    first_hour: int
    """The hour of the week at which it begins."""

    waiting_need: Ints
    waiting_stream: Ints
    waiting_days: Floats
    waiting_asked: Ints
    """1 for those for whom somebody was asked already; the others' search has lasted as long as they have waited."""

    def __post_init__(self) -> None:
        options = len(self.pool)
        if not len(self.score) == len(self.metres) == len(self.chance) == options == int(self.start[-1]):
            raise ValueError("The options of a world do not fit together.")
        if len(self.stay) != len(self.kinds) or len(self.patience) != len(self.pathways):
            raise ValueError("Each kind of place and each pathway needs its laws.")

    @property
    def pools(self) -> int:
        return len(self.size)

    def dump(self) -> bytes:
        """As bytes, to be kept: arrays, and the rest as JSON beside them."""
        arrays: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                arrays[field.name] = value
            else:
                rest[field.name] = [law.to_json() for law in value] if field.name in _LAWS else value
        file = io.BytesIO()
        np.savez_compressed(file, _rest=np.frombuffer(json.dumps(rest).encode(), np.uint8), **arrays)
        return file.getvalue()

    @classmethod
    def load(cls, kept: bytes) -> Self:
        """What `dump` kept."""
        with np.load(io.BytesIO(kept), allow_pickle=False) as file:
            rest: dict[str, Any] = json.loads(file["_rest"].tobytes())
            for name, value in rest.items():
                if isinstance(value, list):
                    rest[name] = tuple(Law.from_json(law) for law in value) if name in _LAWS else tuple(value)
            return cls(**{name: file[name] for name in file.files if name != "_rest"}, **rest)


def rows(lists: Sequence[Sequence[Any]]) -> Ints:
    """Where each of several lists begins when they are written one after the other, and where the last ends."""
    return np.concatenate(([0], np.cumsum([len(each) for each in lists]))).astype(np.int64)
