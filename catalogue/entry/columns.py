"""The columns of the spreadsheet of services: how a field is written into a cell, and how a cell is understood.

An empty cell leaves what the directory says as it is, `CLEAR` takes it away, and `KEEP` stands where the directory says something that a
cell cannot say well, such as an area drawn on the map.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any
from uuid import uuid4

from catalogue.entry import plain_times
from catalogue.entry.content import ACCESS, Content, canonical
from catalogue.entry.places import canonical_place
from catalogue.lexicon import by_code
from catalogue.models import Area, Eligibility, Outcode, Practice, Service
from catalogue.models.taxonomy import CARE_TYPE, CONDITION, FUNDING, LANGUAGE, NEED, REFERRAL_SOURCE
from catalogue.queries import terms_in_use
from core.geo import normal_postcode

#: What takes a field's value away, and what stands for one that is changed on its page only.
CLEAR, KEEP = "clear", "as it is"
LONGEST_CELL = 5_000
_BUILDING = "Name of the building"
_PLACE = {_BUILDING: "name", "Building and street": "address_1", "Town": "city", "Postcode": "postal_code"}


class Fault(Exception):
    """A cell that cannot be used: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `read` gets the cell's text, or "" to clear it, and what the directory says."""

    heading: str
    write: Callable[[Content], Any]
    read: Callable[[str, Content], dict[str, Any]]

    def cell(self, content: Content, as_read: Callable[[Any], str]) -> Any:
        """What stands in the cell: `KEEP` when reading it would not give back the same. `as_read` is what a cell's value becomes."""
        try:
            value = self.write(content)
            text = as_read(value)
            if value == "" or text.casefold() in (CLEAR, KEEP):
                return KEEP if value else ""
            said = self.read(text, content)
        except (Fault, KeyError):
            return KEEP
        return value if all(canonical(name, said[name]) == content[name] for name in said) else KEEP


class Vocabulary:
    """Names of the vocabulary's terms, of areas and practices to codes and back, read once for a whole sheet."""

    def __init__(self) -> None:
        slugs = (CARE_TYPE, NEED, CONDITION, FUNDING, LANGUAGE, REFERRAL_SOURCE)
        self._names = {slug: {t.code: t.name for t in terms_in_use(slug)} for slug in slugs}
        self.access = {term.code for term in terms_in_use(NEED) if term.group == ACCESS}
        # The code of a term that was merged is read as that of the one that was kept.
        self._codes = {slug: {code.casefold(): term.code for code, term in by_code(slug).items()} for slug in slugs}
        for slug, names in self._names.items():
            self._codes[slug] = {code: now for code, now in self._codes[slug].items() if now in names}
            self._codes[slug] |= {name.casefold(): code for code, name in names.items()}

    def name(self, slug: str, code: str) -> str:
        return self._names[slug].get(code, code)

    def code(self, slug: str, text: str) -> str:
        words = " ".join(text.split())
        code = words if words in self._names[slug] else self._codes[slug].get(words.casefold())
        if code is None:
            raise Fault(f"“{words[:60]}” is not in the list. Use the words of the sheet “Words to use”.")
        return code

    def words(self) -> Iterator[tuple[str, list[str]]]:
        """By heading, the names that its cells may hold."""
        headings = {
            "Kind": CARE_TYPE,
            "Needs": NEED,
            "Diagnoses and guidelines": CONDITION,
            "Who may refer": REFERRAL_SOURCE,
            "Who pays": FUNDING,
            "Languages": LANGUAGE,
        }
        for heading, slug in headings.items():
            yield heading, list(self._names[slug].values())

    @cached_property
    def _areas(self) -> dict[str, dict[str, str]]:
        """By what people may write, in small letters: the areas that it may mean, names by key."""
        found: dict[str, dict[str, str]] = {}
        for code, name in Area.objects.values_list("code", "name"):
            found.setdefault(name.casefold(), {})[f"area:{code}"] = name
            found[code.casefold()] = {f"area:{code}": name}
        for outcode in Outcode.objects.values_list("pk", flat=True):
            found[outcode.casefold()] = {f"outcode:{outcode}": outcode}
        practices = Practice.objects.filter(organization__is_confidential=False)
        for ods_code, name, pcn, pcn_name in practices.values_list("organization__ods_code", "organization__name", "pcn_code", "pcn_name"):
            if ods_code:
                found[ods_code.casefold()] = {f"practice:{ods_code}": name}
            if pcn:
                found[pcn.casefold()] = {f"pcn:{pcn}": pcn_name}
        return found

    def area(self, text: str) -> dict[str, str]:
        """One area by its code, its name, or its name with the code in brackets."""
        words = " ".join(text.split())
        code = re.fullmatch(r".*\(([^()]+)\)", words)
        found = self._areas.get(code[1].casefold() if code else words.casefold(), {}) or self._areas.get(words.casefold(), {})
        if len(found) > 1:
            codes = ", ".join(sorted(key.partition(":")[2] for key in found)[:6])
            raise Fault(f"Several areas are called “{words[:60]}”. Write the code of the one that you mean: {codes}.")
        if not found:
            raise Fault(
                f"We know no area “{words[:60]}”. Write the name or code of a district, ward or small area, or an outcode like PR1."
            )
        [(key, name)] = found.items()
        return {"key": key, "name": name}


