"""HSDS data packages, versions 1 to 3: tables in CSV, in a zip file or a folder, with or without `datapackage.json`."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import archive
from .run import BrokenSource, Importing
from .version1 import as_version_3
from .write import clean

Row = dict[str, Any]
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
MAX_FIELD = 1_000_000


def services(path: Path, importing: Importing) -> Iterator[tuple[str, Any]]:
    """Each service of the package, nested as version 3 nests it."""
    tables = {_table: list(rows) for _table, rows in _tables(path, importing)}
    if "services" not in tables:
        raise BrokenSource(f"{path.name} has no table of services (services.csv). Check that it is a data package.")
    return _nested(tables)


def _tables(path: Path, importing: Importing) -> Iterator[tuple[str, Iterator[Row]]]:
    if path.is_dir():
        files = {file.name: file for file in sorted(path.iterdir()) if file.is_file()}
        total = sum(file.stat().st_size for file in files.values())
        if total > archive.ZipLimits.total_bytes:
            raise BrokenSource(f"{path.name} is larger than {archive.ZipLimits.total_bytes // 1_000_000} MB. Split it.")
        yield from _read({name: file.read_bytes() for name, file in files.items() if file.suffix in (".csv", ".json")}, importing)
        return
    with archive.opened(path) as packed:
        names = [name for name in packed.namelist() if name.lower().endswith((".csv", ".json")) and "__MACOSX" not in name]
        yield from _read({Path(name).name: archive.read(packed, name, path) for name in names}, importing)


def _read(files: dict[str, bytes], importing: Importing) -> Iterator[tuple[str, Iterator[Row]]]:
    named = _resources(files.get("datapackage.json", b""))
    for name, content in files.items():
        table = _KNOWN.get(named.get(name, "")) or _KNOWN.get(Path(name).stem.lower())
        if name.lower().endswith(".csv") and table:
            yield table, _rows(name, content, importing)


def _resources(content: bytes) -> dict[str, str]:
    """File name to table, as the package's own description has it; empty when it has none, or a bad one: file names will do."""
    try:
        resources = json.loads(content)["resources"]
        return {Path(str(r["path"])).name: str(r["name"]).lower() for r in resources if "path" in r and "name" in r}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _rows(name: str, content: bytes, importing: Importing) -> Iterator[Row]:
    text = content.decode("utf-8-sig", errors="replace")
    if "�" in text:
        importing.leave_out(name, "", "Some letters are not UTF-8.", "Save the table as UTF-8.")
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""))
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


def _by(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.get(key):
            grouped[row[key]].append(row)
    return grouped


def _nested(tables: dict[str, list[Row]]) -> Iterator[tuple[str, Any]]:
    rows: dict[str, list[Row]] = defaultdict(list, tables)
    identifiers = _by(rows["identifiers"], "organization_id")
    organizations = {
        row["id"]: row | {"organization_identifiers": identifiers.get(row["id"], [])} for row in rows["organizations"] if "id" in row
    }
    physical, postal = _by(rows["addresses"], "location_id"), _by(rows["postal_addresses"], "location_id")
    locations = {
        row["id"]: row | {"addresses": physical.get(row["id"]) or postal.get(row["id"], [])} for row in rows["locations"] if "id" in row
    }
    at_locations = _by(rows["at_locations"], "service_id")
    parts = {name: _by(rows[name], "service_id") for name in _PARTS}
    terms = _terms(rows)
    for service in rows["services"]:
        key = service.get("id", "")
        record = {
            **service,
            "organization": organizations.get(service.get("organization_id", "")),
            "service_at_locations": [{**at, "location": locations.get(at.get("location_id", ""))} for at in at_locations.get(key, [])],
            "attributes": terms.get(key, []),
            **{name: of.get(key, []) for name, of in parts.items()},
        }
        record["schedules"] = [_whole_interval(schedule) for schedule in record["schedules"]]
        yield str(service.pop("_row")), as_version_3(record)


_PARTS = ("phones", "contacts", "schedules", "regular_schedules", "eligibility", "cost_options", "languages", "service_areas")


def _whole_interval(schedule: Row) -> Row:
    interval = schedule.get("interval", "")
    return {**schedule, "interval": int(interval)} if interval.isdigit() else {k: v for k, v in schedule.items() if k != "interval"}


def _terms(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """By service: its terms, as version 1, 2 (`service_taxonomy`) or 3 (`attributes`) link them."""
    lists = {row["id"]: row.get("name", "") for row in rows["taxonomies"] if "id" in row}
    known = {
        row["id"]: {"taxonomy": row.get("vocabulary") or lists.get(row.get("taxonomy_id", "")), **row}
        for row in rows["taxonomy"] + rows["terms"]
        if "id" in row
    }
    found: dict[str, list[Row]] = defaultdict(list)
    links = [(link.get("service_id"), link.get("taxonomy_term_id") or link.get("taxonomy_id")) for link in rows["service_terms"]]
    links += [(link.get("link_id"), link.get("taxonomy_term_id")) for link in rows["attributes"]]
    for service, term in links:
        if service and term in known:
            found[service].append({"taxonomy_term": known[term]})
    return found
