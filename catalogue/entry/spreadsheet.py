"""An organisation's services as a spreadsheet: written for download, and read again with great distrust.

One row is one service, one column one field. What a spreadsheet cannot say well, such as every second Tuesday, stays as it is in the
directory and is changed on its page.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from unicodedata import category
from uuid import UUID
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException

from catalogue.entry.content import ACCESS, Content
from catalogue.models import Eligibility, Service
from catalogue.models.taxonomy import CARE_TYPE, FUNDING, LANGUAGE, NEED, REFERRAL_SOURCE
from catalogue.queries import terms_in_use
from core.errors import Invalid

MOST_ROWS = 5_000
#: With the empty ones between them.
MOST_LINES = 50_000
LARGEST = 5 * 1024 * 1024
#: Unpacked, a workbook of so many rows is far smaller than this; a bomb is not.
LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_PARTS = 200
LONGEST_CELL = 5_000
SHEET = "Services"
#: What a spreadsheet program would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NO_FILE = "That is not a spreadsheet that we can read. Save it as Excel workbook (.xlsx), then send it again."


class Fault(Exception):
    """A cell that cannot be used: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, how a value is written into a cell, and how a cell is read."""

    heading: str
    write: Callable[[Content], Any]
    read: Callable[[str], dict[str, Any]]


@dataclass(slots=True)
class Row:
    """One row as it was read. `values` are those of the fields whose cells could be used; `faults` say what is wrong, by heading."""

    number: int
    id: UUID | None
    values: Content = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


class Vocabulary:
    """Names of the vocabulary's terms to codes and back, read once for a whole sheet."""

    def __init__(self) -> None:
        self._names = {slug: {t.code: t.name for t in terms_in_use(slug)} for slug in (CARE_TYPE, NEED, FUNDING, LANGUAGE, REFERRAL_SOURCE)}
        self.access = {term.code for term in terms_in_use(NEED) if term.group == ACCESS}
        self._codes = {slug: {name.casefold(): code for code, name in names.items()} for slug, names in self._names.items()}

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
        headings = {"Kind": CARE_TYPE, "Needs": NEED, "Who may refer": REFERRAL_SOURCE, "Who pays": FUNDING, "Languages": LANGUAGE}
        for heading, slug in headings.items():
            yield heading, list(self._names[slug].values())


def columns(words: Vocabulary) -> list[Column]:
    """The columns of the sheet after the service's id, in their order."""
    return [
        _text("Name", "name", longest=255),
        Column("Kind", lambda c: words.name(CARE_TYPE, c["care_type"]) if c["care_type"] else "",
               lambda text: {"care_type": words.code(CARE_TYPE, text) if text else ""}),
        _text("What it offers", "description", longest=LONGEST_CELL),
        _choice("State", "status", dict(Service.Status.choices), "active"),
        _text("Website", "url", longest=500),
        _text("E-mail", "email", longest=254),
        Column("Phone numbers", lambda c: "; ".join(_phone(row) for row in c["phones"]), lambda text: {"phones": _phones(text)}),
        _number("Lowest age", "minimum_age", 125),
        _number("Highest age", "maximum_age", 125),
        _choice("Sex", "sex", dict(Eligibility.Sex.choices), ""),
        _text("Anything else about who it is for", "notes", longest=2_000),
        *(_needs(words, heading, rule) for heading, rule in RULES.items()),
        _terms(words, "Who may refer", "referral_sources", REFERRAL_SOURCE),
        _terms(words, "Who pays", "funding", FUNDING),
        _terms(words, "Languages", "languages", LANGUAGE),
        Column("Price a week in pounds", lambda c: Decimal(c["price_week"]) if c["price_week"] else "",
               lambda text: {"price_week": _pounds(text)}),
    ]  # fmt: skip


#: Columns of needs, each with the rule that its terms get.
RULES = {
    "Can meet": "accepts",
    "Only people with": "required",
    "Cannot take people with": "excluded",
    "Takes first people with": "preferred",
}


