"""The pages of entries: who may open them, what they say, and that nothing typed is lost."""

import html
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from catalogue.entry.content import PARTS
from catalogue.models import Organization, ProposedChange, SchoolHoliday, Service
from tests import factories
from tests.factories import AreaFactory, OrganizationFactory, OutcodeFactory, PostcodeFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
Status = ProposedChange.Status


@pytest.fixture
def desk(client, provider):
    client.force_login(provider)
    return client


@pytest.fixture
def service(provider):
    service = ServiceFactory(organization=provider.organization, name="Lunch club", description="Soup.")
    service.phones.create(number="01772 000000")
    service.schedules.create(byday="TU,TH", opens_at="12:00", closes_at="13:30")
    return service


def page(client, name, *args, **query):
    return client.get(reverse(name, args=args), query)


def inputs(text):
    """The values that the page's form would send as it stands."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", text):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        kind, name = attributes.get("type", "text"), html.unescape(attributes.get("name", ""))
        if not name or name == "csrfmiddlewaretoken" or (kind in ("checkbox", "radio") and " checked" not in tag):
            continue
        found.setdefault(name, []).append(html.unescape(attributes.get("value", "")))
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', text, re.S):
        chosen = re.search(r'<option value="([^"]*)"[^>]*selected', body)
        found[html.unescape(name)] = [html.unescape(chosen[1])] if chosen else [""]
    for name, body in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', text, re.S):
        found[html.unescape(name)] = [html.unescape(body)]
    return found


def send(client, pk, part, action="save", **changes):
    address = reverse("entry-part", args=[pk, part])
    values = inputs(client.get(address).content.decode())
    return client.post(address, values | {"action": action} | changes)


def publish(client, pk):
    seen = inputs(page(client, "entry", pk).content.decode())["seen"]
    return client.post(reverse("entry-publish", args=[pk]), {"seen": seen})


def test_the_list_shows_ones_own_services_with_the_state_of_each(desk, provider, service):
    ServiceFactory(organization=provider.organization, name="Fresh", assured_date=timezone.localdate(), status="inactive")
    ServiceFactory(name="Somebody else's")
    text = page(desk, "entries").content.decode()
    assert "Lunch club" in text
    assert "Somebody else" not in text
    assert "Check is overdue" in text
    assert "things still to say" in text
    assert "Inactive" in text
    assert "Fresh" not in page(desk, "entries", state="overdue").content.decode()
    assert "Lunch club" not in page(desk, "entries", q="fresh").content.decode()


@pytest.mark.parametrize("part", PARTS)
def test_a_form_that_is_saved_as_it_stands_changes_nothing(desk, service, part):
    service.schedules.create(freq="MONTHLY", byday="1TU,3TU", interval=2, valid_from="2026-01-01", term="term-time")
    service.schedule_exceptions.create(starts_on="2026-12-25", ends_on="2026-12-26", reason="Christmas")
    service.cost_options.create(option="Meal", amount="4.50")
    service.service_areas.create(area=AreaFactory(), name="District 0")
    service.registrations.create(kind="practice", code="P81001", name="A practice")
    place = factories.LocationFactory(name="The hall")
    place.addresses.create(address_1="1 High Street", city="Preston", postal_code="PR1 2HE")
    for location in (place, factories.LocationFactory()):
        service.service_at_locations.create(location=location)
    service.contacts.create(name="Ann", phones=["01772 111111", "01772 222222"], location=place)
    factories.CriterionFactory(service=service)
    factories.CriterionFactory(service=service, term=factories.term("need", "wheelchair"))
    factories.CriterionFactory(service=service, term=factories.term("condition", "snomed|230690007"))
    factories.CriterionFactory(service=service, term=factories.term("language", "ur"))
    factories.EligibilityFactory(service=service, minimum_age=18)
    answer = send(desk, service.pk, part)
    assert answer.status_code == 302, inputs(answer.content.decode())
    assert list(ProposedChange.objects.values_list("content", flat=True)) == []


@pytest.mark.req("R056")
def test_a_part_is_saved_as_a_draft_then_published(desk, service):
    answer = send(desk, service.pk, "basics", name="Supper club", **{"phones-1-number": "01772 111111"})
    assert answer.url == reverse("entry", args=[service.pk])
    text = page(desk, "entry", service.pk).content.decode()
    assert "Supper club" in text
    assert "01772 111111" in text
    assert Service.objects.get().name == "Lunch club"
    assert publish(desk, service.pk).status_code == 302
    service.refresh_from_db()
    assert (service.name, service.assured_date) == ("Supper club", timezone.localdate())
    assert set(service.phones.values_list("number", flat=True)) == {"01772 000000", "01772 111111"}


def test_a_row_is_taken_away_and_another_one_asked_for_without_saving(desk, service):
    answer = send(desk, service.pk, "basics", "add phones", name="", **{"phones-0-number": "01772 222222"})
    values = inputs(answer.content.decode())
    assert answer.status_code == 200
    assert "There is a problem" not in answer.content.decode()
    assert (values["phones-TOTAL_FORMS"], values["phones-0-number"], values["name"]) == (["3"], ["01772 222222"], [""])
    send(desk, service.pk, "basics", **{"phones-0-DELETE": "on"})
    publish(desk, service.pk)
    assert not service.phones.exists()


def test_save_and_go_on_leads_through_all_parts(desk, service):
    assert send(desk, service.pk, "basics", "next").url == reverse("entry-part", args=[service.pk, "where"])
    assert send(desk, service.pk, "access", "next").url == reverse("entry", args=[service.pk])


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("basics", {"name": ""}, "Say what the service is called."),
        ("basics", {"care_type": "spaceship"}, "Select a valid choice"),
        ("basics", {"email": "nobody"}, "Write an e-mail address like"),
        ("basics", {"url": "not an address"}, "Write a web address like"),
        ("where", {"places-0-address_1": "1 High Street", "places-0-city": "Preston", "places-0-postal_code": "nowhere"},
         "Write the whole postcode"),
        ("where", {"places-0-name": "The hall"}, "Write the building and street"),
        ("contacts", {"contacts-0-name": "Ann", "contacts-0-phones": "ring me"}, "Write up to 5 phone numbers"),
        ("contacts", {"contacts-0-is_public": "on"}, "Write a name, a role"),
        ("basics", {"add_partner": "Nobody at all"}, "No organisation in the directory is called that"),
        ("times", {"schedules-1-opens_at": "10:00"}, "Choose at least one day."),
        ("times", {"schedules-1-days": "MO", "schedules-1-interval": "2"}, "Give the first day"),
        ("times", {"schedules-1-freq": "MONTHLY", "schedules-1-month_days": "1, 32"}, "Write numbers from 1 to 31"),
        ("times", {"schedules-1-days": "MO", "schedules-1-weeks": "1"}, "choose “Every month”"),
        ("times", {"schedules-1-days": "MO", "schedules-1-opens_at": "late"}, "Write a time like 09:30"),
        ("times", {"schedules-1-days": "MO", "schedules-1-valid_from": "2026-02-30"}, "Write a real date"),
        ("times", {"exceptions-0-reason": "Christmas"}, "Give the first day"),
        ("times", {"exceptions-0-starts_on": "2026-12-25", "exceptions-0-opens_at": "10:00"}, "Give both times"),
        ("who", {"minimum_age": "70", "maximum_age": "60"}, "cannot be below the lowest"),
        ("who", {"minimum_age": "old"}, "Write an age in years"),
        ("who", {"sex_reason": "safety"}, "A reason is only for"),
        ("who", {"need-dementia": "perhaps"}, "Select a valid choice"),
        ("areas", {"miles": "far"}, "Write miles in figures"),
        ("areas", {"areas": '{"key": "area:X", "name": "Y"}'}, "We have no area with the code X"),
        ("areas", {"search": "Atlantis"}, "We found no area called that"),
        ("areas", {"outline": "{", "outline_name": "Ours"}, "That is no GeoJSON"),
        ("areas", {"outline": '{"type": "Polygon"}', "outline_name": "Ours"}, "no GeoJSON polygon of at least three corners"),
        ("areas", {"outline": "[]"}, "Say what you call the area"),
        ("cost", {"price_week": "lots"}, "Write the price in pounds"),
        ("cost", {"cost_options-0-amount": "-1"}, "less than nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_told_beside_the_field_and_kept(desk, service, part, values, words):
    answer = send(desk, service.pk, part, **values)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "There is a problem" in text
    assert words in html.unescape(text)
    kept = inputs(text)
    assert {name: kept.get(name) for name in values if name not in ("care_type", "need-dementia")} == {
        name: [value] for name, value in values.items() if name not in ("care_type", "need-dementia")
    }
    assert not ProposedChange.objects.exists()


def test_the_next_dates_are_shown_before_anything_is_saved(desk, service, time_machine):
    """Over the end of summer time (25 October 2026), school holidays and a closed day: 10am stays 10am."""
    time_machine.move_to("2026-10-19 08:00:00+00:00")
    SchoolHoliday.objects.create(name="Half-term", starts_on="2026-10-26", ends_on="2026-10-30")
    answer = send(
        desk, service.pk, "times", "dates",
        **{"schedules-0-days": "TU", "schedules-0-opens_at": "10:00", "schedules-0-closes_at": "12:00", "schedules-0-term": "term-time",
           "exceptions-0-starts_on": "2026-11-03", "exceptions-0-reason": "Closed"},
    )  # fmt: skip
    dates = re.findall(r"<li>(\w+day [^<]*)</li>", answer.content.decode())
    assert dates[:3] == [
        "Tuesday 20 October 2026, 10am to midday", "Tuesday 10 November 2026, 10am to midday", "Tuesday 17 November 2026, 10am to midday",
    ]  # fmt: skip
    assert not ProposedChange.objects.exists()


def test_areas_are_found_by_name_picked_and_taken_away(desk, service):
    district = AreaFactory(name="Ribbleton")
    OutcodeFactory()
    PostcodeFactory()
    found = send(desk, service.pk, "areas", "find", search="ribble").content.decode()
    assert "Ribbleton: district" in found
    token = html.unescape(re.search(r'name="areas"[^>]*value="([^"]*)"', found)[1])
    send(desk, service.pk, "areas", areas=token, search="ribble", miles="5")
    publish(desk, service.pk)
    service.refresh_from_db()
    assert (service.service_areas.get().area, service.catchment_m) == (district, 8047)
    outcode = send(desk, service.pk, "areas", "find", search="pr1").content.decode()
    assert "PR1: postcodes that begin so (Preston)" in outcode
    send(desk, service.pk, "areas", areas=[], miles="")
    publish(desk, service.pk)
    assert not service.service_areas.exists()


@pytest.mark.req("R056")
def test_places_and_contacts_are_kept_and_only_what_is_ticked_is_shown(desk, client_of, service):
    """Two places and two contacts, in the draft, the preview and the public page, but for what is nobody's business."""
    PostcodeFactory()
    hall = {
        "places-0-name": "The hall",
        "places-0-address_1": "1 High Street",
        "places-0-city": "Preston",
        "places-0-postal_code": "pr12he",
    }
    more = send(desk, service.pk, "where", "add places", **hall).content.decode()
    send(desk, service.pk, "where", **inputs(more) | hall | {name.replace("0", "1"): value for name, value in hall.items()}
         | {"places-1-address_1": "2 Low Street"})  # fmt: skip
    text = page(desk, "entry-part", service.pk, "contacts").content.decode()
    places = re.findall(r'<option value="([^"]+)">([^<]*)', text.split('name="contacts-0-place"')[1].split("</select>")[0])
    assert [words for _, words in places] == ["The hall, 1 High Street, Preston, PR1 2HE", "The hall, 2 Low Street, Preston, PR1 2HE"]
    send(desk, service.pk, "contacts", **{
        "contacts-0-name": "Front desk", "contacts-0-phones": "01772 111111", "contacts-0-place": places[1][0],
        "contacts-0-is_public": "on",
    })  # fmt: skip
    first = page(desk, "entry-part", service.pk, "contacts").content.decode()
    send(desk, service.pk, "contacts", **inputs(first) | {"contacts-1-name": "Ann Private", "contacts-1-email": "ann@example.org"})
    assert "Front desk" in page(desk, "entry-preview", service.pk).content.decode()
    assert publish(desk, service.pk).status_code == 302
    shown = page(client_of(None), "service", service.pk).content.decode()
    assert "1 High Street" in shown
    assert "(2 Low Street, Preston, PR1 2HE)" in shown
    assert "tel:01772111111" in shown
    assert "Ann Private" not in shown
    assert "PR1 2HE is on the map" in page(desk, "entry-part", service.pk, "where").content.decode()
    assert "Ann Private, ann@example.org, not shown to the public" in page(desk, "entry-history", service.pk).content.decode()


