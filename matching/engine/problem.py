"""What is judged: one need, the facts of one pool, and the weights. Integers, masks and booleans only."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from math import isqrt
from operator import attrgetter
from typing import Any, NamedTuple, Self

#: Catchment of a service that states no limit: further than anywhere.
NO_LIMIT = 2_147_483_647
#: Sex of a person.
SEX_UNKNOWN, FEMALE, MALE, SEX_OTHER = 0, 1, 2, 3
#: Whom a service takes. NOBODY: the service says women only and these places men only, or the other way round.
SEX_NOT_STATED, FEMALE_ONLY, MALE_ONLY, ANY_SEX, NOBODY = 0, 1, 2, 3, 4
#: Capacity status codes.
ACCEPTING, NOT_ACCEPTING, WAITING_LIST, ASSESSMENT_FIRST = 0, 1, 2, 3
#: The factors, in the order in which they are shown.
FACTORS = (
    "distance", "availability", "freshness", "known", "preferences", "priority", "quality", "price", "assurance",
    "currency", "marks", "journey", "travel", "interests", "times", "likelihood",
)  # fmt: skip
#: Price may count for at most one part in this many of all points.
PRICE_PARTS = 10


class _Stored:
    """Goes to JSON and comes back equal."""

    def to_json(self) -> dict[str, Any]:
        defaults, values = _shape(type(self))  # type: ignore[arg-type]
        return dict(zip(defaults, values(self), strict=True))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The object that was stored. What came into being after it was stored has its default."""
        known, _ = _shape(cls)  # type: ignore[arg-type]
        return cls(**{name: _frozen(value) if type(value) is list else value for name, value in data.items() if name in known})


@cache
def _shape(kind: type) -> tuple[dict[str, Any], Callable[[Any], tuple[Any, ...]]]:
    """The names of the fields of such an object with their defaults, and what reads all their values."""
    named: Any = kind
    if issubclass(kind, tuple):
        return {name: named._field_defaults.get(name, MISSING) for name in named._fields}, tuple
    defaults = {field.name: field.default for field in fields(named)}
    return defaults, attrgetter(*defaults)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Need(_Stored):
    """What one person needs. Masks use the bits of the vocabulary; a mask of 0 means that nothing was asked.

    `x` and `y` are whole metres of the British National Grid. `needs` and `must_haves` do not overlap. `areas` are the
    coded areas in which the person lives. `joins_lists` is false when the date is too near for a waiting list that does not say how long it
    is, and `days` are those until the date (None: no date). `today` is the day of the search, counted from the year 1, and a record
    counts as checked for `checked_for_days`.

    Codes are `system|code`. Each of `conditions` is a diagnosis followed by all that it falls under; `conditions_under` is what falls under
    one of them, which the person may have. `registered` says where the person is registered: practice, network, board, as far as known.
    `marks` are the marks of quality that are wished for. `travels` are the kinds of service to which somebody who cannot drive must
    be brought, and `brings` the answers that make that easy; both are 0 for somebody who drives.

    `mode` is how the person travels and `paces` how long that takes (`matching.engine.journey`); `comes` are the kinds of service that come
    to the person, and `visits` the answers that say so. `interests` are what the person likes to do, `times` when it would suit
    (`matching.engine.times`). `chances` are what was learned of how likely a yes is, whoever asks (`matching.engine.likelihood`); none:
    nothing is switched on.
    """

    age: int
    sex: int
    x: int
    y: int
    care_types: int
    needs: int = 0
    must_haves: int = 0
    preferences: int = 0
    languages: int = 0
    funding: int = 0
    source: int = 0
    budget_pence: int | None = None
    max_distance_m: int = 24_140
    areas: tuple[int, ...] = ()
    joins_lists: bool = True
    today: int = 0
    checked_for_days: int = 92
    conditions: tuple[tuple[str, ...], ...] = ()
    conditions_under: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    marks: int = 0
    travels: int = 0
    brings: int = 0
    days: int | None = None
    mode: int = 0
    paces: tuple[tuple[int, int], ...] = ()
    max_minutes: int | None = None
    comes: int = 0
    visits: int = 0
    interests: int = 0
    times: int = 0
    chances: tuple[int, ...] = ()

    @property
    def has(self) -> int:
        """Everything that is true of the person, wished for or insisted on."""
        return self.needs | self.must_haves

    @property
    def asked(self) -> int:
        """How many things a service could have stated: each need, the age, and diagnoses, funding, language and source if given."""
        return 1 + self.needs.bit_count() + (self.conditions != ()) + (self.funding != 0) + (self.languages != 0) + (self.source != 0)

    @property
    def diagnoses(self) -> frozenset[str]:
        """All that the person has: the diagnoses, and what they fall under."""
        return frozenset(code for chain in self.conditions for code in chain)

    @property
    def registered_kinds(self) -> frozenset[str]:
        """Of which kinds of place it is known that the person is registered there."""
        return frozenset(code.partition("|")[0] for code in self.registered)