def write(entries: Iterable[tuple[UUID, Content]]) -> bytes:
    """A workbook of these services, and a second sheet with the words that may be used."""
    words = Vocabulary()
    shown = columns(words)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.freeze_panes = "C2"
    for index, width in enumerate([38, 34, 28, 60, *[18] * len(shown)]):
        sheet.column_dimensions[chr(65 + index)].width = width
    sheet.append([_bold(sheet, text) for text in ("Id (leave as it is; empty for a new service)", *(c.heading for c in shown))])
    for pk, content in entries:
        sheet.append([str(pk), *(safe(column.write(content)) for column in shown)])
    glossary = book.create_sheet("Words to use")
    for heading, names in words.words():
        glossary.append([_bold(glossary, heading)])
        for name in names:
            glossary.append([safe(name)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def safe(value: Any) -> Any:
    """Text that no spreadsheet program takes for a formula: an apostrophe goes before one that begins so, and `read` takes it off."""
    if isinstance(value, str):
        value = "".join(letter for letter in value if letter in "\n\t" or letter >= " ")
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value


def read(data: bytes) -> list[Row]:
    """Rows of a workbook, each with its values or with what is wrong with them.

    Raises Invalid for a file that is no such workbook, is too large packed or unpacked, has too many rows, or lacks the columns. No
    formula is worked out: a cell that holds one is a fault.
    """
    if len(data) > LARGEST:
        raise Invalid(f"The file is too large: up to {LARGEST // 1024 // 1024} MB can be read. Take out pictures, or split it.")
    _inspect(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        try:
            sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
            return _rows(sheet.iter_rows(max_col=60))
        finally:
            book.close()
    except (
        InvalidFileException,
        DefusedXmlException,
        ParseError,
        LookupError,
        ValueError,
        TypeError,
        OSError,
        EOFError,
        AttributeError,
    ) as error:
        raise Invalid(NO_FILE) from error


def _inspect(data: bytes) -> None:
    """Refuse what is no zip, or would unpack to far more than a spreadsheet of services holds, before any of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise Invalid("That file unpacks to far more than a spreadsheet of services holds, so we did not read it.")
            for part in parts:
                # A directory of a zip may lie about sizes: what is really in it is counted, in small pieces.
                if part.filename.endswith((".xml", ".rels")):
                    _count(packed, part)
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise Invalid(NO_FILE)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise Invalid(NO_FILE) from error


def _count(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    seen = 0
    with packed.open(part) as stream:
        first = stream.read(65_536)
        if b"<!DOCTYPE" in first or b"<!ENTITY" in first:
            raise Invalid(NO_FILE)
        seen += len(first)
        while piece := stream.read(1_048_576):
            seen += len(piece)
            if seen > LARGEST_UNPACKED:
                raise Invalid("That file unpacks to far more than a spreadsheet of services holds, so we did not read it.")


def _rows(cells: Iterable[tuple[Any, ...]]) -> list[Row]:
    rows = iter(cells)
    words = Vocabulary()
    known = {column.heading.casefold(): column for column in columns(words)}
    headings = [_words(cell.value).casefold() for cell in next(rows, ())]
    places = {index: known[heading] for index, heading in enumerate(headings) if heading in known}
    ids = next((index for index, heading in enumerate(headings) if heading == "id" or heading.startswith("id (")), None)
    if ids is None or "name" not in headings:
        raise Invalid(
            "The first row must hold the headings, with “Id” and “Name” among them. Download the spreadsheet and change that one."
        )
    found: list[Row] = []
    seen: set[UUID] = set()
    for number, line in enumerate(rows, start=2):
        if number > MOST_LINES:
            raise Invalid("There are very many empty rows. Copy the rows that count into a new file, then send that.")
        if not any(cell.value not in (None, "") for cell in line):
            continue
        if len(found) >= MOST_ROWS:
            raise Invalid(f"There are more than {MOST_ROWS:,} rows. Send them in several files.")
        row = _row(number, line, ids, places, words.access)
        if row.id in seen:
            row.faults["Id"] = "The same service stands in an earlier row. Keep one of the two."
        seen |= {row.id} if row.id else set()
        found.append(row)
    return found


def _row(number: int, line: tuple[Any, ...], ids: int, places: Mapping[int, Column], access: set[str]) -> Row:
    row = Row(number, None)
    try:
        text = _cell(line[ids]) if ids < len(line) else ""
        row.id = UUID(text) if text else None
    except (ValueError, Fault):
        row.faults["Id"] = "That is no id of ours. Leave the column as it was downloaded, and empty for a new service."
    rules: dict[str, str] = {}
    for index, column in places.items():
        try:
            values = column.read(_cell(line[index]) if index < len(line) else "")
        except Fault as fault:
            row.faults[column.heading] = str(fault)
            continue
        if "needs" in values:
            for code, rule in values["needs"].items():
                if code in rules:
                    row.faults[column.heading] = "A need stands in two columns. Keep one of the two."
                rules[code] = rule
            row.values["needs"] = {code: rule for code, rule in rules.items() if code not in access}
            row.values["access"] = {code: rule for code, rule in rules.items() if code in access}
        else:
            row.values |= values
    return row


def _cell(cell: Any) -> str:
    """What a cell says, as text. A formula is never worked out."""
    value = cell.value
    if cell.data_type == "f" or (isinstance(value, str) and value.startswith("=")):
        raise Fault("This cell holds a formula. Paste its value instead.")
    if cell.data_type == "e":
        raise Fault("This cell holds an error of the spreadsheet. Write its value.")
    return _words(value)


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # A workbook spells out letters that XML does not hold, such as a carriage return, and perhaps some that no text holds, such as NUL.
    text = unescape(str(value)).strip()
    if len(text) > LONGEST_CELL:
        raise Fault(f"Keep this to {LONGEST_CELL:,} characters.")
    text = "".join(letter for letter in text if letter in "\n\t" or category(letter) not in ("Cc", "Cs"))
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _text(heading: str, name: str, *, longest: int) -> Column:
    def read_text(text: str) -> dict[str, Any]:
        if len(text) > longest:
            raise Fault(f"Keep this to {longest:,} characters.")
        if name == "name" and not text:
            raise Fault("Say what the service is called.")
        return {name: text}

    return Column(heading, lambda content: content[name], read_text)


def _choice(heading: str, name: str, choices: Mapping[Any, Any], empty: str) -> Column:
    codes = {str(words).casefold(): str(code) for code, words in choices.items()}

    def read_choice(text: str) -> dict[str, Any]:
        if text and text.casefold() not in codes:
            raise Fault(f"Write one of: {', '.join(map(str, choices.values()))}.")
        return {name: codes[text.casefold()] if text else empty}

    return Column(heading, lambda content: str(choices.get(content[name], content[name])), read_choice)


def _number(heading: str, name: str, largest: int) -> Column:
    def read_number(text: str) -> dict[str, Any]:
        if text and not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= largest):
            raise Fault(f"Write a whole number from 0 to {largest}, or leave it empty.")
        return {name: int(text) if text else None}

    return Column(heading, lambda content: "" if content[name] is None else content[name], read_number)


def _needs(words: Vocabulary, heading: str, rule: str) -> Column:
    def read_needs(text: str) -> dict[str, Any]:
        return {"needs": {words.code(NEED, part): rule for part in _parts(text)}}

    def write_needs(content: Content) -> str:
        said = content["needs"] | content["access"]
        return "; ".join(words.name(NEED, code) for code, its_rule in said.items() if its_rule == rule)

    return Column(heading, write_needs, read_needs)


def _terms(words: Vocabulary, heading: str, name: str, slug: str) -> Column:
    return Column(
        heading,
        lambda content: "; ".join(words.name(slug, code) for code in content[name]),
        lambda text: {name: [words.code(slug, part) for part in _parts(text)]},
    )


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
