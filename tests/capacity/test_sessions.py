"""Places by the session: made from a service's times, counted apart, closed when over, and the next with a place offered."""

import json
from datetime import date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from capacity import fhir, files, operations, pools, queries, replies, sessions
from capacity.models import AskingPreference, ServiceCapacity
from catalogue.entry.rows import write_rows
from catalogue.models import Schedule, ScheduleException
from core import sms
from core.clock import LONDON
from core.errors import Conflict, Invalid
from matching import operations as matching
from matching.engine.problem import Weights
from matching.profiles import need_of
from matching.queries import rank
from tests.factories import LocationFactory, NeedProfileFactory, ServiceFactory, UserFactory, term

pytestmark = pytest.mark.django_db
#: A Monday noon in the weeks in which the clocks go back.
NOW = datetime(2026, 10, 12, 12, tzinfo=LONDON)
TUESDAYS = {
    "freq": "WEEKLY", "interval": 1, "byday": "TU", "bymonthday": "", "dtstart": None, "valid_from": None, "valid_to": None,
    "opens_at": time(10), "closes_at": time(12), "description": "", "term": "always",
}  # fmt: skip


@pytest.fixture
def group():
    """A befriending group, each Tuesday from 10:00 to 12:00."""
    service = ServiceFactory(care_type=term("care-type", "befriending"), name="Tea and talk")
    Schedule.objects.create(service=service, **TUESDAYS)
    return service


@pytest.fixture
def teller(group):
    return UserFactory(provider=True, organization=group.organization)


def twelve_places(group, teller, at) -> ServiceCapacity:
    return pools.add(
        service_id=group.pk, by=teller, at=at, name="Tea", unit="place", per="session", schedule=group.schedules.get(), maximum=12
    )


@pytest.fixture
def series(group, teller) -> ServiceCapacity:
    return twelve_places(group, teller, NOW)


def coming(series) -> list[ServiceCapacity]:
    return list(series.sessions.filter(is_open=True, starts_at__gt=NOW).order_by("starts_at"))


@pytest.mark.req("R024")
def test_sessions_of_eight_weeks_are_made_at_the_hour_of_the_clock(series):
    made = coming(series)
    assert [session.starts_at.astimezone(LONDON).strftime("%a %d %b %H:%M") for session in made[:3]] == [
        "Tue 13 Oct 10:00", "Tue 20 Oct 10:00", "Tue 27 Oct 10:00",
    ]  # fmt: skip
    assert made[2].starts_at - made[1].starts_at == timedelta(days=7, hours=1)
    assert (len(made), made[0].maximum, made[0].available, made[0].reported_at) == (8, 12, 12, NOW)
    assert all(session.reports.count() == 1 for session in made)
    assert sessions.make_due(at=NOW) == 0, "they are made once"


def test_the_command_makes_them_too(group, teller):
    twelve_places(group, teller, timezone.now() - timedelta(days=30))
    said = StringIO()
    call_command("make_sessions", stdout=said)
    assert said.getvalue() in ("4 sessions made.\n", "5 sessions made.\n")


def test_a_cancelled_day_closes_its_session_and_an_extra_one_opens_its_own(series, group):
    day, other = date(2026, 10, 20), date(2026, 10, 22)
    ScheduleException.objects.create(service=group, starts_on=day, ends_on=day, reason="Holiday")
    ScheduleException.objects.create(service=group, starts_on=other, ends_on=other, opens_at=time(14), closes_at=time(15))
    assert sessions.make(pool_id=series.pk, at=NOW) == 1
    days = [session.starts_at.astimezone(LONDON).date() for session in coming(series)]
    assert day not in days
    assert other in days
    closed = series.sessions.get(is_open=False)
    assert closed.closed_reason == sessions.CANCELLED
    # when it takes place after all, it is open again
    ScheduleException.objects.filter(starts_on=day).delete()
    sessions.make(pool_id=series.pk, at=NOW)
    closed.refresh_from_db()
    assert (closed.is_open, closed.closed_reason) == (True, "")


