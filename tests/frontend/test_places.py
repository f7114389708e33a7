"""A provider's own places: one tap, from any phone, with or without script."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from capacity.models import CapacityReport, CapacityStatus, PoolForecast
from capacity.queries import history
from frontend.presenters.places import sparkline
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(provider):
    """Three of ten beds free in a home of the provider who is signed in."""
    return factories.PoolFactory(service__organization=provider.organization, name="Dementia nursing beds")


@pytest.fixture
def signed_in(client, provider):
    client.force_login(provider)
    return client


def press(client, pool, action, *, htmx=False, **values):
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(reverse("place", args=[pool.pk]), {"action": action, "version": pool.version, **values}, headers=headers)


@pytest.mark.req("R024")
def test_a_provider_sees_only_its_own_places(signed_in, pool):
    other = factories.PoolFactory(name="Beds of somebody else")
    html = signed_in.get(reverse("places")).content.decode()
    assert "Dementia nursing beds" in html
    assert "3 free" in html
    assert "Beds of somebody else" not in html
    assert signed_in.get(reverse("place", args=[other.pk])).status_code == 404
    assert press(signed_in, other, "more").status_code == 404
    other.refresh_from_db()
    assert other.available == 3


def test_the_quick_buttons_come_before_everything_else_that_one_can_do_here(signed_in, pool):
    html = signed_in.get(reverse("places")).content.decode()
    first = html.index('value="less"')
    others = ("places-file", "places-export", "asking", "place-keys")
    assert all(html.index(f'href="{reverse(name)}"') > first for name in others)
    assert html.index("Our entry is right") > first


@pytest.mark.parametrize("role", ["referrer", "manager", "curator", "administrator"])
def test_other_roles_may_not_tell_what_is_free(client, request, pool, role):
    client.force_login(request.getfixturevalue(role))
    assert client.get(reverse("places")).status_code == 403
    assert press(client, pool, "more").status_code == 403


def test_somebody_not_signed_in_is_asked_to_sign_in(client, pool):
    answer = client.get(reverse("places"))
    assert answer.status_code == 302
    assert reverse("account_login") in answer.url


@pytest.mark.parametrize(("action", "figure"), [("less", 2), ("more", 4), ("full", 0), ("same", 3)])
def test_one_tap_without_script(signed_in, pool, provider, action, figure):
    before = pool.reported_at
    answer = press(signed_in, pool, action)
    assert answer.status_code == 302
    assert answer.url == f"{reverse('places')}#place-{pool.pk}"
    pool.refresh_from_db()
    assert pool.available == figure
    assert pool.reported_at > before
    assert pool.reported_by == provider
    assert CapacityReport.objects.filter(pool=pool).count() == 1


def test_one_tap_with_script_swaps_that_card_alone(signed_in, pool):
    factories.PoolFactory(service=pool.service, name="Respite beds")
    html = press(signed_in, pool, "more", htmx=True).content.decode()
    assert "4 free" in html
    assert 'hx-swap-oob="true"' in html
    assert "Saved." in html
    assert "Respite beds" not in html
    assert "<html" not in html


def test_the_first_figure_of_a_pool_that_nobody_told(signed_in, provider):
    pool = factories.PoolFactory(service__organization=provider.organization, unknown=True)
    assert "Not known" in signed_in.get(reverse("places")).content.decode()
    press(signed_in, pool, "more")
    pool.refresh_from_db()
    assert pool.available == 1


def test_everything_at_once(signed_in, pool):
    press(signed_in, pool, "set", available="5", maximum="12", status="waitlist", note="Ground floor only")
    pool.refresh_from_db()
    assert (pool.available, pool.maximum, pool.status, pool.note) == (5, 12, CapacityStatus.WAITLIST, "Ground floor only")


@pytest.mark.parametrize("htmx", [False, True])
def test_a_figure_that_somebody_else_changed_is_shown_and_not_overwritten(signed_in, pool, htmx):
    press(signed_in, pool, "more")  # the other tab; `pool.version` here is still the old one
    answer = press(signed_in, pool, "full", htmx=htmx)
    html = answer.content.decode()
    assert answer.status_code == (200 if htmx else 409)
    assert "Somebody changed this figure before you" in html
    assert "4 free" in html
    assert f'name="version" value="{pool.version + 1}"' in html
    pool.refresh_from_db()
    assert pool.available == 4


def test_one_press_says_that_all_figures_are_still_correct_and_leaves_what_was_changed_meanwhile(signed_in, pool, provider):
    address = reverse("places-same")
    assert address not in signed_in.get(reverse("places")).content.decode()  # one kind has a button of its own
    other = factories.PoolFactory(service=pool.service, name="Residential beds", available=2)
    third = factories.PoolFactory(service=pool.service, name="Respite beds", available=1)
    factories.PoolFactory(service=pool.service, name="Never told", available=None, reported_at=None)
    strange = factories.PoolFactory(name="Beds of somebody else")
    html = signed_in.get(reverse("places")).content.decode()
    assert "All 3 still correct" in html
    shown = re.findall(r'name="same" value="([^"]+)" form="places-same"', html)
    assert sorted(shown) == sorted(f"{each.pk}:{each.version}" for each in (pool, other, third))
    press(signed_in, third, "more")  # somebody else, after the page was made
    html = signed_in.post(address, {"same": [*shown, f"{strange.pk}:{strange.version}"]}, follow=True).content.decode()
    assert "2 figures are marked as correct now" in html
    assert "Respite beds: not marked as correct. Somebody changed this figure before you" in html
    for each, figure in ((pool, 3), (other, 2)):
        told = each.reports.latest("received_at")
        assert (told.kind, told.by, told.via, told.available) == (CapacityReport.Kind.REPORT, provider, "web", figure)
        assert each.reports.count() == 1
        before = each.reported_at
        each.refresh_from_db()
        assert each.reported_at > before
    third.refresh_from_db()
    assert (third.available, third.reports.count(), strange.reports.count()) == (2, 1, 0)
    assert "Beds of somebody else" not in html
    again = signed_in.post(address, {"same": shown[:1]}, follow=True).content.decode()  # a thumb that pressed twice
    assert "not marked as correct" not in again
    assert pool.reports.count() + other.reports.count() == 2


@pytest.mark.parametrize("same", [[], ["nonsense"], ["1:2"], [f"{'0' * 8}-0000-4000-8000-{'0' * 12}:many"]])
def test_a_press_for_all_that_cannot_be_understood_changes_nothing(signed_in, pool, same):
    answer = signed_in.post(reverse("places-same"), {"same": same})
    assert answer.status_code == 422
    assert "Load it again" in answer.content.decode()
    assert not pool.reports.exists()


def test_a_forecast_stands_on_a_card_only_where_nothing_is_free(signed_in, pool):
    PoolForecast.objects.create(pool=pool, made_on=timezone.localdate(), days=3)
    words = "Not enough history yet for a forecast"
    html = signed_in.get(reverse("places")).content.decode()
    assert words not in html
    assert reverse("place-history", args=[pool.pk]) in html
    assert words not in press(signed_in, pool, "same", htmx=True).content.decode()
    pool.refresh_from_db()
    assert words in press(signed_in, pool, "full", htmx=True).content.decode()
    assert words in signed_in.get(reverse("places")).content.decode()


def test_a_held_place_cannot_be_reported_away(signed_in, pool):
    pool.held = 2
    pool.save()
    assert "2 of these are held" in signed_in.get(reverse("places")).content.decode()
    html = press(signed_in, pool, "full").content.decode()
    assert "held for people whose families are deciding" in html
    assert "Keep the 2 held, offer no more" in html
    press(signed_in, pool, "set", available="2", maximum="10", status="capacity", note="")
    pool.refresh_from_db()
    assert (pool.available, pool.free) == (2, 0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"action": "set", "available": "many", "status": "capacity"}, "Write the number of empty places in figures"),
        ({"action": "set", "available": "3", "maximum": "ten", "status": "capacity"}, "Write the total number"),
        ({"action": "set", "available": "3", "maximum": "2", "status": "capacity"}, "there are 2 in all"),
        ({"action": "set", "available": "3", "status": ""}, "Choose whether you are taking people"),
        ({"action": "set", "available": "3", "status": "capacity", "note": "x" * 201}, "Keep the note to 200 characters"),
        ({"action": "dance"}, "Press one of the buttons"),
        ({"action": "more", "version": ""}, "Load it again"),
    ],
)
def test_what_cannot_be_understood_changes_nothing_and_says_what_to_do(signed_in, pool, values, words):
    answer = signed_in.post(reverse("place", args=[pool.pk]), {"version": pool.version, **values})
    assert answer.status_code == 409
    assert words in answer.content.decode()
    pool.refresh_from_db()
    assert pool.available == 3
    assert pool.version == 1


def test_what_was_typed_stands_there_again_when_it_is_refused(signed_in, pool):
    html = press(signed_in, pool, "set", available="many", maximum="12", status="waitlist", note="Ground floor only").content.decode()
    assert 'value="many"' in html
    assert 'value="12"' in html
    assert 'value="Ground floor only"' in html
    assert 'value="waitlist" checked' in html


def test_the_refresh_brings_the_figure_and_the_buttons_of_one_card(signed_in, pool):
    html = signed_in.get(reverse("place", args=[pool.pk])).content.decode()
    assert f'data-live-topics="pool:{pool.pk}"' in html
    assert 'value="less"' in html
    assert 'name="note"' not in html  # a form that somebody is filling in is never replaced under their hands


def test_the_page_costs_the_same_number_of_queries_for_many_places(
    signed_in, pool, django_assert_num_queries, django_assert_max_num_queries
):
    with django_assert_max_num_queries(12) as few:
        signed_in.get(reverse("places"))
    for number in range(6):
        factories.PoolFactory(service=pool.service, name=f"Beds {number}")
    with django_assert_num_queries(len(few.captured_queries)):
        signed_in.get(reverse("places"))


def test_a_sparkline_steps_from_figure_to_figure():
    at = timezone.now()
    pool = factories.PoolFactory()
    for version, (days, available) in enumerate([(10, 4), (5, 1)], start=2):
        CapacityReport.objects.create(
            pool=pool,
            kind="report",
            available=available,
            status="capacity",
            version=version,
            observed_at=at - timedelta(days=days),
            via="web",
        )
    spark = sparkline(history(pool.pk, at - timedelta(days=14)), at=at, unit="bed")
    assert spark is not None
    xs, ys = zip(*(map(float, point.split(",")) for point in spark.points.split()), strict=True)
    assert list(xs) == sorted(xs)
    assert xs[-1] == spark.width
    assert ys[0] == ys[1] < ys[2] == ys[3]  # holds, then drops to fewer (further down the picture)
    assert "between 1 and 4 beds" in spark.words


def test_one_figure_alone_is_no_history():
    assert sparkline([], at=timezone.now(), unit="bed") is None


ALL = {
    "available": "2", "maximum": "10", "occupied": "5", "reserved": "1", "waiting": "4", "expected_wait_days": "21", "status": "waitlist",
    "is_open": "no", "closed_reason": "Norovirus", "closed_until": "2026-12-03", "note": "Ground floor only",
}  # fmt: skip


@pytest.mark.req("R024")
def test_a_provider_says_all_that_there_is_to_say_of_places(signed_in, pool):
    press(signed_in, pool, "set", **ALL)
    pool.refresh_from_db()
    assert (pool.occupied, pool.reserved, pool.waiting, pool.expected_wait_days) == (5, 1, 4, 21)
    assert (pool.is_open, pool.closed_reason, pool.closed_until) == (False, "Norovirus", date(2026, 12, 3))
    html = signed_in.get(reverse("places")).content.decode()
    assert "5 taken, 1 kept by you for somebody, 4 waiting." in html
    assert "Norovirus" in html
    # what is left empty was not told; what is not on the page stays
    press(signed_in, pool, "set", status="capacity", available="2", is_open="yes", closed_reason="", closed_until="", waiting="")
    pool.refresh_from_db()
    assert (pool.is_open, pool.closed_reason, pool.waiting, pool.occupied) == (True, "", None, 5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"occupied": "some"}, "how many places are taken"),
        ({"occupied": "9"}, "make 12, but there are 10"),
        ({"expected_wait_days": "-1"}, "how many days"),
        ({"closed_until": "soon"}, "Choose the day when they open again"),
        ({"is_open": "yes"}, "Choose “Closed for now”"),
    ],
)
def test_figures_that_cannot_be_so_are_refused_and_all_of_it_stands_there_again(signed_in, pool, values, words):
    html = press(signed_in, pool, "set", **ALL | values).content.decode()
    assert words in html
    for name, value in (ALL | values).items():
        assert f'value="{value}"' in html, name
    pool.refresh_from_db()
    assert pool.version == 1


def test_places_are_added_renamed_and_for_women_only(signed_in, pool):
    address = reverse("service-place-new", args=[pool.service_id])
    assert 'value="Beds"' in signed_in.get(address).content.decode()
    new = {"name": "Women’s dementia beds", "unit": "bed", "bed_type": "dementia-nursing", "maximum": "6", "for_sex": "female", "per": ""}
    answer = signed_in.post(address, new)
    made = pool.service.capacities.get(name="Women’s dementia beds")
    assert answer.url == f"{reverse('places')}#place-{made.pk}"
    assert (made.care_type.code, made.maximum, made.available, made.for_sex) == ("home-dementia-nursing", 6, None, "female")
    again = signed_in.post(address, new)
    assert again.status_code == 422
    assert "already has places called" in again.content.decode()
    change = reverse("place-change", args=[made.pk])
    signed_in.post(change, {"name": "EMI beds", "unit": "bed", "bed_type": "dementia-nursing", "for_sex": "", "per": ""})
    made.refresh_from_db()
    assert (made.name, made.for_sex, made.maximum) == ("EMI beds", "", 6)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": " "}, "Say what people call these places"),
        ({"unit": "moon"}, "Select a valid choice"),
        ({"maximum": "six"}, "Write the number in figures"),
        ({"per": "session"}, "at which times"),
        ({"for_sex": "male"}, "for women only"),
    ],
)
def test_places_that_cannot_be_so_are_not_added(signed_in, pool, values, words):
    factories.EligibilityFactory(service=pool.service, sex="female")
    sent = {"name": "New beds", "unit": "bed", "maximum": "6", "for_sex": "", "per": ""} | values
    answer = signed_in.post(reverse("service-place-new", args=[pool.service_id]), sent)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert f'value="{sent["maximum"]}"' in html
    assert pool.service.capacities.count() == 1


def test_the_places_of_others_are_not_set_up(signed_in):
    other = factories.PoolFactory()
    assert signed_in.get(reverse("service-place-new", args=[other.service_id])).status_code == 404
    assert signed_in.post(reverse("place-change", args=[other.pk]), {"name": "Mine"}).status_code == 404


def test_referrers_and_the_public_read_the_conditions(client, pool):
    pool.for_sex, pool.status, pool.waiting, pool.expected_wait_days = "female", "waitlist", 4, 21
    pool.save()
    html = client.get(reverse("service", args=[pool.service_id])).content.decode()
    assert "Women only" in html
    assert "4 people, about 3 weeks" in html
