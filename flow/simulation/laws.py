"""How long something takes, by chance: the few distributions that stays, answers and patience are told by."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any, Self

_NORMAL = NormalDist()
#: Chances are kept this far from 0 and 1, so that nothing lasts for ever.
_EDGE = 1e-9
FAMILIES = ("fixed", "exponential", "lognormal")


@dataclass(frozen=True, slots=True)
class Law:
    """A length in days. `scale` is the length itself, the mean, or the median; `spread` is the sigma of a lognormal law.

    The share `at_once` takes no time at all; the rest is of the family.
    """

    family: str
    scale: float
    spread: float = 0.0
    at_once: float = 0.0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES or not 0 <= self.scale < math.inf or not 0 <= self.spread < 10 or not 0 <= self.at_once < 1:
            raise ValueError("A law has a family that is known, a length that is not negative, a spread and a share.")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(str(data["family"]), float(data["scale"]), float(data["spread"]), float(data.get("at_once", 0)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def mean(self) -> float:
        return (1 - self.at_once) * (self.scale * math.exp(self.spread**2 / 2) if self.family == "lognormal" else self.scale)

    def at(self, chance: float) -> float:
        """The length that so large a share of all does not exceed: with an even chance from 0 to 1, a draw."""
        if chance < self.at_once:
            return 0.0
        chance = min(max((chance - self.at_once) / (1 - self.at_once), _EDGE), 1 - _EDGE)
        if self.family == "exponential":
            return -self.scale * math.log1p(-chance)
        if self.family == "lognormal":
            return self.scale * math.exp(self.spread * _NORMAL.inv_cdf(chance))
        return self.scale

    def below(self, length: float) -> float:
        """The share that lasts no longer than that."""
        return self.at_once + (1 - self.at_once) * self._below(length) if length >= 0 else 0.0

    def _below(self, length: float) -> float:
        if length <= 0 or not self.scale:
            return float(length >= self.scale)
        if self.family == "exponential":
            return -math.expm1(-length / self.scale)
        if self.family == "lognormal" and self.spread:
            return _NORMAL.cdf(math.log(length / self.scale) / self.spread)
        return float(length >= self.scale)

    def after(self, elapsed: float, chance: float) -> float:
        """What is left of something that has lasted so long already."""
        if elapsed <= 0:
            return self.at(chance)
        if self.family == "exponential":
            return replace(self, at_once=0.0).at(chance)
        gone = self.below(elapsed)
        return max(0.0, self.at(gone + chance * (1 - gone)) - elapsed)

    def rest(self, chance: float, part: float) -> float:
        """What is left of something met at a random moment: long ones are met more often, anywhere in their course."""
        if self.family == "exponential":
            return replace(self, at_once=0.0).at(chance)
        if self.family == "lognormal":
            return part * Law("lognormal", self.scale * math.exp(self.spread**2), self.spread).at(chance)
        return part * self.scale
