"""Which people of one's organisation may be recorded twice. A suggestion only: a person decides."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

from django.db.models import Count
from rapidfuzz import fuzz

from catalogue.models import User
from flow.models import NotOnePerson, Patient

#: From here two names are the same but for a slip, or the two halves the wrong way round; from the other they are alike.
SAME_NAME, LIKE_NAME = 95, 75
#: On one day of birth with more records than this something is wrong with the days (1 January for "not known"): only equal names count.
MOST_ON_A_DAY = 60


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be one person: what speaks for it and what against, in words."""

    one: Patient
    other: Patient
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    score: float

    @property
    def key(self) -> tuple[UUID, UUID]:
        return self.one.pk, self.other.pk


def suggested(user: User) -> list[Pair]:
    """Pairs born on one day whose names are alike, the likeliest first, without those of which somebody said that they are two."""
    people = Patient.objects.kept_by(user).filter(organization=user.organization_id)
    twice = people.order_by().values("birth_date").annotate(records=Count("pk")).filter(records__gt=1).values("birth_date")
    days: dict[Any, list[Patient]] = defaultdict(list)
    for person in people.filter(birth_date__in=twice).order_by("pk"):
        days[person.birth_date].append(person)
    two = set(NotOnePerson.objects.visible_to(user).values_list("one_id", "other_id"))
    found = [pair for born in days.values() for pair in _of_a_day(born) if pair.key not in two]
    return sorted(found, key=lambda pair: (-pair.score, pair.key))


def like(patient: Patient, user: User) -> list[Pair]:
    """The same for one person."""
    others = (
        Patient.objects.kept_by(user).filter(organization=patient.organization_id, birth_date=patient.birth_date).exclude(pk=patient.pk)
    )
    pairs = (compare(*sorted((patient, other), key=lambda each: each.pk)) for other in others[:MOST_ON_A_DAY])
    two = set(NotOnePerson.objects.visible_to(user).values_list("one_id", "other_id"))
    return [pair for pair in pairs if pair and pair.key not in two]


def compare(one: Patient, other: Patient) -> Pair | None:
    """The pair, if the two may be one person; None when their names differ too much, or both have a checked number of their own."""
    checked = Patient.NumberStatus.VERIFIED
    numbers = bool(one.nhs_number and other.nhs_number)
    if numbers and one.nhs_status == checked and other.nhs_status == checked:
        return None
    alike = max(fuzz.ratio(_name(one), _name(other)), fuzz.token_sort_ratio(_name(one), _name(other)))
    initial = (
        one.family_name.casefold() == other.family_name.casefold() and one.given_name[:1].casefold() == other.given_name[:1].casefold()
    )
    home = bool(one.postcode) and one.postcode == other.postcode
    phone = bool(one.phone) and _digits(one.phone) == _digits(other.phone)
    if alike < SAME_NAME and not ((home or phone) and (alike >= LIKE_NAME or initial)):
        return None
    reasons = ["Born on the same day", "The names are the same" if _name(one) == _name(other) else "The names are alike"]
    reasons += ["Same postcode"] * home + ["Same phone number"] * phone
    sexes = {one.sex, other.sex} - {Patient.Sex.UNKNOWN}
    doubts = ["The NHS numbers differ, and not both were checked"] * numbers + ["The sex differs"] * (len(sexes) > 1)
    doubts += ["The postcodes differ"] * (not home)
    score = alike + 20 * home + 20 * phone - 30 * numbers - 20 * (len(sexes) > 1)
    return Pair(one, other, tuple(reasons), tuple(doubts), score)


def _of_a_day(born: list[Patient]) -> Iterator[Pair]:
    if len(born) > MOST_ON_A_DAY:
        by_name: dict[str, list[Patient]] = defaultdict(list)
        for person in born:
            by_name[_name(person)].append(person)
        for same in by_name.values():
            yield from filter(None, (compare(*pair) for pair in combinations(same[:MOST_ON_A_DAY], 2)))
    else:
        yield from filter(None, (compare(*pair) for pair in combinations(born, 2)))


def _name(person: Patient) -> str:
    return " ".join(f"{person.given_name} {person.family_name}".casefold().split())


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdigit())[-10:]