@pytest.mark.parametrize("somebody", [False, True])
def test_who_closed_a_session_decides_whether_the_clock_opens_it_whoever_told_a_figure_since(series, group, teller, somebody):
    first = coming(series)[0]
    if somebody:
        operations.report(pool_id=first.pk, by=teller, at=NOW, is_open=False, closed_reason="Nobody has the key")
    day = first.starts_at.astimezone(LONDON).date()
    off = ScheduleException.objects.create(service=group, starts_on=day, ends_on=day, reason="Holiday")
    sessions.make(pool_id=series.pk, at=NOW)
    first.refresh_from_db()
    assert not first.is_open
    operations.report(pool_id=first.pk, by=teller, at=NOW + timedelta(minutes=5), available=7, via="import")
    if somebody:  # a report of the system alone does not make it the system's to open
        operations.report(pool_id=first.pk, by=None, at=NOW + timedelta(minutes=6), available=6, via="system")
    off.delete()
    sessions.make(pool_id=series.pk, at=NOW + timedelta(minutes=10))
    first.refresh_from_db()
    assert first.is_open is not somebody


def test_a_session_that_is_over_is_closed_and_one_that_has_begun_is_not_offered(series):
    first = coming(series)[0]
    begun = first.starts_at + timedelta(minutes=1)
    assert first not in ServiceCapacity.objects.offered(begun)
    assert series not in ServiceCapacity.objects.offered(NOW)
    for pool in (first, series):
        with pytest.raises(Conflict, match="too late"):
            operations.hold(pool_id=pool.pk, organization=UserFactory().organization, by=None, at=begun)
    sessions.make_due(at=begun)
    first.refresh_from_db()
    assert first.is_open
    sessions.make_due(at=first.ends_at)
    first.refresh_from_db()
    assert (first.is_open, first.closed_reason) == (False, sessions.OVER)
    assert first.reports.latest("version").via == "system"


def test_places_are_counted_by_the_session_and_a_state_names_its_day(series):
    first, second, *_ = coming(series)
    operations.fill(pool_id=first.pk, reservation_id=None, by=None, at=NOW)
    states = {state.id: state for state in queries.with_state(series.sessions.all(), NOW)}
    assert (states[first.pk].word, states[second.pk].word) == ("11 free", "12 free")
    assert states[first.pk].conditions == ["Tuesday 13 October 2026, 10:00 to 12:00"]
    assert [state.id for state in queries.next_of_each(states.values())] == [first.pk]


def test_one_press_keeps_all_sessions_true_and_more_places_are_more_at_each(series, teller):
    first, second, *_ = coming(series)
    operations.fill(pool_id=first.pk, reservation_id=None, by=None, at=NOW)
    later = NOW + timedelta(hours=3)
    operations.report(pool_id=series.pk, by=teller, at=later, maximum=15)
    first.refresh_from_db()
    second.refresh_from_db()
    assert [(each.maximum, each.available, each.reported_at) for each in (first, second)] == [(15, 14, later), (15, 15, later)]
    evening = NOW + timedelta(hours=8)
    operations.report(pool_id=series.pk, by=teller, at=evening, note="Bring a cup")
    first.refresh_from_db()
    assert (first.available, first.reported_at, first.note, first.reported_by) == (14, evening, "Bring a cup", teller)


def _by_patch(api, series):
    return api.patch(f"/api/v1/capacities/{series.pk}/", {"maximum": 15}, headers={"If-Match": f'"v{series.version}"'})


def _by_line(api, series):
    lines = {"reports": [{"pool": str(series.pk), "maximum": 15}]}
    return api.post("/api/v1/capacities/reports/", lines, headers={"Idempotency-Key": "a"})


def _by_fhir(api, series):
    resource = api.get(f"/fhir/HealthcareService/{series.pk}").json()
    parts = next(each for each in resource["extension"] if each["url"] == fhir.figures_url())["extension"]
    next(each for each in parts if each["url"] == "maximum")["valueUnsignedInt"] = 15
    headers = {"If-Match": f'W/"{series.version}"'}
    return api.put(
        f"/fhir/HealthcareService/{series.pk}", json.dumps(resource), content_type="application/fhir+json", headers=headers
    )  # fmt: skip


