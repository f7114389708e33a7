"""What every hard rule is: its verdict from the numbers, its sentence, and what would change it."""

from abc import ABC, abstractmethod
from enum import StrEnum

from matching.engine.problem import Need, PoolFacts
from matching.engine.words import Words


class Verdict(StrEnum):
    MET = "met"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_ASKED = "not-asked"


class Rule(ABC):
    """One thing that must hold. `label` names it where it is relaxed: "Nothing fits within the farthest distance"."""

    code: str
    label: str

    @abstractmethod
    def verdict(self, need: Need, facts: PoolFacts) -> Verdict:
        """Does it hold for this need, by what the service has said?"""

    @abstractmethod
    def sentence(self, need: Need, facts: PoolFacts, words: Words) -> str:
        """What is so, for a person; empty when nothing was asked."""

    @abstractmethod
    def change(self, need: Need, facts: PoolFacts, words: Words) -> str:
        """What would make a failed rule hold."""
