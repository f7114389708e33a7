"""Empty the tables after a transactional test by DELETE.

Django truncates each table, which makes new files for all of them and their indexes, and then creates every content type and permission
anew: about a second a test. Here most tables are empty anyway, and who may see what does not change with the data.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}


def empty() -> None:
    """Delete every row of every table of ours. Triggers and foreign keys sleep meanwhile: history too must go."""
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
    deletions = "; ".join(f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL session_replication_role = replica; {deletions}")


@pytest.fixture(scope="session", autouse=True)
def _empty_by_delete() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty())
        yield