def _by_file(api, series):
    data = b"Service,Bed type,Maximum,Vacant accepting\nTea and talk,Tea,15,12\n"
    [review] = files.compare(files.read(data), digest="a", by=api.handler._force_user, at=timezone.now())
    return files.apply(
        [(review.pool_id, review.row.figures, review.observed_at, review.key)], by=api.handler._force_user, at=timezone.now()
    )


def _by_text(api, series):
    number = "+447700900123"
    asked = {"channel": "sms", "address": number, "confirmed_at": NOW, "changed_at": NOW}
    AskingPreference.objects.create(service=series.service, **asked)
    return replies.receive_sms(message=sms.Inbound(id="1", sender=number, text="12 places free"), at=timezone.now())


@pytest.mark.req("R024")
@pytest.mark.parametrize("tell", [_by_patch, _by_line, _by_fhir, _by_file, _by_text])
def test_by_whatever_route_it_comes_what_is_said_of_all_sessions_counts_for_each_at_once(series, teller, time_machine, tell):
    time_machine.move_to(NOW + timedelta(hours=3), tick=False)
    first = coming(series)[0]
    operations.fill(pool_id=first.pk, reservation_id=None, by=None, at=NOW)
    api = APIClient()
    api.force_authenticate(teller)
    tell(api, series)
    series.refresh_from_db()
    grown = series.maximum - 12
    assert (grown, series.reported_at) == (0 if tell is _by_text else 3, timezone.now())
    assert {(each.maximum, each.available - grown, each.reported_at) for each in coming(series)} == {
        (12 + grown, 11, timezone.now()), (12 + grown, 12, timezone.now()),
    }  # fmt: skip


def test_a_changed_hour_moves_the_sessions_and_a_new_name_follows(series, group, teller):
    """The entry's form writes all times anew; a changed row stays the same row, so that its sessions go on."""
    write_rows(group, {"schedules": [TUESDAYS | {"opens_at": time(11)}]})
    sessions.make(pool_id=series.pk, at=NOW)
    assert {session.starts_at.astimezone(LONDON).hour for session in coming(series)} == {11}
    series.refresh_from_db()
    pools.change(pool_id=series.pk, by=teller, at=NOW, name="Elevenses")
    assert {session.name for session in coming(series)} == {"Elevenses"}


def test_closing_the_series_closes_its_sessions_until_it_opens(series, teller):
    operations.report(pool_id=series.pk, by=teller, at=NOW, is_open=False, closed_reason="Repairs", closed_until=date(2026, 11, 1))
    assert coming(series)[0].starts_at.astimezone(LONDON).date() == date(2026, 11, 3)
    assert series.sessions.filter(closed_reason="Repairs").count() == 3


def test_places_a_session_need_times(group, teller):
    with pytest.raises(Invalid, match="at which times"):
        pools.add(service_id=group.pk, by=teller, at=NOW, name="Group", unit="place", per="session")


@pytest.mark.req("R002")
def test_the_next_session_with_a_place_is_offered_and_no_other(group, teller):
    at = timezone.now()
    series = twelve_places(group, teller, at)
    ServiceCapacity.objects.filter(service=group).update(location=LocationFactory())
    profile = NeedProfileFactory(care_types=["befriending"])

    def offered() -> list[str]:
        return [line.facts.pool_id for line in rank(need_of(profile, at=at), Weights(), at=at).lines]

    first, second, *_ = series.sessions.order_by("starts_at")
    assert offered() == [str(first.pk)]
    operations.report(pool_id=first.pk, by=teller, at=at, available=0)
    assert offered() == [str(second.pk)]
    run = matching.match(profile, by=None, at=at)
    assert [line.pool_id for line in matching.replay(run)] == [second.pk]
