"""Writing what a source says: new rows, changed rows, and nothing at all for a row that is as it was."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Field, ForeignKey, Model

from catalogue.models import Service
from core.ids import derived

from . import bulk
from .history import entries_of, write_down
from .run import Importing

BATCH = 500
#: Columns that say when and how a row was written rather than what it says.
_NOT_CONTENT = frozenset({"source_hash", "created_at", "modified_at"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def clean(value: Any) -> str:
    """Text without control characters and halves of characters (PostgreSQL refuses them) and outer space; None becomes empty."""
    if type(value) is str and value.isprintable():  # nearly all, and quickly seen
        return value.strip()
    return "" if value is None else _CONTROL.sub("", str(value)).strip()


def web_address(value: Any) -> str:
    """A web address with a scheme, as Open Referral wants it: `www.example.org` → `https://www.example.org`."""
    text = clean(value)
    return text if not text or "://" in text else f"https://{text}"


@dataclass
class Record:
    """One row to write, what hangs on it, and where in the source it stands."""

    instance: Any
    """Has a `source_hash`."""
    row: str
    children: Sequence[Any] = field(default_factory=list)
    """Rows that belong to it alone: they are replaced with it."""
    raw: Any = None
    content: dict[str, Any] = field(default_factory=dict)
    """What was understood of it, in plain values (services only): see `seen.content`."""
    given: tuple[float, float] | None = None
    """Latitude and longitude, before they are compared with the postcode (places only)."""
    checked: bool = False
    """The children have been held against their models' rules already."""


def child(owner: Any, model: type[Model], owned_by: str, *key: object, **values: Any) -> Any:
    """A row that hangs on `owner`, with an id that is the same at each import."""
    if model._meta.pk.name == "id":
        values["id"] = derived(str(owner.pk), model._meta.label, *map(str, key))
    key_of: Any = model._meta.get_field(owned_by)
    values[key_of.attname] = owner.pk  # the key alone: to hang the object on it takes ten times as long
    return model(**values)


def faults(instance: Model) -> dict[str, str]:
    """What the model's own rules say is wrong with the values, by field. Keys to other rows are not looked up."""
    doubtful = [(f, surely) for f, surely in _checks(type(instance)) if not surely(getattr(instance, f.attname))]
    if not doubtful:
        return {}
    wanted = {f.name for f, _ in doubtful}
    try:
        instance.clean_fields(exclude={f.name for f in instance._meta.fields if f.name not in wanted})
    except ValidationError as error:
        return {name: " ".join(messages) for name, messages in error.message_dict.items()}
    return {}


@cache
def _checks(model: type[Model]) -> list[tuple[Field, Callable[[Any], bool]]]:
    """By field: a quick test that a value is surely right. Only what fails it goes through Django's own, thirty times slower rules."""
    return [(f, _surely(f)) for f in model._meta.fields if not isinstance(f, ForeignKey) and not f.primary_key]


def _surely(f: Field) -> Callable[[Any], bool]:
    kind = next((python for model_field, python in _TYPES if isinstance(f, model_field)), None)
    plain_text = all(type(rule).__name__ == "MaxLengthValidator" for rule in f.validators) and f.max_length
    choices = {value for value, _ in f.flatchoices}

    def test(value: Any) -> bool:
        if not (value.__class__ is kind and value):  # else it is there and of its type
            if isinstance(value, GEOSGeometry):  # first: to compare one is slow
                return True
            if value in f.empty_values:
                return f.blank
        if choices:
            return value in choices
        if kind is None or not isinstance(value, kind):
            return False
        if plain_text:
            return len(str(value)) <= plain_text
        try:
            for rule in f.validators:
                rule(value)
        except ValidationError:
            return False
        return True

    return test


#: The first that fits: a value of this Python type needs no more than the field's validators.
_TYPES: tuple[tuple[type[Field], type], ...] = (
    (models.CharField, str),
    (models.TextField, str),
    (models.BooleanField, bool),
    (models.DecimalField, Decimal),
    (models.IntegerField, int),
    (models.DateTimeField, datetime),
    (models.DateField, date),
    (models.TimeField, time),
)


def write(importing: Importing, kind: str, records: Iterable[Record], fields: Sequence[str], *, advance: bool = True) -> set[Any]:
    """Write records of one model whose content changed since the last import; returns the keys that are now in the database.

    `fields` are those that the source decides; others, which people here decide, are left alone. A record with a value that
    breaks a rule goes to quarantine, as does one whose id belongs to another source. `advance`: these are what the bar counts.
    """
    kept: set[Any] = set()
    batch: list[Record] = []
    for record in records:
        if record.instance.pk in kept:
            importing.reject(record.row, "id", "The same record stands in the source more than once.", "The first was used.", record.raw)
            continue
        unchecked = (record.instance,) if record.checked else (record.instance, *record.children)
        wrong = {name: text for instance in unchecked for name, text in faults(instance).items()}
        if wrong:
            name, text = next(iter(wrong.items()))
            importing.reject(record.row, name, text, f"Correct {name} at the source and import again.", record.raw)
            continue
        kept.add(record.instance.pk)
        batch.append(record)
        if len(batch) == BATCH:
            kept -= _write_batch(importing, kind, batch, fields)
            importing.advance(len(batch) if advance else 0)
            batch = []
    if batch:
        kept -= _write_batch(importing, kind, batch, fields)
        importing.advance(len(batch) if advance else 0)
    return kept


