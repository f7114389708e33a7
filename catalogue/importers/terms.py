"""Lists of terms that others publish: the esd lists as CSV, SKOS as JSON-LD (OpenActive's activities). Each becomes a list of its own.

What a list no longer has is retired, never deleted: records keep it. The words of a term that a curator has changed stay as they are.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from catalogue import vocabulary
from catalogue.models import Taxonomy, TaxonomyTerm
from core.ids import derived

from .files import csv_rows, header_of, json_file
from .run import BrokenSource, Importing

#: Names that publishers give their columns, in small letters without spaces.
_COLUMNS = {
    "code": ("identifier", "id", "code", "notation", "curie"),
    "name": ("label", "name", "title", "preflabel", "term", "preferredlabel"),
    "description": ("description", "definition", "scopenote", "scopenotes", "notes"),
    "synonyms": (
        "synonyms",
        "altlabel",
        "alternativelabel",
        "alternativelabels",
        "alternativename",
        "alternativenames",
        "nonpreferredterms",
    ),
    "parent": ("broader", "parent", "parentidentifier", "parentid", "broaderidentifier", "broaderterm"),
    "ended": ("deprecated", "retired", "obsolete", "enddate", "retireddate", "removed"),
}
_NOT_ENDED = frozenset({"", "0", "n", "no", "false", "live", "active", "current"})
_GONE = "No longer in the published list."
_FIELDS = ("name", "description", "term_uri", "synonyms", "parent_id", "retired_at", "retired_reason")


@dataclass(frozen=True, slots=True)
class Published:
    """One entry of a list, whatever its file looks like."""

    row: str
    code: str
    name: str
    description: str
    uri: str
    synonyms: tuple[str, ...]
    parent: str
    ended: bool


def slug_of(path: Path) -> str:
    """What to call a list of which nobody said: by the file's name."""
    return re.sub(r"[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-")[:50]


def import_terms(importing: Importing, path: Path, *, slug: str, name: str, prefix: str, at: datetime, retire_many: bool = False) -> None:
    """Write one published list. `prefix` begins the CURIEs of a list that has identifiers only (`esdServiceType`)."""
    if slug in vocabulary.TAXONOMIES:
        raise BrokenSource(f"“{slug}” is a list of Lune's own. Give the published one another name with --list.")
    if path.suffix == ".csv" or path.name.endswith(".csv.gz"):
        title, entries = "", _csv(importing, path, prefix)
    else:
        title, entries = _json_ld(importing, path)
    found: dict[str, Published] = {}
    for entry in entries:
        if entry.code in found:
            importing.reject(entry.row, "identifier", "The list has this identifier twice.", "Keep one of the two.", entry.code)
        else:
            found[entry.code] = entry
    if not found:
        raise BrokenSource(f"{path.name} has no term that can be used. Check that it is the right file.")
    taxonomy, _ = Taxonomy.objects.get_or_create(
        slug=slug, defaults={"id": derived("taxonomy", slug), "name": (name or title or slug)[:200], "description": title or name or slug}
    )
    before = {term.code: term for term in taxonomy.terms.select_for_update()}
    missing = [term for code, term in before.items() if code not in found and term.retired_at is None]
    used = sum(term.retired_at is None for term in before.values())
    if len(missing) * 2 > used and not retire_many:
        raise BrokenSource(
            f"{path.name} lacks {len(missing):,} of the {used:,} terms that this list has in use. If it is whole all the same, add "
            "--retire-many."
        )
    importing.begin("terms", len(found))
    ids = {code: before[code].pk if code in before else derived("term", slug, code) for code in found}
    new, changed = [], []
    for code, entry in found.items():
        term = before.get(code)
        values = _values(entry, ids, term, at)
        if term is None:
            new.append(TaxonomyTerm(id=ids[code], taxonomy=taxonomy, code=code, **values))
        elif any(getattr(term, field) != value for field, value in values.items()):
            for field, value in values.items():
                setattr(term, field, value)
            changed.append(term)
        importing.advance()
    for term in missing:
        term.retired_at, term.retired_reason = at, _GONE
    # A narrower term may stand before its broader one: the rows first, then who belongs to whom.
    parents = {term.pk: term.parent_id for term in new}
    for term in new:
        term.parent_id = None
    TaxonomyTerm.objects.bulk_create(new)
    linked = []
    for term in new:
        if parents[term.pk] is not None:
            term.parent_id = parents[term.pk]
            linked.append(term)
    TaxonomyTerm.objects.bulk_update(linked, ["parent_id"], batch_size=500)
    TaxonomyTerm.objects.bulk_update([*changed, *missing], _FIELDS, batch_size=500)
    importing.count("terms", added=len(new), changed=len(changed), unchanged=len(found) - len(new) - len(changed))
    if missing:
        importing.count("terms retired", changed=len(missing))


