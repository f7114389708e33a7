"""An organisation's services as a spreadsheet: written for download, and read again with great distrust.

One row is one service, one column one field (`catalogue.entry.columns`).
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from unicodedata import category
from uuid import UUID
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape
from openpyxl.utils.exceptions import InvalidFileException

from catalogue.entry.columns import CLEAR, KEEP, LONGEST_CELL, Fault, Vocabulary, columns
from catalogue.entry.content import Content
from core.errors import Invalid

MOST_ROWS = 5_000
#: With the empty ones between them.
MOST_LINES = 50_000
LARGEST = 5 * 1024 * 1024
#: Unpacked, a workbook of so many rows is far smaller than this; a bomb is not.
LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_PARTS = 200
SHEET = "Services"
GUIDE = (
    "An empty cell leaves what the directory says as it is.",
    f"Write {CLEAR} to take away what the directory says.",
    f"“{KEEP}” stands where a cell cannot say it, such as an area drawn on a map. Leave it, or write something else in its place.",
    "Several in one cell: put semicolons between them.",
    "Times: Tuesday, Thursday 10:00 to 12:00; first Monday of the month 14:00 to 16:00",
    "Times with more: Tuesday 10:00 to 12:00 (every 2 weeks, from 2026-01-06, until 2026-12-31, term time only, note: ring first)",
    "Areas: names or codes of districts, wards and small areas, outcodes such as PR1, codes of GP practices.",
    "Places: street, town and postcode hold equally many, in the same order.",
    "Prices: Meal: £4.50 a day; Transport: free",
)
#: What a spreadsheet program would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NO_FILE = "That is not a spreadsheet that we can read. Save it as Excel workbook (.xlsx), then send it again."


@dataclass(slots=True)
class Row:
    """One row as it was read: the text of each cell that is not empty, by its heading; `faults` say what is wrong, by heading."""

    number: int
    id: UUID | None
    texts: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def write(entries: Iterable[tuple[UUID, Content]]) -> bytes:
    """A workbook of these services, and a second sheet with the words that may be used."""
    words = Vocabulary()
    shown = columns(words)
    # All before the workbook is begun: one that is left half written complains when it is thrown away.
    lines = [[str(pk), *(safe(column.cell(content, as_read)) for column in shown)] for pk, content in entries]
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.freeze_panes = "C2"
    for index, width in enumerate([38, 34, 28, 60, *[18] * (len(shown) - 3)], start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.append([_bold(sheet, text) for text in ("Id (leave as it is; empty for a new service)", *(c.heading for c in shown))])
    for cells in lines:
        sheet.append(cells)
    guide = book.create_sheet("How to fill it in")
    for line in GUIDE:
        guide.append([line])
    glossary = book.create_sheet("Words to use")
    for heading, names in words.words():
        glossary.append([_bold(glossary, heading)])
        for name in names:
            glossary.append([safe(name)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_read(value: Any) -> str:
    """What a cell with this value says when it is read again."""
    return _words(safe(value))


def safe(value: Any) -> Any:
    """Text that no spreadsheet program takes for a formula: an apostrophe goes before one that begins so, and `read` takes it off."""
    if isinstance(value, str):
        value = "".join(letter for letter in value if letter in "\n\t" or letter >= " ")
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value


def read(data: bytes, *, first: int | None = None) -> list[Row]:
    """Rows of a workbook, all or only the first, each with its values or with what is wrong with them.

    Raises Invalid for a file that is no such workbook, is too large packed or unpacked, has too many rows, or lacks the columns. No
    formula is worked out: a cell that holds one is a fault.
    """
    rows: list[Row] = _of_sheet(data, lambda sheet: list(islice(_rows(sheet.iter_rows(max_col=60)), first)))
    return rows


def table(data: bytes) -> list[list[str]]:
    """The first sheet of a workbook as text, under whatever headings. Raises Invalid as `read` does, and for a formula."""
    try:
        lines: list[list[str]] = _of_sheet(data, lambda sheet: [[_cell(cell) for cell in line] for line in sheet.iter_rows(max_col=60)])
    except Fault as fault:
        raise Invalid(f"{fault} Then send the file again.") from None
    return lines


def _of_sheet(data: bytes, use: Callable[[Any], Any]) -> Any:
    if len(data) > LARGEST:
        raise Invalid(f"The file is too large: up to {LARGEST // 1024 // 1024} MB can be read. Take out pictures, or split it.")
    _inspect(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        try:
            sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
            return use(sheet)
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


def _rows(cells: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    rows = iter(cells)
    known = {column.heading.casefold(): column.heading for column in columns(Vocabulary())}
    headings = [_words(cell.value).casefold() for cell in next(rows, ())]
    places = {index: known[heading] for index, heading in enumerate(headings) if heading in known}
    ids = next((index for index, heading in enumerate(headings) if heading == "id" or heading.startswith("id (")), None)
    if ids is None or "name" not in headings:
        raise Invalid(
            "The first row must hold the headings, with “Id” and “Name” among them. Download the spreadsheet and change that one."
        )
    found = 0
    seen: set[UUID] = set()
    for number, line in enumerate(rows, start=2):
        if number > MOST_LINES:
            raise Invalid("There are very many empty rows. Copy the rows that count into a new file, then send that.")
        if not any(cell.value not in (None, "") for cell in line):
            continue
        if found >= MOST_ROWS:
            raise Invalid(f"There are more than {MOST_ROWS:,} rows. Send them in several files.")
        row = _row(number, line, ids, places)
        if row.id in seen:
            row.faults["Id"] = "The same service stands in an earlier row. Keep one of the two."
        seen |= {row.id} if row.id else set()
        found += 1
        yield row


def _row(number: int, line: tuple[Any, ...], ids: int, places: Mapping[int, str]) -> Row:
    row = Row(number, None)
    try:
        text = _cell(line[ids]) if ids < len(line) else ""
        row.id = UUID(text) if text else None
    except (ValueError, Fault):
        row.faults["Id"] = "That is no id of ours. Leave the column as it was downloaded, and empty for a new service."
    for index, heading in places.items():
        try:
            if text := _cell(line[index]) if index < len(line) else "":
                row.texts[heading] = text
        except Fault as fault:
            row.faults[heading] = str(fault)
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
