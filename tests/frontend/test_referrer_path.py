"""From what somebody needs to one referral: find, list, why not, send, follow."""

import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse

import capacity.operations
import flow.operations
from core import clock
from core.models import AuditEntry
from flow.models import Referral, ReferralTask
from flow.workflow import Status
from matching.models import MatchRun, NeedProfile
from tests import factories

NEED = {"age": "84", "postcode": "PR1 2HE", "care_types": ["home-general-residential"], "miles": "15"}


@pytest.fixture
def signed_in(client, referrer):
    client.force_login(referrer)
    return client


@pytest.fixture
def ground(db):
    factories.OutcodeFactory()
    factories.PostcodeFactory()


def find(client, **changes):
    return client.post(reverse("find"), NEED | changes)


@pytest.fixture
def pools(ground):
    return [factories.PoolFactory(service__name=name) for name in ("Fir Grove", "Otter House")]


@pytest.fixture
def run(signed_in, pools):
    find(signed_in)
    return MatchRun.objects.get()


def sending(run, person, pools, /, **changes):
    typed = {"patient": person.pk, "pools": [pool.pk for pool in pools], "urgency": "routine", "reason": "Likes tea", "consent": "on"}
    return reverse("send", args=[run.pk]), {key: value for key, value in (typed | changes).items() if value is not None}


# --- find


@pytest.mark.parametrize("role", ["provider", "manager", "curator", "administrator"])
@pytest.mark.parametrize("name", ["find", "worklist", "worklist-csv", "patient-new"])
def test_only_referrers_search_and_record(client, request, role, name):
    client.force_login(request.getfixturevalue(role))
    answer = client.get(reverse(name))
    assert answer.status_code == 403
    assert "not for your role" in answer.content.decode()


