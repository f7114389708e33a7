"""How sure it is that two records are one service, in the manner of Fellegi and Sunter.

Each comparison ends in one of a few levels. A level has m, how often true doubles end there, and u, how often two different services do
that share something. Its weight is log2(m / u): 1 doubles the odds. Weights are added to the odds beforehand, and the sum is a
probability. A value that many services share says less, by one for each doubling of their number.

The figures are estimates; decision 0008 says where they come from and how they were tried.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from math import hypot, log2
from typing import Any

from rapidfuzz import fuzz

from core.geo import METRES_PER_MILE

from . import names
from .facts import Facts, Key
from .names import Likeness

#: A pair at or above this score is shown to a person.
SUGGEST = 0.5
#: A pair at or above this score is called sure. It is still a person who decides.
SURE = 0.95
#: The odds, as a power of two, that two services which share a telephone, a street or a name are one: about 1 in 90.
BEFOREHAND = -6.5
#: Contacts and place follow from the organisation and from one another: all that they may say together.
MOST_FROM_CONTACTS = 9.5
CONTACTS = frozenset({"organisation", "place", "phone", "email", "web"})
#: What two sites of one organisation have in common anyhow.
OF_ORGANIZATION = frozenset({"organisation", "phone", "email", "web"})
#: A value that very many share still says this much.
LEAST = 0.2

#: So many services of one organisation, or behind one telephone, are many.
MANY = 5

#: field → level → (m, u).
LEVELS: dict[str, dict[str, tuple[float, float]]] = {
    "name": {
        "same": (0.50, 0.006), "spelt": (0.22, 0.004), "close": (0.12, 0.008), "part": (0.08, 0.05), "different": (0.07, 0.60),
        "conflict": (0.006, 0.33),
    },
    "organisation": {"same": (0.75, 0.12), "alike": (0.19, 0.05), "differs": (0.05, 0.50), "other number": (0.01, 0.33)},
    "place": {"premises": (0.35, 0.015), "postcode": (0.35, 0.03), "near": (0.12, 0.08), "apart": (0.06, 0.2), "far": (0.12, 0.675)},
    "phone": {"same": (0.70, 0.02), "differs": (0.30, 0.98)},
    "email": {"same": (0.60, 0.015), "domain": (0.25, 0.08), "differs": (0.15, 0.905)},
    "web": {"page": (0.50, 0.01), "site": (0.35, 0.06), "differs": (0.15, 0.93)},
    "kind": {"same": (0.93, 0.35), "differs": (0.07, 0.65)},
    "ages": {"same": (0.80, 0.30), "overlap": (0.18, 0.45), "apart": (0.02, 0.25)},
    "description": {"alike": (0.50, 0.03), "related": (0.30, 0.27), "differs": (0.20, 0.70)},
    "source": {"same": (0.15, 0.60), "other": (0.85, 0.40)},
    "site of its own": {"yes": (0.002, 0.5)},
    "one of many": {"yes": (0.02, 0.5)},
}  # fmt: skip

WORDS = {
    ("name", "same"): "The names are the same.",
    ("name", "spelt"): "The names differ only in spelling or abbreviation.",
    ("name", "close"): "One name is the other with words that both records have elsewhere.",
    ("name", "part"): "One name has words that the other has not.",
    ("name", "different"): "The names are different.",
    ("name", "conflict"): "The names are alike, but each has a word of its own that matters.",
    ("organisation", "same"): "The same organisation.",
    ("organisation", "alike"): "Organisations with like names.",
    ("organisation", "differs"): "Organisations with different names.",
    ("organisation", "other number"): "Organisations with different registered numbers.",
    ("place", "premises"): "The same building, by its number.",
    ("place", "postcode"): "The same postcode.",
    ("place", "near"): "Within 250 metres of each other.",
    ("place", "apart"): "Some way from each other.",
    ("place", "far"): "Far from each other.",
    ("phone", "same"): "The same telephone number.",
    ("phone", "differs"): "Different telephone numbers.",
    ("email", "same"): "The same e-mail address.",
    ("email", "domain"): "E-mail at the same organisation.",
    ("email", "differs"): "Different e-mail addresses.",
    ("web", "page"): "The same web page.",
    ("web", "site"): "The same web site.",
    ("web", "differs"): "Different web sites.",
    ("kind", "same"): "The same kind of care.",
    ("kind", "differs"): "Different kinds of care.",
    ("ages", "same"): "For the same ages.",
    ("ages", "overlap"): "For ages that overlap.",
    ("ages", "apart"): "For different ages.",
    ("description", "alike"): "The descriptions are nearly the same.",
    ("description", "related"): "The descriptions have words in common.",
    ("description", "differs"): "The descriptions are different.",
    ("source", "same"): "One publisher lists them side by side.",
    ("source", "other"): "They come from different publishers.",
    ("site of its own", "yes"): "One organisation at two sites: two services, as far as these records say.",
    ("one of many", "yes"): "Many services share this organisation or its contacts: another name is another service.",
}

#: How many services share a value, itself among them.
Shared = Callable[[Key], int]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for (weight above 0) or against two records being one service."""

    field: str
    level: str
    weight: float

    @property
    def words(self) -> str:
        return WORDS[self.field, self.level]

    def as_json(self) -> dict[str, Any]:
        return {"field": self.field, "level": self.level, "text": self.words, "weight": round(self.weight, 1)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one comparison."""

    score: float
    reasons: list[Reason] = field(default_factory=list)

    def level(self, name: str) -> str:
        """The level of one field; empty when it could not be compared."""
        return next((reason.level for reason in self.reasons if reason.field == name), "")


def weight(name: str, level: str) -> float:
    """What a level says, as a power of two."""
    m, u = LEVELS[name][level]
    return log2(m / u)


def compare(one: Facts, other: Facts, shared: Shared) -> Comparison:
    """Compare two services. What one of them does not say speaks neither for nor against."""
    reasons = list(_reasons(one, other, shared))
    if any(reason.field == "site of its own" for reason in reasons):  # then these follow from the organisation, and say nothing more
        reasons = [replace(reason, weight=min(reason.weight, 0)) if reason.field in OF_ORGANIZATION else reason for reason in reasons]
    contacts = sum(reason.weight for reason in reasons if reason.field in CONTACTS)
    rest = sum(reason.weight for reason in reasons) - contacts
    total = BEFOREHAND + rest + min(contacts, MOST_FROM_CONTACTS)
    return Comparison(score=round(1 / (1 + 2 ** -max(min(total, 50), -50)), 4), reasons=reasons)


def _reasons(one: Facts, other: Facts, shared: Shared) -> Iterator[Reason]:
    organization, place = _organization(one, other, shared), _place(one, other, shared)
    # A group whose organisation is but its own name again says nothing more by it.
    own = names.words(one.organization) == names.words(one.name)
    name = _name(one, other, shared, within=organization.level == "same" or (organization.level == "alike" and not own))
    phone, email = _phone(one, other, shared), _email(one, other, shared)
    yield name
    yield organization
    yield from (reason for reason in (place, phone, email, _web(one, other, shared)) if reason)
    if one.kind and other.kind:
        yield _plain("kind", "same" if one.kind == other.kind else "differs")
    if level := _ages(one.ages, other.ages):
        yield _plain("ages", level)
    if level := _description(one.description, other.description):
        yield _plain("description", level)
    if one.source and other.source:
        yield _plain("source", "same" if one.source == other.source else "other")
    if place and place.level in ("apart", "far") and organization.level in ("same", "alike") and not _moved(name, phone):
        yield _plain("site of its own", "yes")
    if name.level in ("different", "conflict", "part") and _one_of_many(one, other, shared):
        yield _plain("one of many", "yes")


def _plain(name: str, level: str) -> Reason:
    return Reason(name, level, weight(name, level))


def _by_rarity(name: str, level: str, sharing: int) -> Reason:
    """The weight of agreeing on a value that so many share; two is the pair itself."""
    full = weight(name, level)
    return Reason(name, level, max(full - log2(max(sharing, 2) / 2), min(LEAST, full)))


def _moved(name: Reason, phone: Reason | None) -> bool:
    """Whether name and telephone are as they were: a service that moved, not the same service at a second site."""
    return name.level in ("same", "spelt") and phone is not None and phone.level == "same"


def _one_of_many(one: Facts, other: Facts, shared: Shared) -> bool:
    keys = {Key("organisation", str(record.organization_id)) for record in (one, other)}
    keys |= {Key("phone", number) for number in one.phones & other.phones}
    return max(map(shared, keys)) >= MANY


def _name(one: Facts, other: Facts, shared: Shared, *, within: bool) -> Reason:
    """How like the names are. Many lunch clubs are called so; within one organisation (`within`) a name is its own."""
    known = one.towns | other.towns | {word for record in (one, other) for word in names.words(record.organization)}
    order = list(Likeness)
    these, those = ([text for text in (record.name, record.alternate_name) if text] for record in (one, other))
    found = [names.compare(a, b, known=known).likeness for a, b in product(these, those)]
    likeness = min(found, key=order.index, default=Likeness.DIFFERENT)
    if likeness in (Likeness.SAME, Likeness.SPELT, Likeness.CLOSE) and not within:
        sharing = max(shared(Key("name", " ".join(sorted(names.words(record.name))))) for record in (one, other))
        return _by_rarity("name", likeness.value, sharing)
    return _plain("name", likeness.value)


def _organization(one: Facts, other: Facts, shared: Shared) -> Reason:
    if one.organization_id == other.organization_id:
        return _by_rarity("organisation", "same", shared(Key("organisation", str(one.organization_id))))
    if same := one.numbers & other.numbers:
        return _by_rarity("organisation", "same", min(shared(Key("number", f"{scheme}:{number}")) for scheme, number in same))
    if dict(one.numbers).keys() & dict(other.numbers).keys():
        return _plain("organisation", "other number")
    towns = one.towns | other.towns
    alike = names.compare(one.organization, other.organization, known=towns).likeness in (Likeness.SAME, Likeness.SPELT, Likeness.CLOSE)
    return _plain("organisation", "alike" if alike else "differs")


def _place(one: Facts, other: Facts, shared: Shared) -> Reason | None:
    if not one.places or not other.places:
        return None
    premises = frozenset().union(*(p.premises for p in one.places)) & frozenset().union(*(p.premises for p in other.places))
    if premises:
        return _by_rarity("place", "premises", min(shared(Key("premises", key)) for key in premises))
    if postcodes := {p.postcode for p in one.places} & {p.postcode for p in other.places} - {""}:
        return _by_rarity("place", "postcode", min(shared(Key("postcode", code)) for code in postcodes))
    away = [
        hypot(a.x - b.x, a.y - b.y)
        for a, b in product(one.places, other.places)
        if a.x is not None and a.y is not None and b.x is not None and b.y is not None
    ]
    if away:
        nearest = min(away)
        return _plain("place", "near" if nearest <= 250 else "apart" if nearest <= 2 * METRES_PER_MILE else "far")
    districts = [{p.postcode.split(" ")[0] for p in record.places} - {""} for record in (one, other)]
    return _plain("place", "apart" if districts[0] & districts[1] else "far") if all(districts) else None


def _phone(one: Facts, other: Facts, shared: Shared) -> Reason | None:
    if not one.phones or not other.phones:
        return None
    if same := one.phones & other.phones:
        return _by_rarity("phone", "same", min(shared(Key("phone", number)) for number in same))
    return _plain("phone", "differs")


def _email(one: Facts, other: Facts, shared: Shared) -> Reason | None:
    if not one.email or not other.email:
        return None
    if one.email == other.email:
        return _by_rarity("email", "same", shared(Key("email", one.email)))
    if one.mail_domain and one.mail_domain == other.mail_domain:
        return _by_rarity("email", "domain", shared(Key("mail domain", one.mail_domain)))
    return _plain("email", "differs")


def _web(one: Facts, other: Facts, shared: Shared) -> Reason | None:
    if one.page and one.page == other.page:
        return _by_rarity("web", "page", shared(Key("page", one.page)))
    if not one.site or not other.site:
        return None
    if one.site == other.site:
        return _by_rarity("web", "site", shared(Key("site", one.site)))
    return _plain("web", "differs")


def _ages(these: tuple[int | None, int | None], those: tuple[int | None, int | None]) -> str:
    if these == (None, None) or those == (None, None):
        return ""
    if these == those:
        return "same"
    (low, high), (other_low, other_high) = ((first or 0, 150 if last is None else last) for first, last in (these, those))
    return "apart" if low > other_high or other_low > high else "overlap"


def _description(one: str, other: str) -> str:
    if min(len(one), len(other)) < 40:
        return ""
    likeness = fuzz.token_set_ratio(one, other)
    return "alike" if likeness >= 85 else "related" if likeness >= 60 else "differs"
