"""The public page about how good the directory is."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Source
from tests import factories

pytestmark = pytest.mark.django_db


def read() -> str:
    cache.clear()
    answer = Client().get(reverse("quality"))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.req("R126")
def test_it_says_plainly_how_many_are_fresh_and_whose_records_they_are():
    today = timezone.localdate()
    Source.objects.create(
        name="County", kind=Source.Kind.ORUK_3, licence="OGL 3.0", attribution="Contains data of the county", url="http://x.test"
    )
    Source.objects.create(name="Unused", kind=Source.Kind.ORUK_3)
    factories.ServiceFactory(assured_date=today, source="County")
    factories.ServiceFactory(assured_date=today - timedelta(days=200))
    factories.ServiceFactory.create_batch(2)
    shown = read()
    assert "1 of 4 records have been checked in the last three months." in shown
    assert "Nobody has checked 2 of them yet." in shown
    assert "Contains data of the county" in shown
    assert "Unused" not in shown
    assert "x.test" not in shown


def test_an_empty_directory_says_so():
    assert "There are no public records yet." in read()


def test_the_file_holds_the_same_figures_and_no_formula():
    factories.ServiceFactory(assured_date=timezone.localdate(), source="=HYPERLINK(1)")
    cache.clear()
    head, everything, district, source = csv.reader(StringIO(Client().get(reverse("quality-csv")).content.decode()))
    assert everything[:4] == ["all", "Everything", "1", "1"]
    assert district[:2] == ["district", "Not placed in a district"]
    assert source[:2] == ["source", "'=HYPERLINK(1)"]
    assert len({len(row) for row in (head, everything, district, source)}) == 1


def test_a_crowd_of_readers_counts_once(django_assert_num_queries):
    read()
    with django_assert_num_queries(0):
        Client().get(reverse("quality"))
