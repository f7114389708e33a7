"""Pages of held places: for the team that holds, for the provider, and for the worklist when a place is gone."""

import json
import subprocess
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import capacity.operations as places
from capacity.models import Reservation
from flow import operations
from flow.models import EpisodeHold
from frontend.presenters.countdown import clock, left
from matching.operations import match
from tests.factories import EpisodeFactory, NeedProfileFactory, OutcodeFactory, PoolFactory
from tests.flow.helpers import provider_of
from tests.stack.live import BACKEND, BASE_DIR

pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def stay(referrer):
    return EpisodeFactory(patient__organization=referrer.organization)


def test_from_the_list_to_a_hold_and_back_with_the_place_ticked_and_sent_with_that_very_hold(referrer, stay):
    OutcodeFactory()
    pool = PoolFactory(available=1)
    run = match(NeedProfileFactory(organization=referrer.organization), by=referrer, at=timezone.now())
    client, person = browser(referrer), stay.patient.pk
    address = reverse("hold-new")
    page = client.get(reverse("match", args=[run.pk]), {"patient": person}).content.decode()
    assert f"{address}?pool={pool.pk}&amp;run={run.pk}&amp;patient={person}" in page
    asked = client.get(address, {"pool": pool.pk, "run": run.pk, "patient": person}).content.decode()
    assert "The place is kept for 4 hours while" in asked
    done = client.post(address, {"pool": pool.pk, "run": run.pk, "patient": person})
    assert done.url == f"{reverse('match', args=[run.pk])}?patient={person}&pools={pool.pk}"
    page = client.get(done.url).content.decode()
    assert "held until" in page
    assert "3 hours 59 minutes left" in page
    sending = client.get(reverse("send", args=[run.pk]), {"pools": pool.pk, "patient": person}).content.decode()
    assert "This referral uses it." in sending
    sent = client.post(reverse("send", args=[run.pk]), {"pools": pool.pk, "patient": person, "urgency": "routine", "consent": "on"})
    assert sent.status_code == 302
    assert Reservation.objects.get().referral_task.pool == pool


def test_the_form_asks_for_whom_and_a_place_that_has_gone_is_said_in_words(referrer, stay):
    pool = PoolFactory(full=True)
    client, address = browser(referrer), reverse("hold-new")
    asked = client.post(address, {"pool": pool.pk})
    assert (asked.status_code, "Choose the person for whom the place is held" in asked.content.decode()) == (422, True)
    gone = client.post(address, {"pool": pool.pk, "patient": stay.patient.pk})
    assert (gone.status_code, "No place is held" in gone.content.decode()) == (409, True)
    assert client.post(address, {"pool": pool.pk, "patient": EpisodeFactory().patient_id}).status_code == 404
    assert not EpisodeHold.objects.exists()


def test_held_places_are_made_longer_and_let_go_and_the_provider_reads_whose(referrer, stay):
    pool = PoolFactory()
    hold = operations.hold_place(episode_id=stay.pk, pool_id=pool.pk, by=referrer, at=timezone.now()).reservation
    client = browser(referrer)
    assert "Hold 4 hours longer" in client.get(reverse("holds")).content.decode()
    told = client.post(reverse("hold-extend", args=[hold.pk]), follow=True).content.decode()
    assert "The place is now held until" in told
    assert "Cannot be made longer" in told
    for path in ("places", "inbox"):
        seen = browser(provider_of(pool)).get(reverse(path)).content.decode()
        assert f"1 place held by {referrer.organization.name}" in seen
        assert stay.patient.family_name not in seen
    client.post(reverse("hold-let-go", args=[hold.pk]))
    assert "was given back at" in client.get(reverse("holds"), {"show": "ended"}).content.decode()


def test_a_provider_is_told_who_is_affected_and_the_team_reads_why_and_what_to_do(referrer, stay):
    pool = PoolFactory(available=1)
    operations.hold_place(episode_id=stay.pk, pool_id=pool.pk, by=referrer, at=timezone.now())
    pool.refresh_from_db()
    home, address = browser(provider_of(pool)), reverse("place", args=[pool.pk])
    refused = home.post(address, {"version": pool.version, "action": "full"})
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Or take 1 place back. Affected:" in page
    assert f"1 place held by {referrer.organization.name}" in page
    whole = {"version": pool.version, "action": "set", "available": 0, "maximum": 10, "status": "capacity", "note": ""}
    assert "Say why you take held places back" in home.post(address, whole | {"because": " "}).content.decode()
    assert home.post(address, whole | {"because": "A burst pipe"}).status_code == 302
    worklist = browser(referrer).get(reverse("worklist")).content.decode()
    assert "A held place is gone" in worklist
    assert f"{pool.service.name} took the place back at" in worklist
    assert "“A burst pipe”" in worklist
    assert "Find another" in worklist


def test_a_referral_says_that_its_hold_ran_out_and_that_it_is_still_sent(referrer, stay):
    pool = PoolFactory()
    now = timezone.now()
    referral = operations.send(
        patient_id=stay.patient_id, profile_id=NeedProfileFactory(organization=referrer.organization).pk, pool_ids=[pool.pk],
        hold_pool_ids=[pool.pk], episode_id=stay.pk, consent=True, by=referrer, at=now - timedelta(hours=5),
    )  # fmt: skip
    places.expire_due(at=now)
    page = browser(referrer).get(reverse("referral", args=[referral.pk])).content.decode()
    assert "ran out at" in page
    assert "Your referral is still with them, and no place is kept." in page
    asked = browser(provider_of(pool)).get(reverse("task", args=[referral.tasks.get().pk])).content.decode()
    assert "The place that was held for this person has been given back." in asked


def test_the_time_left_is_told_alike_with_script_and_without():
    now = timezone.now()
    seconds = [600, 3600, 3660, 7199, 14_399, 14_400, 86_399, 86_400, 183_900, 0, -1]
    script = f"import('./frontend/src/countdown.js').then(m => console.log(JSON.stringify({seconds}.map(m.left))))"
    said = subprocess.run(["node", "-e", script], cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=True).stdout
    assert json.loads(said) == [left(now + timedelta(seconds=each), now) for each in seconds]


def test_the_clock_names_the_day_when_it_is_another():
    noon = timezone.datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())
    assert clock(noon + timedelta(hours=2, minutes=20), noon) == "14:20"
    assert clock(noon + timedelta(hours=26), noon) == "14:00 on Monday 23 November"
