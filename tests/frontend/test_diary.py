"""What is on: an area's week, and calendars that other programs follow."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.urls import reverse
from icalendar import Calendar

from catalogue.models import Address, Schedule, ScheduleException, SchoolHoliday
from tests import factories

pytestmark = pytest.mark.django_db
#: A Wednesday.
TODAY = datetime(2026, 10, 21, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture(autouse=True)
def preston(db):
    factories.OutcodeFactory()
    return factories.AreaFactory(code="E07000123", name="Preston")


def club(name="Tea and Talk", *, east=0, kind="befriending", **rule):
    made = factories.ServiceFactory(name=name, care_type=factories.term("care-type", kind))
    made.service_at_locations.create(location=factories.LocationFactory(point=factories.near(east)))
    Schedule.objects.create(service=made, **{"byday": "FR", "opens_at": time(10), "closes_at": time(12, 30), **rule})
    return made


def week(client, **search):
    answer = client.get(reverse("diary"), search)
    assert answer.status_code == 200
    return answer.content.decode()


def followed(client, address, **search):
    answer = client.get(address, search)
    assert answer.headers["Content-Type"].startswith("text/calendar")
    return Calendar.from_ical(answer.content)


@pytest.mark.req("R114")
def test_what_is_on_this_week_day_by_day(client):
    club()
    club("Far choir", east=90_000, kind="arts-and-nature")
    club("Walkers", kind="physical-activity", byday="TH", opens_at=time(14), closes_at=None)
    html = week(client, where="Preston")
    assert (
        html.index("Thursday 22 October 2026") < html.index("Walkers") < html.index("Friday 23 October 2026") < html.index("Tea and Talk")
    )
    assert "10am to 12:30pm" in html
    assert "From 2pm" in html
    assert "Far choir" not in html


@pytest.mark.req("R114")
def test_any_week_any_kind_any_district(client):
    club()
    club("Walkers", kind="physical-activity")
    later = week(client, area="E07000123", week="2026-12-02", care_type="befriending")
    assert "Friday 4 December 2026" in later
    assert "Walkers" not in later
    assert "week=2026-12-09" in later
    assert "week=2026-11-25" in later


def test_without_a_place_one_is_asked_for(client):
    club()
    html = week(client)
    assert "Tea and Talk" not in html
    assert f'href="{reverse("diary")}?area=E07000123"' in html
    assert client.get(reverse("diary-calendar")).status_code == 404


@pytest.mark.parametrize("odd", [{"week": "never"}, {"week": "1066-10-14"}, {"week": "9999-12-31"}, {"care_type": "x"}, {"miles": "x"}])
def test_an_odd_address_still_answers(client, odd):
    club()
    assert "Tea and Talk" in week(client, where="Preston", **odd)


def test_days_off_and_school_holidays_of_its_own_district(client):
    made = club()
    ScheduleException.objects.create(service=made, starts_on=date(2026, 10, 23), ends_on=date(2026, 10, 23), reason="Hall is shut")
    club("After school", term="term-time")
    SchoolHoliday.objects.create(lad="E09999999", name="Elsewhere", starts_on=date(2026, 10, 19), ends_on=date(2026, 10, 23))
    html = week(client, where="Preston")
    assert "Tea and Talk" not in html
    assert "After school" in html
    SchoolHoliday.objects.create(lad="E07000123", name="Half-term", starts_on=date(2026, 10, 19), ends_on=date(2026, 10, 23))
    assert "After school" not in week(client, where="Preston")


def test_open_day_and_night_is_no_event(client):
    club("Always open", byday="MO,TU,WE,TH,FR,SA,SU", opens_at=time(0), closes_at=time(0))
    assert "Always open" not in week(client, where="Preston")


def test_the_calendar_says_the_hour_on_the_clock_before_and_after_the_clocks_change(client):
    made = club()
    made.description = "x"
    Address.objects.create(
        location=made.service_at_locations.get().location, address_1="1 Moor Lane", city="Preston", postal_code="PR1 2HE"
    )
    calendar = followed(client, reverse("diary-calendar"), where="Preston")
    events = calendar.walk("VEVENT")
    assert [each["DTSTART"].dt.isoformat() for each in events[:2]] == ["2026-10-23T10:00:00+01:00", "2026-10-30T10:00:00+00:00"]
    assert events[0]["DTSTART"].params["TZID"] == "Europe/London"
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/London"]
    assert str(events[0]["LOCATION"]) == "1 Moor Lane, Preston, PR1 2HE"
    assert str(events[0]["URL"]) == f"http://testserver{reverse('service', args=[made.pk])}"
    ids = [str(each["UID"]) for each in events]
    assert len(set(ids)) == len(ids) == 8
    again = followed(client, reverse("diary-calendar"), where="Preston").walk("VEVENT")
    assert [str(each["UID"]) for each in again] == ids


def test_the_calendar_of_one_service_hostile_words_and_all(client):
    made = club("Tea; talk, and\\nBEGIN:VEVENT", description="\r\nATTACH:http://example.org")
    made.service_at_locations.all()
    calendar = followed(client, reverse("service-calendar", args=[made.pk]))
    events = calendar.walk("VEVENT")
    assert len(events) == 26
    assert str(events[0]["SUMMARY"]) == made.name
    assert "ATTACH" not in events[0]


def test_a_diary_asks_the_same_number_of_questions_for_many(client, django_assert_max_num_queries):
    for number in range(12):
        club(f"Club {number}", east=number)
    with django_assert_max_num_queries(14):
        week(client, where="Preston")


def test_too_much_for_one_diary_is_said(client, monkeypatch):
    monkeypatch.setattr("catalogue.diary.MOST_SERVICES", 2)
    for number in range(3):
        club(f"Club {number}", east=number * 100)
    html = week(client, where="Preston")
    assert "There is more than we can show" in html
    assert "Club 2" not in html


def test_a_calendar_reaches_so_far_and_no_further(client):
    made = club()
    last = followed(client, reverse("service-calendar", args=[made.pk])).walk("VEVENT")[-1]["DTSTART"].dt
    assert last < TODAY + timedelta(days=26 * 7)