def test_an_area_is_drawn_or_pasted(desk, service):
    shape = '{"type":"Polygon","coordinates":[[[-2.7,53.7],[-2.6,53.7],[-2.6,53.8],[-2.7,53.7]]]}'
    assert send(desk, service.pk, "areas", outline=shape, outline_name="Ashton").status_code == 302
    publish(desk, service.pk)
    drawn = service.service_areas.get()
    assert (drawn.name, drawn.extent.num_geom) == ("Ashton", 1)
    assert 30e6 < drawn.extent.area < 40e6  # half of 6.6 by 11.1 kilometres
    assert "Ashton: drawn on the map" in page(desk, "entry-part", service.pk, "areas").content.decode()


@pytest.mark.req("R157")
def test_several_charities_deliver_one_service(desk, service):
    OrganizationFactory(name="Age Friendly Preston")
    OrganizationFactory(name="Age Friendly Leyland")
    assert "Several organisations" in send(desk, service.pk, "basics", add_partner="age friendly").content.decode()
    assert send(desk, service.pk, "basics", add_partner="age friendly preston").status_code == 302
    publish(desk, service.pk)
    assert [partner.name for partner in service.partners.all()] == ["Age Friendly Preston"]


def test_the_second_of_two_sees_both_and_keeps_what_they_typed(desk, client_of, provider, service):
    colleague = client_of(UserFactory(provider=True, organization=provider.organization))
    address = reverse("entry-part", args=[service.pk, "basics"])
    mine = inputs(desk.get(address).content.decode())
    send(colleague, service.pk, "basics", name="Tea club")
    answer = desk.post(address, mine | {"name": "Supper club", "action": "save"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Tea club" in text
    assert inputs(text)["name"] == ["Supper club"]
    assert desk.post(address, inputs(text) | {"action": "save"}).status_code == 302
    assert ProposedChange.objects.get().content == {"name": "Supper club"}


@pytest.fixture
def client_of():
    from django.test import Client

    def open_client(user):
        client = Client()
        if user is not None:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return open_client


def test_what_an_import_changed_meanwhile_is_shown_before_publishing(desk, service):
    send(desk, service.pk, "basics", name="Supper club")
    seen = inputs(page(desk, "entry", service.pk).content.decode())["seen"]
    Service.objects.filter(pk=service.pk).update(name="Renamed by an import")
    answer = desk.post(reverse("entry-publish", args=[service.pk]), {"seen": seen})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Changed by somebody else since" in text
    assert "Renamed by an import" in text
    assert publish(desk, service.pk).status_code == 302
    assert Service.objects.get().name == "Supper club"


def test_the_preview_is_the_public_page_with_the_draft_and_writes_nothing(desk, service):
    send(desk, service.pk, "basics", name="Supper club")
    text = page(desk, "entry-preview", service.pk).content.decode()
    assert "This is a preview" in text
    assert "Supper club" in text
    assert "Sign out" not in text  # as somebody who is not signed in
    assert Service.objects.get().name == "Lunch club"
    assert "This is a preview" not in page(desk, "service", service.pk).content.decode()


def test_a_closed_service_can_be_looked_at_and_opened_again_by_its_owner(desk, service):
    send(desk, service.pk, "basics", status="inactive")
    assert "the public does not see this service" in page(desk, "entry-preview", service.pk).content.decode()
    publish(desk, service.pk)
    assert page(desk, "service", service.pk).status_code == 404
    send(desk, service.pk, "basics", status="active")
    publish(desk, service.pk)
    assert page(desk, "service", service.pk).status_code == 200


def test_history_says_who_changed_what_and_it_can_be_undone(desk, provider, service):
    send(desk, service.pk, "basics", name="Supper club")
    publish(desk, service.pk)
    text = page(desk, "entry-history", service.pk).content.decode()
    assert str(provider) in text
    assert "Supper club" in text
    assert text.count("<li>") == text.count("Undo this") + 1  # the row as it was first written, by the system
    address = re.search(r'href="([^"]*/undo/)"', text)[1]
    shown = desk.get(address).content.decode()
    assert "Lunch club" in shown
    assert desk.post(address, {"seen": inputs(shown)["seen"]}).status_code == 302
    assert Service.objects.get().name == "Lunch club"
    assert "Undid the change of" in page(desk, "entry-history", service.pk).content.decode()
    assert desk.post(address, {"seen": ["old"]}).status_code == 409


def test_a_proposal_is_compared_approved_or_refused_with_a_reason(desk, client_of, curator, provider, service):
    Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
    keeper = client_of(curator)
    send(desk, service.pk, "basics", name="Supper club")
    assert "Send to a curator" in page(desk, "entry", service.pk).content.decode()
    publish(desk, service.pk)
    assert "Waiting for a curator" in page(desk, "entry", service.pk).content.decode()
    change = ProposedChange.objects.get()
    assert "Lunch club" in page(keeper, "proposals").content.decode()
    address = reverse("proposal", args=[change.pk])
    shown = keeper.get(address).content.decode()
    for told in ("Lunch club", "Supper club", str(provider)):
        assert told in shown
    no = keeper.post(address, {"decision": "refuse", "reason": ""})
    assert (no.status_code, "Say why" in no.content.decode()) == (422, True)
    assert keeper.post(address, {"decision": "refuse", "reason": "That is another club."}).status_code == 302
    text = page(desk, "entry", service.pk).content.decode()
    assert "That is another club." in text
    assert desk.post(reverse("entry-take-back", args=[service.pk])).status_code == 302
    publish(desk, service.pk)
    seen = inputs(keeper.get(address).content.decode())["seen"]
    assert keeper.post(address, {"decision": "approve", "seen": seen}).status_code == 302
    assert Service.objects.get().name == "Supper club"
    assert keeper.post(address, {"decision": "approve", "seen": seen}).status_code == 302  # told that it is decided
    assert "refused" not in page(desk, "entry-history", service.pk).content.decode()


def test_a_proposal_that_was_overtaken_is_shown_again(desk, client_of, curator, provider, service):
    Organization.objects.filter(pk=provider.organization_id).update(edits_need_approval=True)
    send(desk, service.pk, "basics", name="Supper club")
    publish(desk, service.pk)
    keeper, address = client_of(curator), reverse("proposal", args=[ProposedChange.objects.get().pk])
    seen = inputs(keeper.get(address).content.decode())["seen"]
    Service.objects.filter(pk=service.pk).update(name="Renamed by an import")
    answer = keeper.post(address, {"decision": "approve", "seen": seen})
    assert answer.status_code == 409
    assert "Changed by somebody else since" in answer.content.decode()


@pytest.mark.req("R056")
def test_a_new_service_is_added_from_its_first_page_to_the_directory(desk, provider):
    begun = desk.post(reverse("entry-new"))
    pk = ProposedChange.objects.get().pk
    assert begun.url == reverse("entry-part", args=[pk, "basics"])
    assert publish_status(desk, pk) == 422
    send(desk, pk, "basics", name="Tea and talk", care_type="befriending")
    assert "Tea and talk" in page(desk, "entries").content.decode()
    assert "Tea and talk" in page(desk, "entry-preview", pk).content.decode()
    assert not Service.objects.exists()
    publish(desk, pk)
    assert Service.objects.get().organization == provider.organization
    assert page(desk, "service", pk).status_code == 200


def publish_status(client, pk):
    return publish(client, pk).status_code


def test_a_curator_adds_a_service_for_an_organisation(client_of, curator):
    keeper, owner = client_of(curator), OrganizationFactory(name="Age Friendly Preston")
    assert keeper.post(reverse("entry-new"), {"organization": "Nobody"}).status_code == 422
    keeper.post(reverse("entry-new"), {"organization": "age friendly"})
    assert ProposedChange.objects.get().organization == owner


@pytest.mark.req("R111")
class TestAddYourGroup:
    said = {
        "name": "Knit and natter",
        "what": "We knit.",
        "interest": "arts-and-nature",
        "where": "The library",
        "email": "knit@example.org",
    }

    def test_it_waits_for_a_curator_and_is_then_in_the_directory(self, client, client_of, curator):
        assert reverse("group-add") in page(client, "directory").content.decode()
        answer = client.post(reverse("group-add"), self.said)
        assert answer.url == reverse("group-added")
        assert client.get(answer.url).status_code == 200
        assert "Knit and natter" not in page(client, "directory").content.decode()
        keeper, address = client_of(curator), reverse("proposal", args=[ProposedChange.objects.get().pk])
        shown = inputs(keeper.get(address).content.decode())
        assert shown["care_type"] == ["arts-and-nature"]
        assert keeper.post(address, shown | {"decision": "approve"}).status_code == 302
        assert "Knit and natter" in page(client, "directory").content.decode()

    def test_a_program_that_fills_in_every_box_is_told_the_same_and_nothing_is_kept(self, client):
        answer = client.post(reverse("group-add"), self.said | {"homepage": "https://spam.example"})
        assert answer.url == reverse("group-added")
        assert not ProposedChange.objects.exists()

    def test_so_many_a_minute_and_no_more(self, client):
        codes = [client.post(reverse("group-add"), self.said).status_code for _ in range(7)]
        assert codes == [302] * 5 + [429] * 2

    def test_what_is_missing_is_told_and_the_rest_kept(self, client):
        answer = client.post(reverse("group-add"), self.said | {"email": "nobody"})
        assert answer.status_code == 422
        assert inputs(answer.content.decode())["name"] == ["Knit and natter"]
