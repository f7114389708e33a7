"""Statements that a page asks again and again: parsed and planned once by each connection, which takes longer than to run them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Field, Lookup


class _PreparingCursor(ServerBindingCursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        cursor: Any = super()
        return cursor.execute(query, params, **{**options, "prepare": True})


@contextmanager
def prepared() -> Iterator[None]:
    """Statements in here are prepared by the server and kept by the connection, with a plan that suits any values.

    Only for those that find few rows by key, whatever the values: a search by words needs a plan of its own. Their text must not
    depend on how many values there are: filter by `any_of`, not by `in`.
    """
    connection.ensure_connection()
    driver: Any = connection.connection
    usual = driver.cursor_factory
    driver.prepare_threshold = 0  # Django forbids preparing; its own cursors put values in by themselves and never prepare
    driver.cursor_factory = _PreparingCursor
    try:
        yield
    finally:
        driver.cursor_factory = usual


@Field.register_lookup
class AnyOf(Lookup):
    """`id__any_of=[…]`: one of a list, sent as one value."""

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[Any]:
        return [self.lhs.output_field.get_prep_value(value) for value in self.rhs]

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [[self.lhs.output_field.get_db_prep_value(each, connection, prepared=True) for each in value]]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, column_params = self.process_lhs(compiler, connection)
        values, params = self.process_rhs(compiler, connection)
        return f"{column} = ANY({values}::{self.lhs.output_field.db_type(connection)}[])", [*column_params, *params]
