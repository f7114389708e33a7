"""Sentences about a place for a person, made from the ranking's own findings and factors; they name nobody."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from catalogue import criteria, marks
from catalogue.lexicon import Lexicon
from flow.planning.gathering import Key, Person
from matching import queries
from matching.engine import explain
from matching.engine.words import Words

#: Factors that speak for a line, and are said: the most points first. Places are said in any case.
SAID, IN_ANY_CASE = 2, "availability"
_MARKS = {"mark": dict(enumerate(name for _, name in marks.WISHES))}


def reasons(placed: Iterable[tuple[Person, UUID]], *, at: datetime) -> dict[Key, list[str]]:
    """Of each line, why its place is a good one: how many are free, and what gave most points."""
    found: dict[Key, list[str]] = {}
    names = Lexicon.read().names() | _MARKS
    for person, pool in placed:
        facts = queries.facts_of(person.need, [pool], at=at).get(pool) if person.need else None
        if facts is None or person.need is None:  # it has gone in this very moment: the board says so
            found[person.key] = []
            continue
        words = Words(names, criteria.names_of({*person.need.diagnoses, *facts.codes}))
        free = next((each.sentence for each in explain.findings(person.need, facts, words) if each.code == "place"), "")
        asked = {"preferences": person.need.preferences, "marks": person.need.marks, "journey": person.need.travels, IN_ANY_CASE: 0}
        asked |= {"interests": person.need.interests, "times": person.need.times}
        # What nobody asked for gives every place its points: it speaks for none.
        terms = [term for term in explain.terms(person.need, facts, person.weights, words) if term.points and asked.get(term.code, 1)]
        found[person.key] = [free, *(term.words for term in sorted(terms, key=lambda term: -term.points)[:SAID])]
    return found
