"""What helps somebody to take a first step: befriending, somebody who goes along the first time, a lift. Pure: no database.

A rule says of whom it holds and why, in words that may be read to the person; a support says which services give it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from catalogue.vocabulary import CARE_TYPES, TRAVELLED_TO

#: At this activation level and below, people seldom begin by themselves.
LOW_ACTIVATION = 2
#: Codes of the need vocabulary.
ISOLATED, ANXIOUS = "isolated", "anxiety-depression"
_TRAVELLED = frozenset(term.code for term in CARE_TYPES if TRAVELLED_TO >> term.bit & 1)


@dataclass(frozen=True, slots=True)
class Person:
    """What the rules read of a need. `wanted` are the kinds of service that were asked for."""

    activation_level: int | None
    needs: frozenset[str]
    drives: bool | None
    wanted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Support:
    """A kind of help with the first step. Its services are found by the same ranking, by these kinds of care; `prefers` move one up."""

    code: str
    name: str
    care_types: tuple[str, ...]
    prefers: tuple[str, ...] = ()
    ask: str = ""
    """What to ask a service that has not stated it."""


SUPPORTS = (
    Support("befriending", "Befriending", ("befriending",)),
    Support(
        "accompanied",
        "Somebody who goes along the first time",
        ("befriending", "social-prescribing", "peer-support"),
        prefers=("accompanied",),
        ask="Ask whether somebody can go along to the first visit.",
    ),
    Support("transport", "A lift there and back", ("transport",)),
)


class Rule(ABC):
    """One reason to offer help with the first step. The words of `because` follow “because”."""

    code: str
    supports: tuple[str, ...]

    @abstractmethod
    def holds(self, person: Person) -> bool: ...

    @abstractmethod
    def because(self, person: Person) -> str: ...


class LowActivation(Rule):
    code, supports = "low-activation", ("befriending", "accompanied")

    def holds(self, person: Person) -> bool:
        return person.activation_level is not None and person.activation_level <= LOW_ACTIVATION

    def because(self, person: Person) -> str:
        return f"the activation level is {person.activation_level} of 4: it may be hard to begin alone"


class Isolated(Rule):
    code, supports = "isolated", ("befriending", "accompanied")

    def holds(self, person: Person) -> bool:
        return ISOLATED in person.needs

    def because(self, person: Person) -> str:
        return "the person is isolated or lonely"


class Anxious(Rule):
    code, supports = "anxious", ("accompanied",)

    def holds(self, person: Person) -> bool:
        return ANXIOUS in person.needs

    def because(self, person: Person) -> str:
        return "the person lives with anxiety or low mood"


class CannotDrive(Rule):
    """A lift is offered to those whom one of the other rules means, when they cannot get there by themselves."""

    code, supports = "cannot-drive", ("transport",)

    def holds(self, person: Person) -> bool:
        hesitates = any(rule.holds(person) for rule in (LowActivation(), Isolated(), Anxious()))
        return hesitates and person.drives is False and not person.wanted.isdisjoint(_TRAVELLED)

    def because(self, person: Person) -> str:
        return "the person cannot drive or be driven, and what is wanted is a journey away"


RULES: tuple[Rule, ...] = (LowActivation(), Isolated(), Anxious(), CannotDrive())


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A support, and the rules that ask for it."""

    support: Support
    because: tuple[str, ...]


def suggest(person: Person) -> list[Suggestion]:
    """The supports to offer, in their order. One whose every kind of service was asked for anyway is left out."""
    held = [rule for rule in RULES if rule.holds(person)]
    found = []
    for support in SUPPORTS:
        because = tuple(rule.code for rule in held if support.code in rule.supports)
        if because and not person.wanted.issuperset(support.care_types):
            found.append(Suggestion(support, because))
    return found


def named(code: str) -> Support | None:
    """The support with this code."""
    return next((support for support in SUPPORTS if support.code == code), None)


def sentence(person: Person, codes: Iterable[str]) -> str:
    """`"Because the person is isolated or lonely, and …."`: the reasons that were stored, in words."""
    wanted = set(codes)
    reasons = [rule.because(person) for rule in RULES if rule.code in wanted]
    return f"Because {', and '.join(reasons)}." if reasons else ""
