"""Correcting the catalogue."""

from datetime import UTC, datetime

import pytest

from capacity.models import ServiceCapacity
from capacity.opening import open_pools
from catalogue.models import EligibilityCriterion, Service
from catalogue.operations import assure, edit_service
from core.errors import Invalid, NotAllowed, NotFound
from core.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # already 2 July by the clock on the wall


def test_a_curator_corrects_any_service_and_screens_are_told(curator):
    service = factories.ServiceFactory()
    edit_service(
        service_id=service.pk,
        by=curator,
        at=AT,
        name="New name",
        care_type="home-care",
        eligibility={"minimum_age": 18},
        needs={"dementia": "accepts", "oxygen": "excluded"},
    )
    service = Service.objects.get(pk=service.pk)
    assert (service.name, service.care_type.code, str(service.assured_date)) == ("New name", "home-care", "2026-07-02")
    assert service.eligibility.minimum_age == 18
    assert dict(service.criteria.values_list("term__code", "rule")) == {"dementia": "accepts", "oxygen": "excluded"}
    event = Event.objects.get(type="service.changed")
    assert set(event.topics) == {f"service:{service.pk}", f"org:{service.organization_id}"}


def test_a_need_that_is_left_out_becomes_not_said_and_other_criteria_stay(curator):
    criterion = factories.CriterionFactory()
    factories.CriterionFactory(service=criterion.service, term=factories.term("funding", "nhs"))
    edit_service(service_id=criterion.service_id, by=curator, at=AT, needs={})
    assert list(EligibilityCriterion.objects.values_list("term__code", flat=True)) == ["nhs"]


def test_a_provider_corrects_its_own_service_but_not_what_a_curator_decides(provider):
    service = factories.ServiceFactory(organization=provider.organization)
    edit_service(service_id=service.pk, by=provider, at=AT, description="We moved.")
    assert Service.objects.get(pk=service.pk).description == "We moved."
    with pytest.raises(NotAllowed):
        edit_service(service_id=service.pk, by=provider, at=AT, is_confidential=True)


def test_others_cannot_correct_it(referrer, provider, manager):
    service = factories.ServiceFactory()
    for user in (referrer, provider, manager):
        with pytest.raises(NotAllowed):
            edit_service(service_id=service.pk, by=user, at=AT, name="Mine")
        with pytest.raises(NotAllowed):
            assure(service_id=service.pk, by=user, at=AT)


def test_a_service_that_one_may_not_see_does_not_exist(provider):
    service = factories.ServiceFactory(status=Service.Status.DEFUNCT)
    with pytest.raises(NotFound):
        assure(service_id=service.pk, by=provider, at=AT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"price_week": -1},
        {"status": "asleep"},
        {"care_type": "spaceship"},
        {"eligibility": {"minimum_age": 60, "maximum_age": 50}},
        {"eligibility": {"shoe_size": 7}},
        {"needs": {"spaceship": "accepts"}},
        {"needs": {"dementia": "perhaps"}},
    ],
)
def test_what_breaks_a_rule_is_refused_and_nothing_is_kept(curator, wrong):
    service = factories.ServiceFactory()
    with pytest.raises(Invalid):
        edit_service(service_id=service.pk, by=curator, at=AT, description="Kept?", **wrong)
    assert Service.objects.get(pk=service.pk).description == ""
    assert not Event.objects.exists()


def test_a_record_that_is_right_is_marked_as_checked(curator):
    service = factories.ServiceFactory()
    assure(service_id=service.pk, by=curator, at=AT)
    assert str(Service.objects.get(pk=service.pk).assured_date) == "2026-07-02"


def test_an_imported_home_gets_one_pool_that_nobody_has_reported():
    home = factories.ServiceFactory(registered_places=32, care_type=factories.term("care-type", "home-general-nursing"))
    place = factories.LocationFactory()
    home.service_at_locations.create(location=place)
    factories.ServiceFactory(care_type=None)
    factories.ServiceFactory(status=Service.Status.INACTIVE)
    factories.PoolFactory()
    assert (open_pools(), open_pools()) == (1, 0)
    pool = ServiceCapacity.objects.get(service=home)
    assert (pool.available, pool.maximum, pool.unit, pool.location, pool.reported_at) == (None, 32, "bed", place, None)


def test_home_care_is_counted_in_places_not_beds():
    factories.ServiceFactory(registered_places=5, care_type=factories.term("care-type", "home-care"))
    open_pools()
    assert ServiceCapacity.objects.values_list("unit", "maximum").get() == ("place", None)