#: Columns that say one rule of the terms of one list: the field of an entry, the list, and the rule. "needs" are those of access too.
RULES: dict[str, tuple[str, str, str]] = {
    heading: (field, slug, rule)
    for field, slug, headings in (
        ("needs", NEED, ("Can meet", "Only people with", "Cannot take people with", "Takes first people with")),
        (
            "conditions",
            CONDITION,
            ("Takes these diagnoses", "Only these diagnoses", "Cannot take these diagnoses", "Takes first these diagnoses"),
        ),
        (
            "referral_sources",
            REFERRAL_SOURCE,
            ("Who may refer", "Only people referred by", "No referrals from", "Takes first people referred by"),
        ),
        ("funding", FUNDING, ("Who pays", "Only people paid for by", "Not paid for by", "Takes first people paid for by")),
        ("languages", LANGUAGE, ("Languages", "Only people who speak", "Cannot work in", "Takes first people who speak")),
    )
    for heading, rule in zip(headings, ("accepts", "required", "excluded", "preferred"), strict=True)
}


def columns(words: Vocabulary) -> list[Column]:
    """The columns of the sheet after the service's id, in their order."""
    return [
        _text("Name", "name", longest=255),
        Column("Kind", lambda c: words.name(CARE_TYPE, c["care_type"]) if c["care_type"] else "", lambda text, c: _kind(words, text)),
        _text("What it offers", "description", longest=LONGEST_CELL),
        _choice("State", "status", dict(Service.Status.choices), "active"),
        _text("Website", "url", longest=500),
        _text("E-mail", "email", longest=254),
        Column("Phone numbers", lambda c: "; ".join(_phone(row) for row in c["phones"]), lambda text, c: {"phones": _phones(text)}),
        *(_places(heading, name) for heading, name in _PLACE.items()),
        Column("Times", lambda c: plain_times.write(c["schedules"]), lambda text, c: {"schedules": _times(text)}),
        Column("Areas", lambda c: "; ".join(_area_words(row) for row in c["areas"]), lambda text, c: {"areas": _areas(words, text)}),
        _number("Lowest age", "minimum_age", 125),
        _number("Highest age", "maximum_age", 125),
        _choice("Sex", "sex", dict(Eligibility.Sex.choices), ""),
        _text("Anything else about who it is for", "notes", longest=2_000),
        *(_ruled(words, heading) for heading in RULES),
        Column("Price a week in pounds", lambda c: Decimal(c["price_week"]) if c["price_week"] else "",
               lambda text, c: {"price_week": _pounds(text)}),
        Column("Prices", lambda c: "; ".join(_price(row) for row in c["cost_options"]), lambda text, c: {"cost_options": _prices(text)}),
    ]  # fmt: skip


def understood(texts: Mapping[str, str], live: Content, known: Mapping[str, Column], access: set[str]) -> tuple[Content, dict[str, str]]:
    """What the cells of one row would make of a service, by field; and what is wrong with them, by heading."""
    values: Content = {}
    faults: dict[str, str] = {}
    rules: dict[str, dict[str, str]] = {}
    places: dict[str, list[str]] = {}
    for heading, text in texts.items():
        if not text or text.casefold() == KEEP:
            continue
        try:
            said = known[heading].read("" if text.casefold() == CLEAR else text, live)
        except Fault as fault:
            faults[heading] = str(fault)
            continue
        if heading in RULES:
            rules[heading] = said["rules"]
        elif heading in _PLACE:
            places[heading] = _several(text) if text.casefold() != CLEAR else []
        else:
            values |= said
    if rules:
        values |= _merged(rules, live, access, faults)
    if places:
        try:
            values["places"] = _as_places(places, live)
        except Fault as fault:
            faults["Postcode" if "Postcode" in places else next(iter(places))] = str(fault)
    return values, faults