def _values(entry: Published, ids: Mapping[str, Any], term: TaxonomyTerm | None, at: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"term_uri": entry.uri, "parent_id": ids.get(entry.parent)}
    if term is None or term.edited_at is None:
        values |= {"name": entry.name, "description": entry.description, "synonyms": list(entry.synonyms)}
    if term is not None and term.replaced_by_id is not None:
        return values  # merged here: the publisher does not undo that
    if entry.ended:
        if term is None or term.retired_at is None:
            values |= {"retired_at": at, "retired_reason": _GONE}
    elif term is not None and term.retired_reason == _GONE:
        values |= {"retired_at": None, "retired_reason": ""}
    return values


def _entry(importing: Importing, row: str, record: Any, **values: Any) -> Published | None:
    """The entry, or None after saying what is wrong with it."""
    code, name = values["code"], values["name"]
    for field, text, longest in (("identifier", code, 100), ("label", name, 200)):
        if not text:
            importing.reject(row, field, f"The entry has no {field}.", "Ask the publisher for a whole list.", record)
            return None
        if len(text) > longest:
            importing.reject(row, field, f"The {field} is longer than {longest} characters.", "Shorten it in the file.", record)
            return None
    synonyms = tuple(dict.fromkeys(word for word in values["synonyms"] if word and len(word) <= 100 and word.lower() != name.lower()))
    return Published(row=row, **{**values, "synonyms": synonyms, "uri": values["uri"][:255]})


def _csv(importing: Importing, path: Path, prefix: str) -> Iterator[Published]:
    names = {re.sub(r"[^a-z]", "", name.lower()): name.strip() for name in header_of(path)}
    columns = {key: next((names[alias] for alias in aliases if alias in names), "") for key, aliases in _COLUMNS.items()}
    if not (columns["code"] and columns["name"]):
        raise BrokenSource(f"{path.name} needs a column called Identifier and one called Label in its first line.")

    def ragged(line: int, row: list[str]) -> None:
        importing.reject(f"line {line}", "", "The row has another number of fields than the header.", "Mend the row in the file.", row)

    for line, row in csv_rows(path, [columns["code"], columns["name"]], on_ragged=ragged):
        told = {key: " ".join(row[column].split()) if column else "" for key, column in columns.items()}
        code = told["code"].rsplit(":", 1)[-1] if prefix else told["code"]
        entry = _entry(
            importing,
            f"line {line}",
            row,
            code=code,
            name=told["name"],
            description=told["description"] or told["name"],
            uri=f"{prefix}:{code}" if prefix else code if ":" in code else "",
            synonyms=[word.strip() for word in re.split(r"[;|]", told["synonyms"])],
            parent=told["parent"].rsplit(":", 1)[-1] if prefix else told["parent"],
            ended=told["ended"].lower() not in _NOT_ENDED,
        )
        if entry:
            yield entry


def _json_ld(importing: Importing, path: Path) -> tuple[str, Iterator[Published]]:
    content = json_file(path)
    concepts = content
    if isinstance(content, dict):
        concepts = next((content[key] for key in ("concept", "concepts", "@graph", "hasTopConcept") if key in content), None)
    if not isinstance(concepts, list):
        raise BrokenSource(f"{path.name} has no list of concepts. Give a SKOS list as JSON-LD, or a CSV file.")
    title = _text(content.get("title") or content.get("prefLabel")) if isinstance(content, dict) else ""
    return title, _concepts(importing, concepts)


def _concepts(importing: Importing, concepts: list[Any]) -> Iterator[Published]:
    for number, concept in enumerate(concepts, start=1):
        row = f"concept {number}"
        if not isinstance(concept, dict):
            importing.reject(row, "", "It is no concept.", "Ask the publisher for a whole list.", json.dumps(concept)[:200])
            continue
        told = {key.rsplit(":", 1)[-1].rsplit("#", 1)[-1].rsplit("/", 1)[-1].lstrip("@"): value for key, value in concept.items()}
        if "ConceptScheme" in _texts(told.get("type")):
            continue
        uri = _text(told.get("id"))
        name = _text(told.get("prefLabel"))
        entry = _entry(
            importing,
            row,
            concept,
            code=_text(told.get("identifier")) or _code(uri),
            name=name,
            description=_text(told.get("definition")) or name,
            uri=uri,
            synonyms=_texts(told.get("altLabel")),
            parent=_code(_text(told.get("broader"))),
            ended=_text(told.get("deprecated")).lower() not in _NOT_ENDED,
        )
        if entry:
            yield entry


def _code(uri: str) -> str:
    return re.split(r"[#/]", uri.rstrip("/"))[-1]


def _texts(value: Any) -> list[str]:
    """Every text of a JSON-LD value, which may be a text, an object with a language, or a list of either."""
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        for key in ("@value", "@id", "id", "en", "en-GB"):
            if key in value:
                return _texts(value[key])
        return []
    return [] if value is None else [" ".join(str(value).split())]


def _text(value: Any) -> str:
    return next(iter(_texts(value)), "")
