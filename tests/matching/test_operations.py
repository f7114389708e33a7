"""Searching: the answer is ranked, said in words, stored, and can be had again."""

import pytest
from django.utils import timezone

from matching import operations
from tests.factories import NeedProfileFactory, PoolFactory

pytestmark = pytest.mark.django_db


def test_a_free_place_nearby_is_found():
    pool = PoolFactory()
    run = operations.match(NeedProfileFactory(), by=None, at=timezone.now())
    assert [line.pool_id for line in operations.lines(run)] == [pool.pk]