def _merged(rules: Mapping[str, Mapping[str, str]], live: Content, access: set[str], faults: dict[str, str]) -> Content:
    """Terms of the columns that say something; those of the others stay, unless a column here says otherwise about them."""
    values: Content = {}
    for field in dict.fromkeys(RULES[heading][0] for heading in rules):
        columns = {heading: said for heading, said in rules.items() if RULES[heading][0] == field}
        written = {RULES[heading][2] for heading in columns}
        terms = {code: rule for code, rule in _said(live, field).items() if rule not in written}
        seen: set[str] = set()
        for heading, said in columns.items():
            if seen & said.keys():
                faults[heading] = "A word stands in two columns. Keep it in one of the two."
            seen |= said.keys()
            terms |= said
        values[field] = terms
    if "needs" in values:
        needs = values["needs"]
        values["needs"] = {code: rule for code, rule in needs.items() if code not in access}
        values["access"] = {code: rule for code, rule in needs.items() if code in access}
    return values


def _said(content: Content, field: str) -> dict[str, str]:
    said: dict[str, str] = content[field]
    return said | content["access"] if field == "needs" else said


def _as_places(cells: Mapping[str, list[str]], live: Content) -> list[dict[str, str]]:
    """Places from the columns that say something, one for each piece between semicolons; the other columns stay."""
    before: list[dict[str, str]] = live["places"]
    address = {heading: pieces for heading, pieces in cells.items() if heading != _BUILDING}
    if address and not any(address.values()):
        return []
    counts = {len(pieces) for pieces in cells.values() if pieces} or {len(before)}
    whole = len(address) == len(_PLACE) - 1 and all(address.values())
    if len(counts) > 1 or not (whole or counts == {len(before)}) or not all(address.values()):
        raise Fault("Name, street, town and postcode must hold equally many places, with semicolons between them.")
    rows = []
    kept = counts == {len(before)}
    for index in range(counts.pop()):
        row = dict(before[index]) if kept else {"id": str(uuid4()), "name": "", "description": ""}
        row |= {_PLACE[heading]: pieces[index] if pieces else "" for heading, pieces in cells.items()}
        if not kept or canonical_place(row) != before[index]:
            _check_place(row)
        rows.append(row)
    return rows


def _check_place(row: Mapping[str, str]) -> None:
    for heading, name in _PLACE.items():
        if name != "name" and not row.get(name):
            raise Fault(f"A place lacks something: fill in “{heading}”.")
        if len(row[name]) > (100 if name == "city" else 255):
            raise Fault(f"“{heading}” is too long.")
    if normal_postcode(row["postal_code"]) is None:
        raise Fault(f"“{row['postal_code'][:40]}” is no postcode. Write the whole one, like PR1 2HE.")


def _several(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(";")]


def _places(heading: str, name: str) -> Column:
    def read_places(text: str, live: Content) -> dict[str, Any]:
        return {}

    def write_places(content: Content) -> str:
        for key in _PLACE.values():
            pieces = [row[key] for row in content["places"]]
            if pieces and _several("; ".join(pieces)) != pieces:
                return KEEP
        pieces = [row[name] for row in content["places"]]
        return "; ".join(pieces) if any(pieces) else ""

    return Column(heading, write_places, read_places)


def _kind(words: Vocabulary, text: str) -> dict[str, Any]:
    if not text:
        raise Fault("A service is of one kind. Write another one, or leave the cell empty.")
    return {"care_type": words.code(CARE_TYPE, text)}


def _times(text: str) -> list[dict[str, Any]]:
    try:
        return plain_times.read(text)
    except ValueError as error:
        raise Fault(str(error)) from error


def _areas(words: Vocabulary, text: str) -> list[dict[str, str]]:
    rows = [words.area(piece) for piece in _parts(text)]
    return [row for index, row in enumerate(rows) if row not in rows[:index]]


