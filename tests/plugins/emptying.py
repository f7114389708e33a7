"""Empty the tables after a transactional test by DELETE, and put the shipped reference rows back.

Django truncates each table, which makes new files for all of them and their indexes, and then creates every content type and permission
anew: about a second a test. Here most tables are empty anyway, and who may see what does not change with the data.

The reference rows are copied inside the database: to load them as an installation does takes a hundred statements, a third of a second.
"""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from capacity import reference
from catalogue import vocabulary
from matching import reference as weights

KEPT = {"django_content_type", "auth_permission"}
#: Of the queue, which Django does not count as ours.
JOBS = {"procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers"}
#: Where copies of the shipped rows lie, out of the sight of the code under test.
SHIPPED = "shipped"

#: What empties this process's database: the same statements after each test.
_statements: list[str] = []


def tables() -> list[str]:
    """The tables of ours that a test may write."""
    return sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT | JOBS)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """A database with the shipped rows, committed, and nothing else: with these every test of this process begins."""
    with django_db_blocker.unblock():
        _ship()


def _ship() -> None:
    _statements.extend(["SET LOCAL session_replication_role = replica", *(f'DELETE FROM "{table}"' for table in tables())])
    empty()
    vocabulary.load()
    reference.load()
    weights.load()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SHIPPED} CASCADE; CREATE SCHEMA {SHIPPED}")
        for table in tables():
            cursor.execute(f'CREATE TABLE {SHIPPED}."{table}" AS TABLE "{table}"')
            cursor.execute(
                "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
                [table],
            )
            columns = cursor.fetchone()[0]
            cursor.execute(f'SELECT EXISTS (SELECT FROM {SHIPPED}."{table}")')
            if cursor.fetchone()[0]:
                _statements.append(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM {SHIPPED}."{table}"')


def empty() -> None:
    """Delete every row of every table of ours, but those shipped. Triggers and foreign keys sleep meanwhile: history too must go."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(_statements))


@pytest.fixture(scope="session", autouse=True)
def _empty_by_delete() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty())
        yield
