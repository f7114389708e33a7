"""A spreadsheet of services, one a row, with plain column names: xlsx or CSV. `template` makes one to fill in.

Cells are read as they were last shown; formulas are never worked out.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from core.ids import derived

from . import archive
from .files import reading
from .run import BrokenSource, Importing
from .write import clean

#: Column: (what to write in it, an example). The first line of the sheet has these names; only the first two must be there.
COLUMNS: dict[str, tuple[str, str]] = {
    "organisation": ("Who runs the service", "Preston Neighbours"),
    "service": ("Name of the service", "Tea and Talk"),
    "reference": ("Your own number or code for it; keep it the same each time", "PN-014"),
    "description": ("What it offers, in plain words", "A weekly get-together for people who would like company."),
    "type": ("What kind of service it is", "Befriending"),
    "website": ("Web page of the service", "https://example.org/tea"),
    "email": ("Public e-mail address", "hello@example.org"),
    "phone": ("Public telephone number", "01772 000000"),
    "address": ("Building and street", "1 Church Street"),
    "town": ("Town or city", "Preston"),
    "postcode": ("Postcode of the place", "PR1 2HE"),
    "days": ("Days it is open", "Monday, Wednesday"),
    "opens": ("Opening time", "10:00"),
    "closes": ("Closing time", "12:30"),
    "minimum age": ("Lowest age, in years", "60"),
    "maximum age": ("Highest age, in years", ""),
    "who it is for": ("Anything else about who can come", "People who live alone"),
    "area": ("District that it serves", "Preston"),
    "languages": ("Languages spoken, with commas", "Urdu, Polish"),
    "cost": ("What it costs, in pounds; 0 is free", "1.50"),
    "charity number": ("Of the organisation", "1234567"),
    "company number": ("Of the organisation", ""),
    "status": ("active, inactive, defunct or temporarily closed", "active"),
    "checked on": ("When somebody last checked this row", "2026-01-31"),
}
REQUIRED = ("organisation", "service")
MAX_ROWS = 50_000
MAX_COLUMNS = 200
#: Lines of prose that may stand above the names.
MAX_PREAMBLE = 10
#: A zip file begins with this; an xlsx is one.
_ZIP = b"PK"
_DAYS = {"mo": "MO", "tu": "TU", "we": "WE", "th": "TH", "fr": "FR", "sa": "SA", "su": "SU"}


def services(path: Path, importing: Importing) -> Iterator[tuple[str, Any]]:
    """Each row as a service, nested as Open Referral UK nests it. Raises `BrokenSource` when the columns are not found."""
    for number, row in rows(path, importing):
        yield f"row {number}", as_record(row)


def rows(path: Path, importing: Importing) -> Iterator[tuple[int, dict[str, str]]]:
    """Row number and values by column name."""
    header: list[str] | None = None
    for number, cells in enumerate(_cells(path), start=1):
        values = [_text(cell) for cell in cells[:MAX_COLUMNS]]
        if header is None:
            names = [re.sub(r"[\s_*]+", " ", value).strip().lower().replace("organization", "organisation") for value in values]
            if set(REQUIRED) <= set(names):
                header = names
                for name in sorted(set(names) - COLUMNS.keys() - {""}):
                    importing.leave_out(f"row {number}", name, "The column is not known.", "Its values were left out. See the template.")
            elif number > MAX_PREAMBLE:
                break
            continue
        if number > MAX_ROWS:
            importing.reject(f"row {number}", "", f"The sheet has more than {MAX_ROWS:,} rows.", "Split it into several sources.")
            break
        found = {name: value for name, value in zip(header, values, strict=False) if value and name in COLUMNS}
        if found:
            yield number, found
    if header is None:
        raise BrokenSource(f"{path.name} has no columns “organisation” and “service”. Download the template and fill it in.")


def as_record(row: dict[str, str]) -> dict[str, Any]:
    """A row in the shape of Open Referral UK 3."""
    owner, name, postcode = row.get("organisation", ""), row.get("service", ""), row.get("postcode", "")
    key = row.get("reference") or (str(derived("spreadsheet", owner.lower(), name.lower(), postcode.lower())) if name else "")
    organization = {
        "id": str(derived("spreadsheet organisation", owner.lower())) if owner else "",
        "name": owner,
        "organization_identifiers": [
            {"identifier_scheme": scheme, "identifier": row[column]}
            for scheme, column in (("GB-CHC", "charity number"), ("GB-COH", "company number"))
            if row.get(column)
        ],
    }
    record: dict[str, Any] = {
        "id": key,
        "name": name,
        "organization": organization if owner else None,
        "description": row.get("description"),
        "url": row.get("website"),
        "email": row.get("email"),
        "status": row.get("status", "").lower() or "active",
        "assured_date": row.get("checked on"),
        "minimum_age": row.get("minimum age"),
        "maximum_age": row.get("maximum age"),
        "eligibility_description": row.get("who it is for"),
        "phones": [{"number": row["phone"]}] if row.get("phone") else [],
        "languages": [{"name": part.strip()} for part in row.get("languages", "").split(",") if part.strip()],
        "service_areas": [{"name": row["area"]}] if row.get("area") else [],
        "attributes": [{"taxonomy_term": {"name": row["type"], "taxonomy": "Type of service"}}] if row.get("type") else [],
    }
    if cost := row.get("cost", "").lstrip("£ "):
        number = re.fullmatch(r"\d+(\.\d{1,2})?", cost)
        record["cost_options"] = [{"amount": cost} if number else {"option": row["cost"]}]
    days = [code for part in re.split(r"[,;/ ]+", row.get("days", "").lower()) if (code := _DAYS.get(part[:2]))]
    if days:
        record["schedules"] = [{"byday": ",".join(dict.fromkeys(days)), "opens_at": row.get("opens"), "closes_at": row.get("closes")}]
    if postcode or row.get("address"):
        address = {"address_1": row.get("address") or name, "city": row.get("town") or "Not given", "postal_code": postcode}
        place = str(derived("spreadsheet place", row.get("address", "").lower(), postcode.lower()))
        record["service_at_locations"] = [{"location": {"id": place, "location_type": "physical", "addresses": [address]}}]
    return record


def template() -> bytes:
    """An empty sheet with the column names, an example, and a second sheet that says what belongs where."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Services"
    sheet.append(list(COLUMNS))
    sheet.append([example for _, example in COLUMNS.values()])
    help_sheet = book.create_sheet("What goes where")
    help_sheet.append(["Column", "What to write", "Needed"])
    for name, (words, _) in COLUMNS.items():
        help_sheet.append([name, words, "yes" if name in REQUIRED else "no"])
    for one in (sheet, help_sheet):
        one.freeze_panes = "A2"
        for cells in one.columns:
            one.column_dimensions[cells[0].column_letter].width = 22  # type: ignore[union-attr]
            cells[0].font = Font(bold=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cells(path: Path) -> Iterator[list[Any]]:
    try:
        with path.open("rb") as file:
            is_xlsx = file.read(2) == _ZIP
    except OSError as error:
        raise BrokenSource(f"{path.name} cannot be read. Check the name and try again.") from error
    if is_xlsx:
        yield from _sheet(path)
        return
    with reading(path) as text:
        for row in csv.reader(text):
            yield list(row)


def _sheet(path: Path) -> Iterator[list[Any]]:
    with archive.opened(path):
        pass
    broken = BrokenSource(f"{path.name} is not a spreadsheet that can be read. Save it as xlsx or CSV and send it again.")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise broken
        # A sheet may claim a million columns; only what is there is walked.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True):
            yield list(row)
        book.close()
    except (InvalidFileException, KeyError, ValueError, TypeError, AttributeError, OSError, SyntaxError) as error:
        if isinstance(error, DefusedXmlException) or isinstance(error.__cause__, DefusedXmlException):
            raise BrokenSource(f"{path.name} holds XML that was made to do harm. It was not opened.") from error
        raise broken from error


def _text(cell: Any) -> str:
    """What a person reads in the cell."""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return clean(cell)