def _area_words(row: Mapping[str, Any]) -> str:
    """An area as a cell can say it; what is drawn, or has a rule, is changed on its page."""
    kind, _, code = row["key"].partition(":")
    if set(row) != {"key", "name"} or not code:
        raise Fault("Not for a cell.")
    return code if kind == "outcode" else f"{row['name']} ({code})"


def _text(heading: str, name: str, *, longest: int) -> Column:
    def read_text(text: str, _: Content) -> dict[str, Any]:
        if len(text) > longest:
            raise Fault(f"Keep this to {longest:,} characters.")
        if name == "name" and not text:
            raise Fault("Say what the service is called.")
        return {name: text}

    return Column(heading, lambda content: content[name], read_text)


def _choice(heading: str, name: str, choices: Mapping[Any, Any], empty: str) -> Column:
    codes = {str(words).casefold(): str(code) for code, words in choices.items()}

    def read_choice(text: str, _: Content) -> dict[str, Any]:
        if text and text.casefold() not in codes:
            raise Fault(f"Write one of: {', '.join(map(str, choices.values()))}.")
        return {name: codes[text.casefold()] if text else empty}

    return Column(heading, lambda content: str(choices.get(content[name], content[name])), read_choice)


def _number(heading: str, name: str, largest: int) -> Column:
    def read_number(text: str, _: Content) -> dict[str, Any]:
        if text and not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= largest):
            raise Fault(f"Write a whole number from 0 to {largest}, or leave it empty.")
        return {name: int(text) if text else None}

    return Column(heading, lambda content: "" if content[name] is None else content[name], read_number)


def _ruled(words: Vocabulary, heading: str) -> Column:
    field, slug, rule = RULES[heading]

    def read_terms(text: str, _: Content) -> dict[str, Any]:
        return {"rules": {words.code(slug, part): rule for part in _parts(text)}}

    def write_terms(content: Content) -> str:
        return "; ".join(words.name(slug, code) for code, its_rule in _said(content, field).items() if its_rule == rule)

    return _Ruled(heading, write_terms, read_terms)


class _Ruled(Column):
    """One of the columns that say the terms of one list together."""

    def cell(self, content: Content, as_read: Callable[[Any], str]) -> Any:
        field, _, its_rule = RULES[self.heading]
        said = {code: rule for code, rule in _said(content, field).items() if rule == its_rule}
        text = self.write(content)
        try:
            return text if self.read(as_read(text), content)["rules"] == said else KEEP
        except Fault:
            return KEEP


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def _phone(row: Mapping[str, str]) -> str:
    return f"{row['number']} ({row['description']})" if row["description"] else row["number"]


def _phones(text: str) -> list[dict[str, str]]:
    found = []
    for part in _parts(text):
        number, _, words = part.partition("(")
        if len(number.strip()) > 40 or len(words) > 200:
            raise Fault("Write phone numbers with semicolons between them, and what each is for in brackets.")
        found.append({"number": number.strip(), "description": words.rstrip(") ")})
    return found


def _pounds(text: str) -> str | None:
    if not text:
        return None
    try:
        amount = Decimal(text.removeprefix("£").replace(",", ""))
    except InvalidOperation as error:
        raise Fault("Write the price in pounds, for example 4 or 4.50.") from error
    if not amount.is_finite() or not 0 <= amount < 1_000_000 or amount != round(amount, 2):
        raise Fault("Write the price in pounds, for example 4 or 4.50.")
    return f"{amount:.2f}"


def _price(row: Mapping[str, Any]) -> str:
    amount = f"£{row['amount']}" if row["amount"] else ""
    return (f"{row['option']}: " if row["option"] else "") + " ".join(part for part in (amount, row["amount_description"]) if part)


def _prices(text: str) -> list[dict[str, Any]]:
    """Pieces such as “Meal: £4.50 a day”: what for, how much, and what more there is to say."""
    rows = []
    for part in _parts(text.replace("\n", ";")):
        said = re.fullmatch(r"(?:([^:£]{1,200}):)?\s*(?:£\s*([\d.,]+))?\s*(.{0,300})", part)
        if said is None or not any(said.groups()):
            raise Fault(f"“{part[:60]}” is not understood. Write what it is for and how much, such as: Meal: £4.50 a day.")
        option, amount, words = (group or "" for group in said.groups())
        rows.append({"option": option.strip(), "amount": _pounds(amount.rstrip(",.")), "amount_description": words.strip()})
    return rows
