"""Many new rows at once: COPY, which is several times faster than INSERT and fires the same triggers."""

import json
from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Any

from django.contrib.gis.db.models.fields import BaseSpatialField
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from django.db.models import AutoField, BigAutoField, DateField, Field, JSONField, Model, TimeField

#: Statistics are made anew when so many rows came in: what runs when the transaction commits is planned by them.
MANY = 1_000


def insert(model: type[Model], rows: Collection[Any]) -> None:
    """Put rows into the table of `model`. None of them may be there yet, and their values must have been checked."""
    if not rows:
        return
    fields = [f for f in model._meta.concrete_fields if not (f.primary_key and isinstance(f, AutoField | BigAutoField)) and not f.generated]
    columns = ", ".join(connection.ops.quote_name(str(f.column)) for f in fields)
    values_of = itemgetter(*(f.attname for f in fields))
    special = [(place, change) for place, f in enumerate(fields) if (change := _change(f))]
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            values = list(values_of(row.__dict__))
            for place, change in special:
                values[place] = change(row, values[place])
            copy.write_row(values)


def count_anew(models: Iterable[type[Model]]) -> None:
    """Make the statistics of tables that were just filled. Inside of the transaction they count its own rows too."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")


def _change(f: Field) -> Callable[[Any, Any], Any] | None:
    """From a row and its value of this field to what COPY is given; None: the value itself."""
    if isinstance(f, JSONField):
        return lambda row, value: json.dumps(value)
    if isinstance(f, BaseSpatialField):
        return lambda row, value: value.hexewkb.decode() if isinstance(value, GEOSGeometry) else value
    if isinstance(f, DateField | TimeField) and not (f.auto_now or f.auto_now_add):
        return None
    return None if type(f).pre_save is Field.pre_save else lambda row, value: f.pre_save(row, True)
