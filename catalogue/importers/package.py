"""HSDS data packages, versions 1 to 3: tables in CSV, in a zip file or a folder, with or without `datapackage.json`.

The tables are put into a database of their own on disk, and services come out one by one with what belongs to them: memory does not grow
with the package.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from . import archive
from .joined import Joined, Row
from .run import BrokenSource, Importing
from .version1 import as_version_3
from .write import clean

#: Our name of each table: the names that versions and publishers give it, without `.csv`.
TABLES: dict[str, tuple[str, ...]] = {
    "services": ("service", "services"),
    "organizations": ("organization", "organizations"),
    "identifiers": ("organization_identifier", "organization_identifiers", "identifier", "identifiers"),
    "at_locations": ("service_at_location", "service_at_locations", "services_at_location"),
    "locations": ("location", "locations"),
    "addresses": ("address", "addresses", "physical_address", "physical_addresses"),
    "postal_addresses": ("postal_address", "postal_addresses"),
    "phones": ("phone", "phones"),
    "contacts": ("contact", "contacts"),
    "schedules": ("schedule", "schedules"),
    "regular_schedules": ("regular_schedule", "regular_schedules"),
    "eligibility": ("eligibility", "eligibilities"),
    "cost_options": ("cost_option", "cost_options"),
    "languages": ("language", "languages"),
    "service_areas": ("service_area", "service_areas"),
    "service_terms": ("service_taxonomy", "services_taxonomy", "service_taxonomies"),
    "taxonomy": ("taxonomy",),
    "taxonomies": ("taxonomies",),
    "terms": ("taxonomy_term", "taxonomy_terms"),
    "attributes": ("attribute", "attributes", "other_attribute", "other_attributes"),
}
_KNOWN = {name: table for table, names in TABLES.items() for name in names}
#: By which column the rows of a table are looked for; those of services are not.
_KEYS = {
    "services": "",
    **dict.fromkeys(("organizations", "locations", "taxonomy", "terms", "taxonomies"), "id"),
    "identifiers": "organization_id",
    **dict.fromkeys(("addresses", "postal_addresses"), "location_id"),
    "attributes": "link_id",
}
MAX_FIELD = 1_000_000
MAX_DESCRIPTION = 5_000_000
#: Opens one file of the package.
Opening = Callable[[], IO[bytes]]


def services(path: Path, importing: Importing) -> Iterator[tuple[str, Any]]:
    """Each service of the package, nested as version 3 nests it."""
    joined = Joined()
    try:
        _fill(joined, path, importing)
        if "services" not in joined.tables:
            raise BrokenSource(f"{path.name} has no table of services (services.csv). Check that it is a data package.")
    except BaseException:
        joined.close()
        raise
    return _nested(joined)


def _fill(joined: Joined, path: Path, importing: Importing) -> None:
    with ExitStack() as stack:
        files: dict[str, Opening] = {}
        if path.is_dir():
            found = [file for file in sorted(path.iterdir()) if file.is_file()]
            if sum(file.stat().st_size for file in found) > archive.ZipLimits.total_bytes:
                raise BrokenSource(f"{path.name} is larger than {archive.ZipLimits.total_bytes // 1_000_000} MB. Split it.")
            files = {file.name: lambda file=file: file.open("rb") for file in found}  # type: ignore[misc]
        else:
            packed = stack.enter_context(archive.opened(path))
            names = [name for name in packed.namelist() if "__MACOSX" not in name]
            files = {Path(name).name: lambda name=name: packed.open(name) for name in names}  # type: ignore[misc]
        named = _resources(files.get("datapackage.json"))
        for name, opening in files.items():
            table = _KNOWN.get(named.get(name, "")) or _KNOWN.get(Path(name).stem.lower())
            if name.lower().endswith(".csv") and table:
                joined.put(table, _KEYS.get(table, "service_id"), _rows(name, opening, importing))


def _resources(opening: Opening | None) -> dict[str, str]:
    """File name to table, as the package's own description has it; empty when it has none, or a bad one: file names will do."""
    if opening is None:
        return {}
    try:
        with opening() as file:
            resources = json.loads(file.read(MAX_DESCRIPTION))["resources"]
        return {Path(str(r["path"])).name: str(r["name"]).lower() for r in resources if "path" in r and "name" in r}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _rows(name: str, opening: Opening, importing: Importing) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    with opening() as file, io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        lines = _Lines(text)
        reader = csv.reader(lines)
        try:
            header = [clean(cell).lower() for cell in next(reader, [])]
            for cells in reader:
                if len(cells) < len(header) and cells:
                    importing.reject(
                        f"{name} line {reader.line_num}", "", "The row has too few values.", "Correct the commas in the row.", cells
                    )
                elif cells:
                    row = {key: value for key, value in zip(header, map(clean, cells), strict=False) if value}
                    yield {**row, "_row": f"{name} line {reader.line_num}"}
        except csv.Error as error:
            importing.reject(f"{name} line {reader.line_num}", "", f"The table cannot be read on ({error}).", "Save it as CSV again.")
    if lines.strange:
        importing.leave_out(name, "", "Some letters are not UTF-8.", "Save the table as UTF-8.")


class _Lines:
    """The lines of a text, none longer than a value may be, and whether letters in them could not be read."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.strange = False

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(2 * MAX_FIELD):
            self.strange = self.strange or "\ufffd" in line
            yield line


def _nested(joined: Joined) -> Iterator[tuple[str, Any]]:
    try:
        for service in joined.each("services"):
            key = service.get("id", "")
            places = [{**at, "location": _location(joined, at.get("location_id", ""))} for at in joined.of("at_locations", key)]
            record = {
                **service,
                "organization": _organization(joined, service.get("organization_id", "")),
                "service_at_locations": places,
                "attributes": _terms(joined, key),
                **{name: joined.of(name, key) for name in _PARTS},
            }
            record["schedules"] = [_whole_interval(schedule) for schedule in record["schedules"]]
            del record["_row"]
            yield str(service["_row"]), as_version_3(record)
    finally:
        joined.close()


def _organization(joined: Joined, key: str) -> Row | None:
    row = joined.one("organizations", key)
    return row and row | {"organization_identifiers": joined.of("identifiers", key)}


def _location(joined: Joined, key: str) -> Row | None:
    row = joined.one("locations", key)
    return row and row | {"addresses": joined.of("addresses", key) or joined.of("postal_addresses", key)}


_PARTS = ("phones", "contacts", "schedules", "regular_schedules", "eligibility", "cost_options", "languages", "service_areas")


def _whole_interval(schedule: Row) -> Row:
    interval = schedule.get("interval", "")
    return {**schedule, "interval": int(interval)} if interval.isdigit() else {k: v for k, v in schedule.items() if k != "interval"}


def _terms(joined: Joined, service: str) -> list[Row]:
    """The terms of a service, as version 1, 2 (`service_taxonomy`) or 3 (`attributes`) link them."""
    links = [link.get("taxonomy_term_id") or link.get("taxonomy_id") for link in joined.of("service_terms", service)]
    links += [link.get("taxonomy_term_id") for link in joined.of("attributes", service)]
    found: list[Row] = []
    for key in links:
        if key and (term := joined.one("terms", key) or joined.one("taxonomy", key)):
            listed = joined.one("taxonomies", term.get("taxonomy_id", "")) or {}
            found.append({"taxonomy_term": {"taxonomy": term.get("vocabulary") or listed.get("name", ""), **term}})
    return found
