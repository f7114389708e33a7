"""The figures of the quality page: counted over public records only, from one statement."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.models import Contact, CostOption, Phone, Schedule, Service, Source
from catalogue.quality import Figures, measure
from tests import factories

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
TODAY = date(2026, 7, 1)


def square(name: str, east: float):
    return factories.AreaFactory(name=name, outline=MultiPolygon(factories.near(east).buffer(4_000, quadsegs=1), srid=27700))


def at_place(service: Service, east: float = 0, **fields) -> Service:
    service.service_at_locations.create(location=factories.LocationFactory(point=factories.near(east), **fields))
    return service


def checked(days: int | None, **fields) -> Service:
    return factories.ServiceFactory(assured_date=None if days is None else TODAY - timedelta(days=days), **fields)


@pytest.mark.req("R106")
@pytest.mark.req("R126")
def test_how_many_and_how_fresh_by_district_and_source():
    square("Preston", 0)
    square("Chorley", 20_000)
    at_place(checked(0, source="County"))
    at_place(checked(92, source="County"))
    at_place(checked(93, source="Hospice"))
    at_place(checked(None, source="Hospice"), 20_000)
    checked(10)
    found = measure(at=AT)
    everything = found.everything
    assert (everything.records, everything.fresh, everything.overdue, everything.never, everything.median_days) == (5, 3, 1, 1, 51)
    by_district = [(row.name, row.records, row.fresh, row.overdue, row.never) for row in found.by_district]
    assert by_district == [("Chorley", 1, 0, 0, 1), ("Preston", 3, 2, 1, 0), ("", 1, 1, 0, 0)]
    assert [(row.name, row.records, row.median_days) for row in found.by_source] == [("County", 2, 46), ("Hospice", 2, 93), ("", 1, 10)]


def test_each_part_of_a_complete_record_is_counted():
    bare = factories.ServiceFactory(care_type=None)
    assert set(measure(at=AT).everything.complete.values()) == {0}
    Phone.objects.create(service=bare, number="1")
    Schedule.objects.create(service=bare, byday="MO")
    CostOption.objects.create(service=bare, option="Free")
    factories.CriterionFactory(service=bare)
    at_place(bare)
    Service.objects.update(care_type=factories.term("care-type", "befriending"))
    assert set(measure(at=AT).everything.complete.values()) == {1}


def test_an_address_a_price_and_ages_count_too_and_empty_ones_do_not():
    service = factories.ServiceFactory(email="a@example.org", price_week=0)
    factories.EligibilityFactory(service=service)
    complete = measure(at=AT).everything.complete
    assert (complete["contact"], complete["cost"], complete["eligibility"]) == (1, 1, 0)
    service.eligibility.minimum_age = 18
    service.eligibility.save()
    assert measure(at=AT).everything.complete["eligibility"] == 1


def test_a_private_desk_is_no_contact():
    Contact.objects.create(service=factories.ServiceFactory(), email="x@example.org", is_public=False)
    assert measure(at=AT).everything.complete["contact"] == 0


@pytest.mark.parametrize(
    "hidden",
    [
        {"is_confidential": True}, {"is_internal": True}, {"organization__is_confidential": True}, {"status": Service.Status.INACTIVE},
        {"merged": True},
    ],
)  # fmt: skip
def test_what_is_not_public_changes_no_figure(hidden):
    square("Preston", 0)
    kept = at_place(checked(5, source="County"))
    before = measure(at=AT)
    hidden = dict(hidden)
    fields = {"merged_into": kept} if hidden.pop("merged", False) else hidden
    at_place(checked(1, source="Secret source", **fields))
    assert measure(at=AT) == before


def test_a_confidential_place_puts_its_service_into_no_district():
    square("Preston", 0)
    at_place(checked(5), is_confidential=True)
    (row,) = measure(at=AT).by_district
    assert (row.name, row.complete["place"]) == ("", 0)


def test_a_service_with_two_places_is_one_record():
    square("Preston", 0)
    square("Chorley", 20_000)
    at_place(at_place(checked(5), 0), 20_000)
    assert sum(row.records for row in measure(at=AT).by_district) == 1


def test_one_statement_for_all_figures_and_one_for_the_licences():
    Source.objects.create(name="County", kind=Source.Kind.ORUK_3, licence="OGL 3.0")
    checked(5, source="County")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = measure(at=AT)
    assert len(asked) == 2
    assert found.licences["County"].licence == "OGL 3.0"


def test_nothing_to_measure():
    found = measure(at=AT)
    assert (found.everything.records, found.everything.median_days, found.by_district, found.by_source) == (0, None, [], [])


@pytest.mark.parametrize(("count", "of", "share"), [(0, 0, 0), (0, 10, 0), (10, 10, 100), (999, 1000, 99), (1, 1000, 1), (1, 3, 33)])
def test_a_share_says_all_or_none_only_when_it_is(count, of, share):
    figures = Figures("", of, 0, 0, 0, None, {})
    assert figures.share(count) == share
