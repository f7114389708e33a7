"""The NHS Organisation Data Service's files: practices, trusts, which PCN a practice is in, and hospital sites."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from catalogue.models import Address, Location, Organization, Practice
from core.geo import normal_postcode
from core.ids import derived

from . import places
from .files import csv_rows, header_of, reading
from .run import BrokenSource, Importing
from .write import Record, child, clean, write

SOURCE = "NHS ODS"
#: `epraccur` and `etr` have no header; their 27 columns are known by number.
_WIDTH = 27
_CODE, _NAME, _ICB, _ADDRESS, _POSTCODE, _CLOSED, _STATUS, _SETTING = 0, 1, 3, slice(4, 9), 9, 11, 12, 25
_GENERAL_PRACTICE = "4"
_MAP_HEADER = ("PRACTICE_CODE", "PCN_CODE", "PCN_NAME")
_SITES_HEADER = ("Name", "URL", "Address", "Postcode")
_PRACTICE_CODE = re.compile(r"[A-Z][0-9]{5}|[A-Z][0-9A-Z]{5}").fullmatch
_TRUST_CODE = re.compile(r"[A-Z0-9]{3}").fullmatch
_SMALL = frozenset({"AND", "AT", "FOR", "IN", "OF", "ON", "THE", "WITH"})
_INITIALS = frozenset({"NHS", "GP", "PCN", "ICB", "UK", "II", "III"})
_ORGANIZATION_FIELDS = ("name", "kind", "ods_code")
_LOCATION_FIELDS = ("name", "point", "ods_code")


def load(paths: Sequence[Path], importing: Importing) -> None:
    """Import any of the four files, in any order; each is known by what is in it."""
    networks: dict[str, tuple[str, str]] = {}
    rows: list[tuple[str, list[str]]] = []
    sites: list[tuple[str, dict[str, str]]] = []
    for path in paths:
        header = [name.strip() for name in header_of(path)]
        if set(_MAP_HEADER) <= set(header):
            for _, values in csv_rows(path, _MAP_HEADER, on_ragged=_ragged(path, importing)):
                networks[values["PRACTICE_CODE"]] = (values["PCN_CODE"][:10], titled(values["PCN_NAME"])[:200])
        elif set(_SITES_HEADER) <= set(header):
            sites += [(f"{path.name} line {n}", v) for n, v in csv_rows(path, _SITES_HEADER, on_ragged=_ragged(path, importing))]
        elif len(header) == _WIDTH and (_PRACTICE_CODE(header[0]) or _TRUST_CODE(header[0])):
            rows += _without_header(path, importing)
        else:
            raise BrokenSource(
                f"{path.name} is not epraccur, etr, the practice to PCN map or the list of hospitals. Check that it is the right file."
            )
    importing.begin("ODS", len(rows) * 2 + len(sites))
    _organizations(rows, networks, importing)
    _networks(networks, importing)
    _sites(sites, importing)


def titled(text: str) -> str:
    """`THE DENSHAM SURGERY` → `The Densham Surgery`; text that has small letters already stays."""
    text = clean(text)
    if text != text.upper():
        return text
    words = text.split()
    return " ".join(
        word if word in _INITIALS else word.lower() if index and word in _SMALL else re.sub(r"[A-Z]+('S\b)?", _capital, word)
        for index, word in enumerate(words)
    )


def _capital(match: re.Match[str]) -> str:
    return match[0][:1] + match[0][1:].lower()


def _ragged(path: Path, importing: Importing) -> Callable[[int, list[str]], None]:
    def reject(number: int, row: list[str]) -> None:
        importing.reject(f"{path.name} line {number}", "", "The row has too many or too few values.", "Correct the commas in the row.", row)

    return reject


def _without_header(path: Path, importing: Importing) -> Iterator[tuple[str, list[str]]]:
    with reading(path) as text:
        reader = csv.reader(text)
        for row in reader:
            if len(row) == _WIDTH:
                yield f"{path.name} line {reader.line_num}", [clean(value) for value in row]
            elif row:
                _ragged(path, importing)(reader.line_num, row)


def _organizations(rows: list[tuple[str, list[str]]], networks: dict[str, tuple[str, str]], importing: Importing) -> None:
    known = dict(Organization.objects.filter(ods_code__isnull=False).values_list("ods_code", "pk"))
    known_places = dict(Location.objects.filter(ods_code__isnull=False).values_list("ods_code", "pk"))
    points = places.points(values[_POSTCODE] for _, values in rows)
    organizations, locations, practices = [], [], {}
    for row, values in rows:
        code = values[_CODE]
        is_practice = bool(_PRACTICE_CODE(code))
        if not is_practice and not _TRUST_CODE(code):
            importing.reject(row, "code", "This is not an ODS code.", "A practice's looks like P81001, a trust's like RXN.", values)
            continue
        if is_practice and values[_SETTING] != _GENERAL_PRACTICE:
            importing.skip("prescribes, but is not a general practice")
            continue
        if values[_CLOSED] or (is_practice and values[_STATUS] not in ("A", "P")):
            importing.skip("is closed")
            continue
        kind = Organization.Kind.PRACTICE if is_practice else _trust_kind(values[_NAME])
        organization = Organization(
            id=known.get(code) or derived("ods", code), name=titled(values[_NAME]), kind=kind, ods_code=code, source=SOURCE, source_id=code
        )
        organizations.append(Record(organization, row, raw=values))
        if is_practice:
            practices[organization.pk] = (code, values[_ICB])
        location = Location(
            id=known_places.get(code) or derived("ods", "location", code),
            name=titled(values[_NAME]),
            point=points.get(values[_POSTCODE]),
            ods_code=code,
            source=SOURCE,
            source_id=code,
        )
        locations.append(Record(location, row, _addresses(location, [titled(v) for v in values[_ADDRESS]], values[_POSTCODE]), values))
    _adopt(organizations, Organization)
    _adopt(locations, Location)
    kept = write(importing, "organizations", organizations, _ORGANIZATION_FIELDS)
    write(importing, "locations", locations, _LOCATION_FIELDS)
    _practices({pk: value for pk, value in practices.items() if pk in kept}, networks, importing)
    missing = sum(record.instance.point is None for record in locations)
    if missing:
        importing.skip("has a postcode that is not loaded, so it is not on the map", missing)


def _adopt(records: list[Record], model: Any) -> None:
    """A record that is known by its national code from elsewhere stays one record, and keeps its source."""
    sources = dict(model.objects.filter(pk__in=[r.instance.pk for r in records]).exclude(source="").values_list("pk", "source"))
    for record in records:
        record.instance.source = sources.get(record.instance.pk, SOURCE)


def _trust_kind(name: str) -> Organization.Kind:
    if "AMBULANCE" in name.upper():
        return Organization.Kind.OTHER
    community = re.search(r"COMMUNITY|MENTAL|PARTNERSHIP|HEALTH AND CARE|CARE TRUST", name.upper())
    return Organization.Kind.NHS_COMMUNITY if community else Organization.Kind.HOSPITAL


def _addresses(location: Location, lines: list[str], postcode: str) -> list[Address]:
    parts = [line for line in lines if line]
    if not parts or not postcode:
        return []
    first, *rest = parts
    city = rest[0] if len(rest) == 1 else (rest[-2] if len(rest) > 2 else rest[0]) if rest else first
    return [
        child(
            location,
            Address,
            "location",
            address_1=first[:255],
            address_2=", ".join(rest[: rest.index(city)] if city in rest else [])[:255],
            city=city[:100],
            state_province=(rest[-1] if len(rest) > 1 and rest[-1] != city else "")[:100],
            postal_code=normal_postcode(postcode) or postcode[:10],
        )
    ]


def _practices(practices: dict[Any, tuple[str, str]], networks: dict[str, tuple[str, str]], importing: Importing) -> None:
    """The PCN and ICB of each practice. A PCN that no file names today stays as it was."""
    before = Practice.objects.in_bulk(list(practices))
    new, changed = [], []
    for pk, (code, icb) in practices.items():
        old = before.get(pk)
        pcn = networks.get(code) or ((old.pcn_code, old.pcn_name) if old else ("", ""))
        row = Practice(organization_id=pk, pcn_code=pcn[0], pcn_name=pcn[1], icb_code=icb[:10])
        if old is None:
            new.append(row)
        elif (old.pcn_code, old.pcn_name, old.icb_code) != (row.pcn_code, row.pcn_name, row.icb_code):
            changed.append(row)
    Practice.objects.bulk_create(new, batch_size=1_000)
    Practice.objects.bulk_update(changed, ["pcn_code", "pcn_name", "icb_code"], batch_size=500)
    importing.count("practices", added=len(new), changed=len(changed), unchanged=len(practices) - len(new) - len(changed))


def _networks(networks: dict[str, tuple[str, str]], importing: Importing) -> None:
    """The PCNs of practices that came in before the map did."""
    changed = []
    for practice in Practice.objects.filter(organization__ods_code__in=networks).select_related("organization"):
        pcn = networks[practice.organization.ods_code or ""]
        if (practice.pcn_code, practice.pcn_name) != pcn:
            practice.pcn_code, practice.pcn_name = pcn
            changed.append(practice)
    Practice.objects.bulk_update(changed, ["pcn_code", "pcn_name"], batch_size=500)
    if changed:
        importing.count("practices", changed=len(changed))


def _sites(sites: list[tuple[str, dict[str, str]]], importing: Importing) -> None:
    """Hospital buildings: places on the map. They carry no ODS code in this list."""
    points = places.points(values["Postcode"] for _, values in sites)
    records = []
    for row, values in sites:
        key = clean(values["URL"]) or f"{clean(values['Name'])} {clean(values['Postcode'])}"
        if not normal_postcode(values["Postcode"]):
            importing.reject(row, "Postcode", "This is not a postcode.", "Correct the postcode.", values)
            continue
        location = Location(
            id=derived("nhs-site", key),
            name=clean(values["Name"]),
            point=points.get(values["Postcode"]),
            source="NHS hospital sites",
            source_id=key[:200],
        )
        lines = [part.strip() for part in values["Address"].split(",") if normal_postcode(part) is None]
        records.append(Record(location, row, _addresses(location, lines, values["Postcode"]), values))
    write(importing, "hospital sites", records, ("name", "point"))
