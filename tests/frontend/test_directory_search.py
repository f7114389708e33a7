"""The directory's many questions, its file, its large print, and what people say is wrong."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from capacity import operations
from catalogue.models import Address, EligibilityCriterion, MistakeReport, Phone, QualityMark, Schedule, Source, SourceRecord
from core.clock import now
from core.errors import NotAllowed
from frontend.presenters.bounded import MOST
from frontend.presenters.directory import last_checked
from tests import factories

pytestmark = pytest.mark.django_db


def service(name: str, *, east: float | None = 0, kind: str = "befriending", **fields):
    made = factories.ServiceFactory(name=name, care_type=factories.term("care-type", kind), **fields)
    if east is not None:
        made.service_at_locations.create(location=factories.LocationFactory(point=factories.near(east)))
    return made


def listed(client, **search) -> str:
    answer = client.get(reverse("directory"), search)
    assert answer.status_code == 200
    return answer.content.decode()


def file(client, **search) -> list[dict[str, str]]:
    answer = client.get(reverse("directory-csv"), search)
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.req("R091")
@pytest.mark.req("R122")
def test_what_is_asked_for_is_said_back_and_each_part_can_be_taken_away(client):
    factories.PostcodeFactory()
    both = service("Tea and Talk")
    Schedule.objects.create(service=both, byday="TU,TH")
    html = listed(client, q="lonely", where="PR1 2HE", miles="5", day=["TU", "TH"], age="70", free="")
    for words in ("“lonely”", "Within 5 miles of PR1 2HE", "Age 70", "Tuesday", "Thursday"):
        assert words in html
    assert "Tea and Talk" in html
    # each link is the same search without its part
    assert f"{reverse('directory')}?q=lonely&amp;day=TU&amp;day=TH&amp;age=70&amp;free=" in html
    assert f"{reverse('directory')}?q=lonely&amp;where=PR1+2HE&amp;miles=5&amp;day=TH&amp;age=70&amp;free=" in html
    assert '<details class="nhsuk-details" open>' in html
    assert "Put in a postcode" not in html
    assert "<strong>Put in a postcode</strong> above to see the nearest first" in listed(client, q="lonely"), (
        "the true order, and a better one"
    )


@pytest.mark.parametrize("where", ["Preston", "preston", "PR1", "District of Fylde"])
def test_a_place_by_any_of_its_names(client, where):
    factories.OutcodeFactory()
    factories.AreaFactory(name="District of Fylde")
    service("Near")
    service("Far away", east=90_000)
    html = listed(client, where=where)
    assert "Near" in html
    assert "Far away" not in html


def test_a_place_that_nobody_knows_is_told_with_what_was_perhaps_meant(client):
    factories.OutcodeFactory()
    html = listed(client, where="Prestn")
    assert "Did you mean Preston?" in html
    assert "Error: " in html
    assert "More than one" not in html


def test_two_wards_of_one_name_are_not_guessed_at(client):
    for code in ("E05000001", "E05000002"):
        factories.AreaFactory(code=code, name="St Peter", kind="ward")
    assert "There is more than one place called St Peter" in listed(client, where="St Peter")


@pytest.mark.parametrize(
    "search",
    [
        {"age": "old"}, {"age": "-1"}, {"day": "XX"}, {"access": "nonsense"}, {"need": "nonsense"}, {"part_of_day": "tea"},
        {"area": "E99999999"}, {"language": "xx"}, {"online": "maybe"}, {"miles": "any"}, {"page": "0"}, {"print": "huge"},
    ],
)  # fmt: skip
def test_an_odd_address_still_answers(client, search):
    service("Tea and Talk")
    assert "Tea and Talk" in listed(client, **search)


@pytest.mark.req("R127")
@pytest.mark.req("R126")
def test_the_reason_for_a_lower_line_is_said(client):
    service("Stale", assured_date=timezone.localdate() - timedelta(days=366))
    assert "Last checked a year ago. Check is overdue" in listed(client)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (3, "Checked in the last two weeks"),
        (30, "Last checked 4 weeks ago"),
        (100, "Last checked 3 months ago"),
        (740, "Last checked 2 years ago"),
    ],
)
def test_how_long_ago_in_words(days, words):
    today = timezone.localdate()
    assert last_checked(today - timedelta(days=days), today=today) == words


def test_a_very_long_list_is_counted_as_far_as_anybody_reads(client, monkeypatch):
    monkeypatch.setattr("frontend.presenters.bounded.MOST", 20)
    organization = factories.OrganizationFactory()
    for number in range(22):
        factories.ServiceFactory(name=f"Club {number:02}", organization=organization)
    html = listed(client)
    assert "More than 20 services" in html
    assert len(file(client)) == 22
    assert MOST == 1_000


def test_the_file_holds_all_that_was_asked_for_and_no_formulas(client):
    organization = factories.OrganizationFactory(name="=cmd|' /C calc'!A0")
    for number in range(25):
        made = factories.ServiceFactory(name=f"Tea {number:02}", organization=organization, description="\t=1+1")
        Phone.objects.create(service=made, number="+44 1632 960000")
    service("Other", organization=organization)
    rows = file(client, q="tea")
    assert [row["Name"] for row in rows] == [f"Tea {number:02}" for number in range(25)]
    assert {row["Organisation"][0] for row in rows} == {"'"}
    assert rows[0]["Phone"] == "'+44 1632 960000"
    assert rows[0]["Description"] == "'\t=1+1"
    assert rows[0]["Page"].startswith("http://testserver/directory/")


@pytest.mark.req("R212")
def test_large_print_stays_with_the_search(client):
    service("Tea and Talk")
    html = listed(client, q="tea", print="large")
    assert 'class="lune-large"' in html
    assert 'name="print" value="large"' in html
    assert 'href="?q=tea"' in html  # the usual print
    one = client.get(reverse("service", args=[service("Choir").pk]), {"print": "large"}).content.decode()
    assert 'class="lune-large"' in one


def test_search_engines_take_services_and_no_searches(client):
    made = service("Tea and Talk")
    assert 'rel="canonical" href="http://testserver/directory/"' in listed(client)
    assert "noindex" in listed(client, q="tea")
    page = client.get(reverse("service", args=[made.pk])).content.decode()
    assert f'rel="canonical" href="http://testserver/directory/{made.pk}/"' in page
    assert '<html lang="en">' in page


# --- one service


@pytest.mark.req("R159")
@pytest.mark.req("R232")
def test_whoever_may_come_by_themselves_is_told_how(client):
    made = service("Tea and Talk")
    page = reverse("service", args=[made.pk])
    assert "They have not said who may contact them" in client.get(page).content.decode()
    criterion = factories.CriterionFactory(service=made, term=factories.term("referral-source", "primary-care"))
    assert "Ask one of these to send you: General practice" in client.get(page).content.decode()
    factories.CriterionFactory(service=made, term=factories.term("referral-source", "self"))
    Phone.objects.create(service=made, number="01632 960000")
    html = client.get(page).content.decode()
    assert "You can contact them yourself." in html
    assert 'href="tel:01632960000"' in html
    EligibilityCriterion.objects.filter(pk=criterion.pk).delete()


@pytest.mark.req("R166")
def test_an_app_shows_its_review_and_where_the_record_comes_from(client):
    made = service("Calm app", east=None, kind="digital-service")
    QualityMark.objects.create(
        service=made, scheme="app-review", name="Reviewed by a health service", score=82, out_of=100, awarded_on=timezone.localdate()
    )
    source = Source.objects.create(
        name="App library", kind="own", licence="Open Government Licence 3.0", attribution="Contains public data."
    )
    SourceRecord.objects.create(source=source, foreign_id="1", service=made, first_seen_at=now(), fetched_at=now(), last_seen_at=now())
    html = client.get(reverse("service", args=[made.pk])).content.decode()
    for words in ("82", "Reviewed by a health service", "App library", "Open Government Licence 3.0", "Contains public data."):
        assert words in html


def test_the_public_sees_places_only_as_far_as_the_provider_allows(client, referrer):
    pool = factories.PoolFactory()
    page = reverse("service", args=[pool.service_id])
    own = factories.UserFactory(provider=True, organization=pool.service.organization)
    assert "3 free" in client.get(page).content.decode()
    client.force_login(own)
    client.post(reverse("place-public", args=[pool.pk]), {"shown": "no"})
    assert "professionals only" in client.get(reverse("places")).content.decode()
    client.logout()
    for address in (page, reverse("directory"), reverse("api-capacities")):
        assert str(pool.pk) not in client.get(address).content.decode(), address
    client.force_login(referrer)
    assert "3 free" in client.get(page).content.decode()
    with pytest.raises(NotAllowed):
        operations.show_to_public(pool_id=pool.pk, shown=True, by=referrer, at=now())
    operations.show_to_public(pool_id=pool.pk, shown=True, by=own, at=now())
    client.logout()
    assert "3 free" in client.get(page).content.decode()


def report(client, made, **sent):
    return client.post(reverse("service", args=[made.pk]), sent)


def test_a_mistake_is_reported_in_one_step(client):
    made = service("Tea and Talk")
    answer = report(client, made, what="phone", words="It rings nowhere.", reply_to="")
    assert answer.headers["Location"] == reverse("service-reported", args=[made.pk])
    assert "Thank you" in client.get(answer.headers["Location"]).content.decode()
    [kept] = MistakeReport.objects.all()
    assert (kept.service, kept.what, kept.words) == (made, "phone", "It rings nowhere.")


def test_what_cannot_be_sent_is_told_and_the_words_are_kept(client):
    made = service("Tea and Talk")
    answer = report(client, made, words="Typed with care.", reply_to="not an address")
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "There is a problem" in html
    assert "Typed with care." in html
    assert report(client, made).status_code == 422
    assert not MistakeReport.objects.exists()


def test_programs_that_fill_in_everything_are_thanked_and_not_heard(client):
    made = service("Tea and Talk")
    assert report(client, made, words="Buy now", website="http://example.org").status_code == 302
    assert not MistakeReport.objects.exists()


def test_one_computer_cannot_report_without_end(client, monkeypatch):
    monkeypatch.setattr("frontend.views.directory.REPORTS_AN_HOUR", 2)
    made = service("Tea and Talk")
    assert [report(client, made, words=f"{n}").status_code for n in range(3)] == [302, 302, 422]
    assert "try again later" in report(client, made, words="again").content.decode()
    assert MistakeReport.objects.count() == 2


def test_a_place_with_an_address_shows_its_town(client):
    made = service("Tea and Talk")
    Address.objects.create(location=made.service_at_locations.get().location, address_1="1 Road", city="Leyland", postal_code="PR1 2HE")
    assert "Leyland" in listed(client)