@pytest.mark.req("R016")
def test_a_search_stores_the_need_and_shows_the_ranking(signed_in, pools):
    answer = find(signed_in, needs=["dementia"], must_haves=["oxygen"], within="3", budget_week="950", funding=["council"])
    profile, run = NeedProfile.objects.get(), MatchRun.objects.get()
    assert answer["Location"] == reverse("match", args=[run.pk])
    assert profile.needs == ["dementia", "oxygen"]
    assert profile.must_haves == ["oxygen"]
    assert profile.budget_week == 950
    assert profile.needed_by is not None
    assert profile.outcode == "PR1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"age": ""}, "Enter the age in years"),
        ({"age": "150"}, "Enter an age from 0 to 125"),
        ({"postcode": "nowhere"}, "Enter a postcode like PR1 2HE"),
        ({"postcode": "ZZ9 9ZZ"}, "We do not know the postcode"),
        ({"care_types": []}, "Choose at least one kind of service"),
        ({"budget_week": "lots"}, "Enter the budget as a number of pounds"),
    ],
)
def test_a_need_that_cannot_be_understood_is_explained(signed_in, ground, changes, words):
    answer = find(signed_in, **changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert page.count(words) >= 2, "in the summary and beside the field"
    assert not MatchRun.objects.exists()


def test_what_was_ticked_is_kept_when_something_else_is_wrong(signed_in, ground):
    page = find(signed_in, age="", needs=["dementia"]).content.decode()
    assert 'value="home-general-residential" checked' in page
    assert 'value="dementia" checked' in page


def test_the_form_is_filled_from_the_person(signed_in, referrer):
    episode = factories.EpisodeFactory(patient__organization=referrer.organization)
    page = signed_in.get(reverse("find"), {"patient": episode.patient_id}).content.decode()
    assert episode.patient.full_name in page
    assert 'value="PR1 2HE"' in page
    assert 'value="home-general-residential" checked' in page


def test_what_was_last_looked_for_is_filled_in_the_next_time(signed_in, referrer, pools):
    episode = factories.EpisodeFactory(patient__organization=referrer.organization)
    address = f"{reverse('find')}?patient={episode.patient_id}"
    answer = signed_in.post(address, NEED | {"needs": ["dementia"], "miles": "5", "age": "40"})
    assert answer.status_code == 302
    page = signed_in.get(reverse("find"), {"patient": episode.patient_id}).content.decode()
    assert 'value="dementia" checked' in page
    assert '<option value="5" selected>' in page
    assert 'value="PR1 2HE"' in page
    assert 'value="40"' not in page, "the age is the person's own"


def test_another_organisations_person_is_not_found(signed_in):
    patient = factories.PatientFactory()
    assert signed_in.get(reverse("find"), {"patient": patient.pk}).status_code == 404
    assert signed_in.get(reverse("find"), {"patient": "nonsense"}).status_code == 404
    assert signed_in.get(reverse("patient", args=[patient.pk])).status_code == 404


def test_an_earlier_search_can_be_changed(signed_in, run):
    page = signed_in.get(reverse("find"), {"profile": run.profile_id}).content.decode()
    assert 'value="84"' in page
    assert 'value="home-general-residential" checked' in page


# --- match


@pytest.mark.req("R018")
def test_every_line_says_why_it_is_there(signed_in, run, pools):
    page = signed_in.get(reverse("match", args=[run.pk])).content.decode()
    for pool in pools:
        assert pool.service.name in page
        assert f'data-pool="{pool.pk}"' in page
        assert f'value="{pool.pk}"' in page
    assert "3 free" in page
    assert "Why it is number 1" in page
    assert "points" in page


def test_the_ten_best_stand_open_and_the_others_are_one_press_away(signed_in, ground):
    home = factories.PoolFactory(service__name="Fir Grove", name="Ground floor")
    factories.PoolFactory(service=home.service, name="First floor")
    factories.PoolFactory.create_batch(11)
    find(signed_in)
    html = signed_in.get(reverse("match", args=[MatchRun.objects.get().pk])).content.decode()
    assert "12 services near PR1" in html
    first, more = html.split("lune-more")
    assert first.count('class="lune-line"') == 10
    assert more.count('class="lune-line"') == 3
    assert "Show 3 more" in more


def test_a_list_of_another_organisation_is_not_found(client, run):
    client.force_login(factories.UserFactory())
    for name in ("match", "send", "match-why-not-search"):
        assert client.get(reverse(name, args=[run.pk])).status_code == 404
    assert client.post(reverse("match-again", args=[run.pk])).status_code == 404


def test_a_line_that_changed_since_says_so(signed_in, run, pools):
    capacity.operations.report(pool_id=pools[0].pk, by=None, at=clock.now(), available=0)
    page = signed_in.get(reverse("match", args=[run.pk])).content.decode()
    assert "<strong>Changed</strong> since this list was made" in page
    assert "Full" in page


def test_a_confidential_place_is_in_the_list_and_not_on_the_map(signed_in, ground):
    factories.PoolFactory(location__is_confidential=True, service__name="A refuge")
    find(signed_in)
    page = signed_in.get(reverse("match", args=[MatchRun.objects.get().pk])).content.decode()
    assert "A refuge" in page
    pins = re.search(r'id="map-places">(.*?)</script>', page)
    assert pins
    assert json.loads(pins[1]) == []


def test_ranking_again_uses_what_is_free_now(signed_in, run, pools):
    capacity.operations.report(pool_id=pools[0].pk, by=None, at=clock.now(), available=0)
    answer = signed_in.post(reverse("match-again", args=[run.pk]))
    newest = MatchRun.objects.latest("at")
    assert answer["Location"] == reverse("match", args=[newest.pk])
    assert [candidate.pool_id for candidate in newest.candidates.all()] == [pools[1].pk]


def test_when_nobody_fits_the_nearest_misses_are_shown(signed_in, ground):
    factories.PoolFactory(full=True, service__name="Larch House")
    find(signed_in)
    page = signed_in.get(reverse("match", args=[MatchRun.objects.get().pk])).content.decode()
    assert "Nothing within reach meets everything" in page
    assert "Larch House" in page


@pytest.mark.req("R019")
def test_why_a_service_is_not_in_the_list(signed_in, run):
    full = factories.PoolFactory(full=True, service__name="Larch House")
    page = signed_in.get(reverse("match-why-not-search", args=[run.pk]), {"q": "Larch"}).content.decode()
    address = reverse("match-why-not", args=[run.pk, full.pk])
    assert address in page
    page = signed_in.get(address).content.decode()
    assert "Why Larch House is not in the list" in page
    assert "What stands against it" in page


def test_a_service_that_nobody_knows(signed_in, run):
    page = signed_in.get(reverse("match-why-not-search", args=[run.pk]), {"q": "Xyzzyplugh"}).content.decode()
    assert "We know no service like" in page
    unknown = reverse("match-why-not", args=[run.pk, run.pk])
    assert signed_in.get(unknown).status_code == 404


# --- send


def test_sending_needs_something_chosen(signed_in, run):
    assert signed_in.get(reverse("send", args=[run.pk]))["Location"] == reverse("match", args=[run.pk])


@pytest.mark.req("R021")
def test_one_referral_goes_to_all_that_were_chosen(signed_in, referrer, run, pools):
    episode = factories.EpisodeFactory(patient__organization=referrer.organization)
    page = signed_in.get(reverse("send", args=[run.pk]), {"pools": [pool.pk for pool in pools]}).content.decode()
    assert "Send one referral to 2 services" in page
    address, typed = sending(run, episode.patient, pools, hold=pools[0].pk, urgency="urgent")
    answer = signed_in.post(address, typed)
    referral = Referral.objects.get()
    assert answer["Location"] == reverse("referral", args=[referral.pk])
    assert referral.episode == episode
    assert referral.urgency == "urgent"
    assert referral.match_run == run
    assert {task.pool_id for task in referral.tasks.all()} == {pool.pk for pool in pools}
    assert referral.tasks.exclude(reservation=None).get().pool_id == pools[0].pk


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"consent": None}, "Ask whether they agree"),
        ({"patient": None}, "Choose the person whom the referral is for"),
        ({"hold": "other"}, "There is no place left to keep at that service"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_sent(signed_in, referrer, run, pools, changes, words):
    patient = factories.PatientFactory(organization=referrer.organization)
    address, typed = sending(run, patient, pools, **changes)
    answer = signed_in.post(address, typed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Likes tea" in answer.content.decode()
    assert not Referral.objects.exists()


def test_another_organisations_person_cannot_be_referred(signed_in, run, pools):
    address, typed = sending(run, factories.PatientFactory(), pools)
    assert signed_in.post(address, typed).status_code == 404
    assert not Referral.objects.exists()


@pytest.mark.req("R025")
@pytest.mark.parametrize("hold", [False, True], ids=["only ask", "keep a place"])
def test_when_the_last_place_has_gone_nothing_typed_is_lost_and_the_next_best_is_offered(signed_in, referrer, run, pools, hold):
    patient = factories.PatientFactory(organization=referrer.organization)
    other = factories.PoolFactory(service__name="Alder Court")
    capacity.operations.report(pool_id=pools[0].pk, by=None, at=clock.now(), available=0)
    address, typed = sending(run, patient, pools[:1], **({"hold": pools[0].pk} if hold else {}))
    answer = signed_in.post(address, typed)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing has been sent" in page
    assert "The last place at Fir Grove" in page
    assert "Likes tea" in page
    assert f'value="{other.pk}" id="pool-{other.pk}">' in page, "offered, for the user to tick"
    assert f'value="{pools[0].pk}" id="pool-{pools[0].pk}">' in page, "no longer ticked"
    assert not Referral.objects.exists()


def test_a_place_that_has_gone_is_no_longer_wished_for(signed_in, referrer, run, pools, monkeypatch):
    """The figures of the page were read before the last place went; the answer shows those of after."""
    taken, gone = flow.operations.send, pools[0]

    def overtaken(**asked):
        capacity.operations.report(pool_id=gone.pk, by=None, at=clock.now(), available=0)
        return taken(**asked)

    monkeypatch.setattr(flow.operations, "send", overtaken)
    address, typed = sending(run, factories.PatientFactory(organization=referrer.organization), pools, hold=gone.pk)
    answer = signed_in.post(address, typed)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert re.search(r'name="hold"[^>]*value="" checked', page)
    assert not re.search(rf'name="hold"[^>]*value="{gone.pk}"', page)


# --- referral


@pytest.fixture
def task(referrer):
    return factories.ReferralTaskFactory(
        referral__organization=referrer.organization, referral__patient__organization=referrer.organization
    )


def test_a_referral_shows_each_answer_and_records_the_look(signed_in, referrer, task):
    answer = signed_in.get(reverse("referral", args=[task.referral_id]))
    page = answer.content.decode()
    assert "Waiting for an answer" in page
    assert f'data-live-topics="referral:{task.referral_id} org:{referrer.organization_id}"' in page
    assert AuditEntry.objects.filter(user_id=referrer.pk, record_id=task.referral_id).exists()


def test_the_part_that_refreshes_is_only_a_part(signed_in, task):
    page = signed_in.get(reverse("referral", args=[task.referral_id]), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert page.strip().startswith('<section id="progress"')


def test_a_request_is_withdrawn_with_a_reason(signed_in, task):
    address = reverse("referral-step", args=[task.referral_id, task.pk, "withdraw"])
    page = signed_in.post(address, {"reason": "", "version": task.version}, follow=True).content.decode()
    assert "Say why in a few words." in page
    page = signed_in.post(address, {"reason": "Went home", "version": task.version}, follow=True).content.decode()
    assert "The request is withdrawn" in page
    assert ReferralTask.objects.get(pk=task.pk).status == Status.CANCELLED


def test_a_step_of_the_other_side_or_of_another_organisation_is_not_found(signed_in, client, task):
    assert signed_in.post(reverse("referral-step", args=[task.referral_id, task.pk, "accept"])).status_code == 404
    client.force_login(factories.UserFactory())
    assert client.get(reverse("referral", args=[task.referral_id])).status_code == 404
    assert client.post(reverse("referral-step", args=[task.referral_id, task.pk, "withdraw"])).status_code == 404


def test_a_hold_says_how_long_it_lasts(signed_in, task):
    at = clock.now()
    task.reservation = capacity.operations.hold(
        pool_id=task.pool_id, organization=task.referral.organization, by=None, at=at, until=at + timedelta(hours=2, minutes=5, seconds=30)
    )
    task.save()
    page = signed_in.get(reverse("referral", args=[task.referral_id])).content.decode()
    assert "held until" in page
    assert "2 hours 5 minutes left" in page