def _write_batch(importing: Importing, kind: str, batch: list[Record], fields: Sequence[str]) -> set[Any]:
    """Write one batch; returns the keys that were refused."""
    model = type(batch[0].instance)
    before = {
        pk: (source, digest)
        for pk, source, digest in model.objects.filter(pk__in=[r.instance.pk for r in batch]).values_list("pk", "source", "source_hash")
    }
    refused: set[Any] = set()
    dirty: list[Record] = []
    for record in batch:
        record.instance.source_hash = _digest(record, fields)
        source, digest = before.get(record.instance.pk, ("", ""))
        if source and source != record.instance.source:
            importing.reject(
                record.row,
                "id",
                "A record with this id came from another source.",
                "If it is the same publisher, import under the same name; otherwise ask which of the two owns it.",
                record.raw,
            )
            refused.add(record.instance.pk)
        elif digest != record.instance.source_hash:
            dirty.append(record)
    new = sum(record.instance.pk not in before for record in dirty)
    kept = _keep(dirty, fields) if model is Service else {}
    importing.count(kind, added=new, changed=len(dirty) - new, unchanged=len(batch) - len(refused) - len(dirty))
    if not dirty:
        return refused
    known = [record.instance.pk for record in dirty if record.instance.pk in before]
    said = entries_of(model, known)
    bulk.insert(model, [record.instance for record in dirty if record.instance.pk not in before])
    model.objects.bulk_create(
        [record.instance for record in dirty if record.instance.pk in before],
        update_conflicts=True,
        unique_fields=[model._meta.pk.name],
        update_fields=[*fields, "source", "source_id", "source_hash", *(["modified_at"] if hasattr(model, "modified_at") else [])],
    )
    _replace_children(dirty, known, kept)
    write_down(importing.run, said)
    return refused


def _keep(dirty: list[Record], fields: Sequence[str]) -> dict[Any, set[str]]:
    """Put what people here decided into the records that are about to be written; returns the decided fields by key.

    A check made here counts until the source was checked later.
    """
    stored = Service.objects.in_bulk([record.instance.pk for record in dirty])
    for record in dirty:
        new, old = record.instance, stored.get(record.instance.pk)
        if old is None:
            continue
        for name in set(old.kept_fields) & set(fields):
            setattr(new, name, getattr(old, name)) if name != "organization" else setattr(new, "organization_id", old.organization_id)
        if "assured_date" in fields and old.assured_date and (new.assured_date is None or new.assured_date < old.assured_date):
            new.assured_date, new.assured_by = old.assured_date, old.assured_by
    return {pk: set(old.kept_fields) for pk, old in stored.items() if old.kept_fields}


def _replace_children(dirty: list[Record], known: list[Any], kept: dict[Any, set[str]]) -> None:
    """Put the children of changed records in the place of those they had, but for those that people here decided."""
    owner = type(dirty[0].instance)
    children = sorted((c for record in dirty for c in record.children), key=lambda c: c._meta.label)
    by_model = {label: list(group) for label, group in groupby(children, key=lambda c: c._meta.label)}
    for relation in OWNED[owner._meta.model_name]:
        model = owner._meta.get_field(relation).related_model
        owned_by = owner._meta.get_field(relation).field.attname
        old, new = model.objects.filter(**{f"{owned_by}__in": known}), by_model.get(model._meta.label, [])
        ours = [pk for pk, names in kept.items() if _KEPT_AS.get(relation, relation) in names]
        if ours:
            old, new = old.exclude(**{f"{owned_by}__in": ours}), [c for c in new if getattr(c, owned_by) not in ours]
        if known:
            old.delete()
        bulk.insert(model, new)


#: A relation whose rows people decide together with another's, and its name among a service's `kept_fields`.
_KEPT_AS = {"registrations": "service_areas"}
#: By model: the relations whose rows an import replaces.
OWNED: dict[str, tuple[str, ...]] = {
    "organization": (),
    "location": ("addresses",),
    "service": (
        "eligibility",
        "criteria",
        "registrations",
        "phones",
        "contacts",
        "cost_options",
        "schedules",
        "schedule_exceptions",
        "service_areas",
        "service_at_locations",
    ),
}


def _digest(record: Record, fields: Sequence[str]) -> str:
    """SHA-256 of everything that the source says about a record."""
    instance: Model = record.instance
    own = instance.__dict__
    content: list[list[Any]] = [[(name, _plain(own[column])) for name, column in _own_columns(type(instance), tuple(fields))]]
    content += sorted(_said(part) for part in record.children)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _said(part: Model) -> list[Any]:
    label, columns = _columns(type(part))
    return [label, *((column, _plain(part.__dict__[column])) for column in columns)]


@cache
def _own_columns(model: type[Model], fields: tuple[str, ...]) -> list[tuple[str, str]]:
    found: Any = [model._meta.get_field(name) for name in sorted(fields)]
    return [(f.name, f.attname) for f in found]


@cache
def _columns(model: type[Model]) -> tuple[str, list[str]]:
    return model._meta.label, [f.attname for f in model._meta.concrete_fields if f.name not in _NOT_CONTENT]


def _plain(value: Any) -> str:
    return "" if value is None else value.hex.decode() if isinstance(value, GEOSGeometry) else str(value)
