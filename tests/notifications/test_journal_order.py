"""Rows are read by the number of their transaction, not by its digits."""

import pytest

from core.models import Event
from notifications import journal
from notifications.journal import Cursor

pytestmark = pytest.mark.django_db


def test_a_longer_transaction_id_comes_after_a_shorter_one():
    later = Event.objects.create(type="test", topics=["region"], xid="10")
    earlier = Event.objects.create(type="test", topics=["region"], xid="9")
    assert [row.cursor for row in journal.settled_after(Cursor(8, 0), 10)] == [Cursor(9, earlier.pk), Cursor(10, later.pk)]
    assert journal.newest() == Cursor(10, later.pk)
