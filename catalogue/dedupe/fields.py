"""What of a record can be chosen when two are merged: single fields, and lists that are taken whole."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, ManyToManyField, Model
from django.db.models.fields.files import FieldFile

from catalogue.models import Attachment, Service

#: Name → columns of the record that go together.
SINGLE: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "alternate_name": ("alternate_name",),
    "description": ("description",),
    "url": ("url",),
    "email": ("email",),
    "care_type": ("care_type_id",),
    "catchment_m": ("catchment_m",),
    "price_week": ("price_week",),
    "cqc_rating": ("cqc_rating", "cqc_rated_on"),
    "registered_places": ("registered_places",),
    "assured_date": ("assured_date", "assured_by"),
}
#: Rows that belong to the service alone, and are taken as a whole.
LISTS = (
    "service_at_locations", "phones", "contacts", "schedules", "schedule_exceptions", "cost_options", "eligibility", "criteria",
    "registrations", "service_areas", "quality_marks",
)  # fmt: skip
#: Lists that are a part of the rows of one relation. What waits for a curator's approval is nobody's to choose yet, and stays where it is.
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "photos": ("attachments", {"kind": Attachment.Kind.PHOTO, "is_shown": True}),
    "documents": ("attachments", {"kind": Attachment.Kind.DOCUMENT, "is_shown": True}),
}
LINKS = ("taxonomy_terms", "partners")
#: Every field that may be chosen, in the order in which a page shows them.
CHOICES: dict[str, str] = {
    "name": "Name", "alternate_name": "Other name", "description": "What it offers", "care_type": "Kind of care",
    "service_at_locations": "Places", "phones": "Telephone", "email": "E-mail", "url": "Website", "contacts": "Who to ask for",
    "schedules": "Times", "schedule_exceptions": "Days that are otherwise", "cost_options": "Cost", "price_week": "Usual price a week",
    "eligibility": "Ages and sex", "criteria": "Whom it can take",
    "registrations": "Where people are registered", "service_areas": "Areas",
    "catchment_m": "How far it reaches",
    "taxonomy_terms": "Subjects", "partners": "Delivered with",
    "photos": "Photos", "documents": "Papers", "quality_marks": "Marks of quality",
    "cqc_rating": "CQC rating", "registered_places": "Registered places", "assured_date": "Checked",
}  # fmt: skip


def said(service: Service, name: str) -> list[dict[str, Any]]:
    """What a record says in a field, without keys, so that two records can be compared: a list of rows in a steady order."""
    if name in SINGLE:
        values = {column: getattr(service, column) for column in SINGLE[name]}
        return [] if all(value in (None, "") for value in values.values()) else [_plain(values)]
    if name in LINKS:
        return [{"pk": str(pk)} for pk in sorted(getattr(service, name).values_list("pk", flat=True))]
    rows = [_plain({f.attname: _value(row, f) for f in _content(row)}) for row in _rows(service, name)]
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def stored(service: Service, name: str) -> Any:
    """What a record says in a field as it can be put back, keys and all."""
    if name in SINGLE:
        return _plain({column: getattr(service, column) for column in SINGLE[name]})
    if name in LINKS:
        return [str(pk) for pk in getattr(service, name).values_list("pk", flat=True)]
    return json.loads(serializers.serialize("json", _rows(service, name)))


def take(kept: Service, gone: Service, name: str) -> None:
    """Make `kept` say what `gone` says in a field. Lists are copied: the other record keeps its own. `kept` is not yet saved."""
    if name in SINGLE:
        for column in SINGLE[name]:
            setattr(kept, column, getattr(gone, column))
    elif name in LINKS:
        getattr(kept, name).set(getattr(gone, name).all())
    else:
        _delete(kept, name)
        for row in _rows(gone, name):
            owner = _owner(row)
            if not owner.primary_key:
                row.pk = uuid4() if row._meta.pk.default is not None and row._meta.pk.get_internal_type() == "UUIDField" else None
            setattr(row, owner.attname, kept.pk)
            row._state.adding = True
            row.save(force_insert=True)


def put_back(service: Service, name: str, before: Any) -> None:
    """Make a record say again what `stored` kept. The record is not yet saved."""
    if name in SINGLE:
        for column, value in before.items():
            column_of: Any = Service._meta.get_field(column.removesuffix("_id"))
            setattr(service, column, column_of.to_python(value))
    elif name in LINKS:
        model = Service._meta.get_field(name).related_model
        getattr(service, name).set(model._default_manager.filter(pk__in=before))  # type: ignore[union-attr]
    else:
        _delete(service, name)
        for row in serializers.deserialize("json", json.dumps(before)):
            row.save()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(values, cls=DjangoJSONEncoder))


def _value(row: Model, field: Any) -> Any:
    if isinstance(field, ManyToManyField):
        return sorted(str(pk) for pk in getattr(row, field.name).values_list("pk", flat=True))
    value = getattr(row, field.attname)
    if isinstance(value, FieldFile):
        return value.name  # a copy of the row names the same file
    return value.ewkt if hasattr(value, "ewkt") else value


def _rows(service: Service, name: str) -> list[Any]:
    whole, part = PARTS.get(name, (name, {}))
    relation: Any = Service._meta.get_field(whole)
    return list(relation.related_model._default_manager.filter(**{relation.field.name: service}, **part).order_by("pk"))


def _delete(service: Service, name: str) -> None:
    for row in _rows(service, name):
        row.delete()


def _owner(row: Model) -> Any:
    return next(f for f in row._meta.concrete_fields if isinstance(f, ForeignKey) and f.related_model is Service)


def _content(row: Model) -> Iterable[Any]:
    owner = _owner(row)
    return [f for f in row._meta.concrete_fields if not f.primary_key and f is not owner]