class _Facts(NamedTuple):
    pool_id: str
    service_id: str
    care_type: int
    is_open: bool = True
    x: int | None = None
    y: int | None = None
    online: bool = False
    catchment_m: int = NO_LIMIT
    area_ids: tuple[int, ...] | None = None
    has_extent: bool = False
    in_extent: bool = False
    accepts: int = 0
    requires: int = 0
    excludes: int = 0
    prefers: int = 0
    funding: int = 0
    languages: int = 0
    sources: int = 0
    min_age: int | None = None
    max_age: int | None = None
    sex: int = SEX_NOT_STATED
    price_pence: int | None = None
    cqc_rating: int | None = None
    assured_days: int | None = None
    free: int | None = None
    maximum: int | None = None
    status: int = ACCEPTING
    age_s: int | None = None
    fresh_s: int = 86_400
    expire_s: int = 259_200
    marks: int = 0
    wait_days: int | None = None
    starts_in_s: int | None = None
    series: str | None = None
    times: int = 0
    leaning: int | None = None
    said_yes: int = 0
    answers: int = 0
    conditions_in: tuple[str, ...] | None = None
    conditions_out: tuple[str, ...] | None = None
    conditions_ok: tuple[str, ...] | None = None
    conditions_first: tuple[str, ...] | None = None
    registered_in: tuple[str, ...] | None = None
    registered_out: tuple[str, ...] | None = None
    registered_first: tuple[str, ...] | None = None
    funding_out: int = 0
    languages_out: int = 0
    sources_out: int = 0
    funding_first: int = 0
    languages_first: int = 0
    sources_first: int = 0
    funding_must: int = 0
    languages_must: int = 0
    sources_must: int = 0
    areas_out: tuple[int, ...] | None = None
    areas_first: tuple[int, ...] | None = None
    drawn_out: bool | None = None
    drawn_first: bool | None = None


class PoolFacts(_Stored, _Facts):
    """One pool as it was at the instant of the ranking. None, or a mask of 0, is not stated. A tuple beneath, because
    each ranking makes fifty.

    `age_s` is the age of the capacity figure in whole seconds (rounded down), `assured_days` the days since the record was checked.
    `in_extent` says whether the person lives inside an area that was drawn by hand. Of `…_in` and `…_must` a person needs one, of `…_out`
    none may be, and `…_first` go first; `drawn_out` and `drawn_first` are the same of areas drawn by hand, None without any.
    `conditions_ok` are all that are not ruled out. `marks` are those that hold on the day. `wait_days` is how long a newcomer would wait.
    A session begins in `starts_in_s` seconds (rounded up); of those of one `series` only the next that fits is offered. `times` are the
    parts of the week at which it is open (`matching.engine.times`). Of `answers` to requests the service `said_yes` to so many, and it is
    `leaning` to one by that and by its group (`matching.engine.likelihood`).
    """

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """What is not as it is where nothing is said: most services say little, and each ranking keeps fifty."""
        defaults, values = _shape(PoolFacts)
        together = zip(defaults.items(), values(self), strict=True)
        return {name: value for (name, default), value in together if value is not default and value != default}

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code in it."""
        said = (
            self.conditions_in, self.conditions_out, self.conditions_ok, self.conditions_first,
            self.registered_in, self.registered_out, self.registered_first,
        )  # fmt: skip
        return tuple(code for codes in said for code in codes or ())

    @property
    def has_begun(self) -> bool:
        """A session that it is too late for."""
        return self.starts_in_s is not None and self.starts_in_s <= 0

    @property
    def limited(self) -> bool:
        """Takes only the residents of certain areas."""
        return self.area_ids is not None or self.has_extent


#: Those of the facts that few services have: they travel from the database in one column.
RARE = (
    "conditions_in", "conditions_out", "conditions_ok", "conditions_first", "registered_in", "registered_out", "registered_first",
    "funding_out", "languages_out", "sources_out", "funding_first", "languages_first", "sources_first",
    "funding_must", "languages_must", "sources_must", "areas_out", "areas_first", "drawn_out", "drawn_first",
)  # fmt: skip
#: Bits of one word of a mask in the database. A mask of needs has two; here it is one number.
WORD = 62


@dataclass(frozen=True, slots=True)
class Weights(_Stored):
    """How many points each factor can give. Price may never be more than a tenth of them all."""

    distance: int = 100
    availability: int = 250
    freshness: int = 60
    known: int = 150
    preferences: int = 80
    priority: int = 20
    quality: int = 80
    price: int = 40
    assurance: int = 20
    currency: int = 40
    marks: int = 20
    journey: int = 40
    travel: int = 200
    interests: int = 40
    times: int = 40
    likelihood: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The weights that were stored. A factor that they do not name counts for nothing, so that an old run gives its old answer."""
        return cls(**{name: data.get(name, 0) for name in FACTORS})

    def __post_init__(self) -> None:
        values = [getattr(self, name) for name in FACTORS]
        if any(not isinstance(value, int) or not 0 <= value <= 1000 for value in values):
            raise ValueError("Each weight must be a whole number from 0 to 1000.")
        if not sum(values):
            raise ValueError("At least one factor must count.")
        if self.price * PRICE_PARTS > sum(values):
            said = f"here it would for {self.price} of {sum(values)}"
            raise ValueError(f"Price may count for at most a tenth of all points; {said}. It must never decide by itself.")

    @property
    def total(self) -> int:
        """The score of a service that is perfect in everything."""
        return sum(getattr(self, name) for name in FACTORS)


def distance(need: Need, facts: PoolFacts) -> int | None:
    """Whole metres as the crow flies, rounded down; None when the pool has no place on the map."""
    if facts.x is None or facts.y is None:
        return None
    return isqrt((facts.x - need.x) ** 2 + (facts.y - need.y) ** 2)
