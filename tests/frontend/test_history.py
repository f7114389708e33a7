"""The history of places on screens, in a file and over the API: for those who may see it, without numbers that could point at a person."""

import csv
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from capacity.models import ForecastSkill, PoolDay, PoolForecast, ServiceCapacity
from tests.factories import AreaFactory, LocationFactory, NeedProfileFactory, OutcodeFactory, PoolFactory, ServiceFactory, UserFactory, near

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def given_days(pool: ServiceCapacity, count: int = 40, *, filled: int = 1) -> None:
    today = timezone.localdate()
    PoolDay.objects.bulk_create(
        PoolDay(
            pool=pool, day=today - timedelta(days=number + 1), maximum=10, available=4, held=1, least_free=0, most_free=4,
            free_hours=12, known_hours=18, reports=2, filled=filled,
        )
        for number in range(count)
    )  # fmt: skip


def given_forecast(pool: ServiceCapacity, **values) -> None:
    chances = [{"days": 1, "chance": 0.3, "low": 0.2, "high": 0.42}, {"days": 3, "chance": 0.7, "low": 0.6, "high": 0.81}]
    waits = {"wait_days": 3, "wait_low": 2, "wait_high": 6}
    usual = {"made_on": timezone.localdate(), "days": 84, "method": "logistic-calibrated/1", "chances": chances, **waits}
    PoolForecast.objects.create(pool=pool, **(usual | values))


def given_skill(group: str, brier: float) -> None:
    calibration = [{"said": 0.31, "came": 0.29, "count": 210}]
    values = {"brier": brier, "brier_last": 0.15, "brier_weekday": 0.22, "count": 900, "method": "logistic-calibrated/1"}
    ForecastSkill.objects.create(made_on=timezone.localdate(), group=group, horizon=3, calibration=calibration, **values)


def test_a_manager_reads_a_region_a_district_and_a_kind_and_takes_all_of_it_away(client, manager):
    area = AreaFactory(name="Preston")
    home = PoolFactory(service__name="=Fir Grove")
    refuge = PoolFactory(service__is_confidential=True, service__name="Larkspur Refuge", location__is_confidential=True)
    far = PoolFactory(service=ServiceFactory(name="Far away"), location=LocationFactory(point=near(90_000)))
    for pool in (home, refuge, far):
        given_days(pool)
    given_skill("Care homes", 0.1)
    given_skill("Care at home", 0.1499)
    client.force_login(manager, backend=BACKEND)
    text = client.get(reverse("history")).content.decode()
    assert all(
        words in text for words in ("60% were taken", "67% of the time", "84 in all", 'role="img"', "the forecast", "what was usual")
    )
    assert "25% of the time no figure could be believed" in text
    # of a district: what stands there, no refuge, and no small number
    asked = {"area": area.code, "days": "28", "kind": f"group:{home.care_type.group}"}
    text = client.get(reverse("history"), asked | {"by": "week"}).content.decode()
    assert "28 in all" in text
    assert f"{home.care_type.group}, Preston" in text
    assert "Week from" in text
    assert "under 5" in client.get(reverse("history"), asked | {"by": "day"}).content.decode()
    lines = list(csv.DictReader(client.get(reverse("history-csv"), asked).getvalue().decode().splitlines()))
    assert len(lines) == 28
    assert {(line["service"], line["district"], line["taken"], line["free hours"]) for line in lines} == {
        ("'=Fir Grove", "Preston", "under 5", "12.00")
    }
    everything = list(csv.DictReader(client.get(reverse("history-csv")).getvalue().decode().splitlines()))
    assert {(line["service"], line["district"]) for line in everything} == {
        ("'=Fir Grove", "Preston"),
        ("Larkspur Refuge", ""),
        ("Far away", ""),
    }
    assert client.get(reverse("history"), {"area": "nowhere", "days": "x", "kind": "?"}).status_code == 200


def test_a_pool_s_own_provider_reads_all_of_it_and_others_no_small_numbers(client, provider):
    pool = PoolFactory(service__organization=provider.organization, available=0)
    given_days(pool, 3)
    given_forecast(pool)
    client.force_login(provider, backend=BACKEND)
    text = client.get(reverse("place-history", args=[pool.pk])).content.decode()
    assert "under 5" not in text
    sentence = "A place is likely within 3 days: 7 in 10 (between 6 and 9 in 10). Usual wait when full 2 to 6 days. From 84 days"
    assert sentence in text
    assert sentence in client.get(reverse("places")).content.decode()
    client.force_login(UserFactory(), backend=BACKEND)
    text = client.get(reverse("place-history", args=[pool.pk])).content.decode()
    assert "under 5" in text
    assert 'class="lune-rag lune-rag--red"' in text  # what may come never colours what is
    found = client.get(reverse("api-capacity-history", args=[pool.pk]), {"days": "2"}).json()
    assert [day["filled"] for day in found["days"]] == [None, None]
    assert found["period"]["taken"] is None
    assert found["period"]["occupancy"] == 0.6
    assert found["forecast"]["chances"][1] == {"days": 3, "chance": 0.7, "low": 0.6, "high": 0.81}
    assert client.get(reverse("api-capacity-history", args=[pool.pk]), {"days": "x"}).status_code == 422


def test_the_public_reads_no_forecast_and_nobody_the_history_of_what_they_may_not_see(client, referrer):
    pool = PoolFactory(available=0)
    given_forecast(pool, method="", chances=[], days=12)
    page = reverse("service", args=[pool.service_id])
    text = client.get(page).content.decode()
    assert "forecast" not in text
    assert reverse("place-history", args=[pool.pk]) not in text
    client.force_login(referrer, backend=BACKEND)
    text = client.get(page).content.decode()
    assert "Not enough history yet for a forecast: 12 of 28 days." in text
    assert reverse("place-history", args=[pool.pk]) in text
    pool.service.status = "inactive"
    pool.service.save()
    assert client.get(reverse("place-history", args=[pool.pk])).status_code == 404
    assert client.get(reverse("api-capacity-history", args=[pool.pk])).status_code == 404


def test_a_ranking_says_what_may_come_where_no_place_is_free(client, referrer):
    from matching.operations import match

    OutcodeFactory()
    full, free = PoolFactory(available=0, status="waitlist"), PoolFactory(available=2)
    given_forecast(full)
    given_forecast(free)
    run = match(NeedProfileFactory(organization=referrer.organization), by=referrer, at=timezone.now())
    client.force_login(referrer, backend=BACKEND)
    text = client.get(reverse("match", args=[run.pk])).content.decode()
    assert text.count("A place is likely within 3 days: 7 in 10") == 1
