"""Many new rows at once: COPY, which is several times faster than INSERT and fires the same triggers."""

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from django.db.models import AutoField, BigAutoField, Field, JSONField, Model

#: Statistics are made anew when so many rows came in: what runs when the transaction commits is planned by them.
MANY = 1_000


def insert(model: type[Model], rows: Collection[Any]) -> None:
    """Put rows into the table of `model`. None of them may be there yet, and their values must have been checked."""
    if not rows:
        return
    fields = [f for f in model._meta.concrete_fields if not (f.primary_key and isinstance(f, AutoField | BigAutoField)) and not f.generated]
    columns = ", ".join(connection.ops.quote_name(str(f.column)) for f in fields)
    plain = [(f, _plain(f)) for f in fields]
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([change(f.pre_save(row, True)) for f, change in plain])


def count_anew(models: Iterable[type[Model]]) -> None:
    """Make the statistics of tables that were just filled. Inside of the transaction they count its own rows too."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")


def _plain(f: Field) -> Callable[[Any], Any]:
    """What COPY is given for a value of this field."""
    if isinstance(f, JSONField):
        return json.dumps
    return lambda value: value.hexewkb.decode() if isinstance(value, GEOSGeometry) else value
