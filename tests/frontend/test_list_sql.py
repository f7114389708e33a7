"""What each list page asks of the database: the statements are on record, and their number does not grow with the list."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def _fill(user, count: int) -> None:
    """`count` of everything that a list of this user could show."""
    for _ in range(count):
        match user.role:
            case "referrer":
                stay = factories.EpisodeFactory(patient__organization=user.organization)
                referral = factories.ReferralFactory(patient=stay.patient, episode=stay)
                factories.ReferralTaskFactory(referral=referral)
            case "provider":
                pool = factories.PoolFactory(service__organization=user.organization)
                factories.ReferralTaskFactory(pool=pool)
            case _:
                factories.EpisodeFactory()
                factories.ReferralTaskFactory()


def _shape(sql: str) -> str:
    """A statement without what differs from run to run: its values, how many there are, and the names of savepoints."""
    sql = re.sub(r"'(?:[^']|'')*'(::[a-z_]+(\[\])?)?|ARRAY\[[^]]*\]", "?", sql)
    sql = re.sub(r"\b\d+(\.\d+)?\b", "?", sql)
    sql = re.sub(r"\((\s*\(?\?(, \?)*\)?,?)+\)", "(?)", sql)
    sql = re.sub(r'"s\?_x\d+"|"s\d+_x\d+"', '"savepoint"', sql)
    columns = re.compile(r"^(SELECT(?: DISTINCT)?) .*? FROM ", re.S)
    sql = sql.split(" VALUES ")[0]
    return columns.sub(r"\1 … FROM ", sql) if sql.startswith("SELECT") else sql


def _statements(client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    # Django cannot write down a statement that the server prepared and whose values went to it as arrays.
    statements = [query["sql"] or "a prepared statement" for query in captured]
    return [_shape(statement) for statement in statements if "SAVEPOINT" not in statement]


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("referrer", "worklist"),
        ("provider", "inbox"),
        ("provider", "places"),
        ("manager", "dashboard"),
        ("curator", "imports"),
        ("curator", "directory"),
    ],
)
def test_a_list_asks_the_same_for_two_as_for_five(client, request, snapshot, role, name):
    user = request.getfixturevalue(role)
    client.force_login(user)
    _fill(user, 2)
    client.get(reverse(name))  # fills what is kept between requests
    for_two = _statements(client, reverse(name))
    _fill(user, 3)
    assert _statements(client, reverse(name)) == for_two
    assert for_two == snapshot
