"""Places and contacts of an entry: several, shared ones, and secret ones that stay out of it."""

from uuid import uuid4

import pytest

from catalogue.entry import content, operations
from catalogue.entry.places import CONTACT
from catalogue.entry.queries import entry
from catalogue.models import Address
from core.errors import Invalid
from tests import factories
from tests.catalogue.test_entry import AT, HALL, save, submit
from tests.factories import PostcodeFactory, ServiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(provider):
    return ServiceFactory(organization=provider.organization, name="Lunch club", description="Soup.")


def test_a_place_that_others_share_stays_theirs_and_ones_contacts_move_along(provider):
    PostcodeFactory()
    shared = factories.LocationFactory()
    Address.objects.create(location=shared, address_1="Old hall", city="Preston", postal_code="PR1 2HE")
    services = [ServiceFactory(organization=provider.organization) for _ in range(2)]
    for service in services:
        service.service_at_locations.create(location=shared)
        service.contacts.create(name="Ann", location=shared)
    mine = services[0]
    [before] = entry(provider, mine.pk).live["places"]
    save(provider, mine.pk, "where", places=[before | {"address_1": "New hall", "city": "Leyland", "postal_code": "pr12he"}])
    change = submit(provider, mine.pk)
    assert [entry(provider, s.pk).live["places"][0]["address_1"] for s in services] == ["New hall", "Old hall"]
    moved = mine.service_at_locations.get().location
    assert moved.point is not None
    assert [s.contacts.get().location for s in services] == [moved, shared]
    operations.undo(change_id=change.pk, seen=content.stamp(entry(provider, mine.pk).live, ["places"]), by=provider, at=AT)
    assert mine.service_at_locations.get().location == shared


@pytest.mark.req("R056")
def test_several_places_are_added_changed_and_taken_away(provider, service):
    PostcodeFactory()
    low = HALL | {"id": str(uuid4()), "address_1": "2 Low Street", "postal_code": "PR9 9ZZ"}
    cook = dict.fromkeys(CONTACT, "") | {"name": "Ann", "phones": ["01772 111111"], "is_public": False, "place": low["id"]}
    save(provider, service.pk, "where", places=[HALL, low])
    save(provider, service.pk, "contacts", contacts=[cook])
    submit(provider, service.pk)
    points = dict(service.service_at_locations.values_list("location__addresses__address_1", "location__point"))
    assert (points["1 High Street"] is None, points["2 Low Street"]) == (False, None)  # only the first postcode is in our list
    assert str(service.contacts.get().location_id) == low["id"]
    # one that is its own is changed in its place; with a place goes what belongs to it alone
    save(provider, service.pk, "where", places=[low | {"postal_code": "PR1 2HE"}])
    submit(provider, service.pk)
    at = service.service_at_locations.get()
    assert (str(at.location_id), at.location.point, at.description) == (low["id"], points["1 High Street"], "Upstairs")
    save(provider, service.pk, "where", places=[])
    submit(provider, service.pk)
    assert (service.service_at_locations.count(), service.contacts.get().location) == (0, None)
    service.refresh_from_db()
    assert {"contacts", "service_at_locations"} <= set(service.kept_fields)


def test_an_id_that_is_made_up_reaches_nobody_elses_place(provider, service):
    PostcodeFactory()
    theirs = factories.LocationFactory(is_confidential=True)
    Address.objects.create(location=theirs, address_1="7 Hidden Lane", city="Preston", postal_code="PR1 2HE")
    save(provider, service.pk, "where", places=[HALL | {"id": str(theirs.pk), "address_1": "7 Hidden Lane", "name": "", "description": ""}])
    submit(provider, service.pk)
    assert service.service_at_locations.get().location != theirs
    assert theirs.addresses.count() == 1


@pytest.mark.parametrize("secret", ["service", "organization", "location"])
def test_a_secret_place_is_in_no_entry_and_cannot_be_written_there(provider, curator, secret):
    """Not even for a curator: drafts, proposals and histories would hold it. Nor is it lost when the open ones are written."""
    PostcodeFactory()
    provider.organization.is_confidential = secret == "organization"
    provider.organization.save()
    service = ServiceFactory(organization=provider.organization, is_confidential=secret == "service")
    place = factories.LocationFactory(is_confidential=secret == "location")
    Address.objects.create(location=place, address_1="7 Hidden Lane", city="Preston", postal_code="PR1 2HE")
    service.service_at_locations.create(location=place)
    service.contacts.create(name="Bea", location=place, is_public=True)
    for user in (provider, curator):
        live = entry(user, service.pk).live
        assert (live["places"], live["contacts"]) == ([], [])
        if secret != "location":
            with pytest.raises(Invalid):
                save(user, service.pk, "where", places=[HALL])
    save(provider, service.pk, description="Ring us.")
    if secret == "location":
        save(provider, service.pk, "where", places=[HALL])
    save(provider, service.pk, "contacts", contacts=[dict.fromkeys(CONTACT, "") | {"name": "Cy", "phones": [], "is_public": True}])
    change = submit(provider, service.pk)
    assert place in [at.location for at in service.service_at_locations.all()]
    assert service.contacts.get(name="Bea").location == place
    assert "Hidden" not in str((change.content, change.base))
