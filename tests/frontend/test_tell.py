"""The pages behind a message's link: nobody needs an account, looking changes nothing, and no answer helps a guesser."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from capacity import asking
from capacity.models import Ask, AskingPreference, CapacityReport, Reservation, ServiceCapacity, UpdateLink
from capacity.operations import hold
from flow import holds
from flow.hold_queries import lost as lost_holds
from tests import factories

pytestmark = pytest.mark.django_db
PAGES = ("tell", "tell-thanks", "tell-stop", "tell-again")


@pytest.fixture
def pool() -> ServiceCapacity:
    return factories.PoolFactory(service__name="Fir Grove", name="Beds", reported_at=timezone.now() - timedelta(hours=3))


@pytest.fixture
def preference(pool) -> AskingPreference:
    at = timezone.now()
    return AskingPreference.objects.create(service=pool.service, channel="email", address="fir@example.org", changed_at=at, confirmed_at=at)


@pytest.fixture
def token(pool) -> str:
    return asking.issue_link(service=pool.service, channel="email", sent_to="fir@example.org", at=timezone.now())[1]


def strict() -> Client:
    """A mail program's browser: no cookies, no token of the page, and as origin “null”, as it sends after `no-referrer`."""
    return Client(enforce_csrf_checks=True, headers={"Origin": "null"})


def press(pool, token, action, version=None, **more):
    return strict().post(reverse("tell", args=[token]), {f"version-{pool.pk}": version or pool.version, f"do-{pool.pk}": action, **more})


@pytest.mark.req("R239")
@pytest.mark.req("R153")
def test_one_press_without_an_account(pool, token, preference):
    shown = strict().get(reverse("tell", args=[token])).content.decode()
    words = (
        "Fir Grove",
        "3 beds free?",
        "Still 3",
        "One more: 4",
        "One fewer: 2",
        "None: full",
        "Another number",
        "f…@example.org",
        "Stop these",
    )
    assert [word for word in words if word not in shown] == []
    answer = press(pool, token, "more")
    assert (answer.status_code, answer.url) == (302, reverse("tell-thanks", args=[token]))
    thanks = strict().get(answer.url).content.decode()
    assert [word for word in ("told just now", "4 free", "Undo", "Send me the next link") if word not in thanks] == []
    # the second press of an impatient thumb
    assert press(pool, token, "more").url == answer.url
    pool.refresh_from_db()
    assert (pool.available, pool.reported_via) == (4, "link")
    # undone: the question again, with the figure of three hours ago
    assert strict().post(answer.url, {"do": "undo"}).url == reverse("tell", args=[token])
    assert "Told 3 hours ago" in strict().get(reverse("tell", args=[token])).content.decode()
    # and the next link
    press(ServiceCapacity.objects.get(), token, "full")
    assert "A new link is on its way" in strict().post(answer.url, {"do": "next"}).content.decode()
    assert strict().post(answer.url, {"do": "next"}).status_code == 409
    assert Ask.objects.get().why == "request"


@pytest.mark.parametrize("name", PAGES)
def test_programs_that_open_links_change_nothing(pool, token, preference, name):
    """Mail scanners and previews fetch every address of a message, before and after its use."""
    for _ in ("fresh", "used"):
        before = [list(model.objects.values()) for model in (UpdateLink, AskingPreference, ServiceCapacity, CapacityReport, Ask)]
        for method in ("get", "head", "options", "put", "delete"):
            answer = getattr(strict(), method)(reverse(name, args=[token]))
            assert answer.status_code in ((200, 404) if method in ("get", "head") and name != "tell-again" else (405,))
        assert before == [list(model.objects.values()) for model in (UpdateLink, AskingPreference, ServiceCapacity, CapacityReport, Ask)]
        press(pool, token, "same")


@pytest.mark.parametrize("state", ["used", "run out", "taken back"])
def test_wrong_and_spent_links_get_the_same_page_that_says_what_to_do(pool, token, preference, state):
    past = timezone.now() - timedelta(minutes=20)
    UpdateLink.objects.update(**{"used": {"used_at": past}, "run out": {"expires_at": past}, "taken back": {"revoked_at": past}}[state])
    wrong = "A" * 32
    for name in ("tell", "tell-thanks"):
        for method in ("get", "post"):
            pages = [getattr(strict(), method)(reverse(name, args=[each]), {"do": "undo"}) for each in (token, wrong)]
            assert [page.status_code for page in pages] == [404, 404]
            texts = [page.content.decode().replace(each, "T").replace(page.content.decode().split('nonce="')[1].split('"')[0], "N")
                     for page, each in zip(pages, (token, wrong), strict=True)]  # fmt: skip
            assert texts[0] == texts[1]
            assert "Each link works once" in texts[0]
            assert "Fir Grove" not in texts[0]
    answers = [strict().post(reverse("tell-again", args=[each])) for each in (token, wrong)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert all("If it was one of our links" in answer.content.decode() for answer in answers)
    assert [ask.sent_to for ask in Ask.objects.all()] == ["fir@example.org"]


def test_nobody_keeps_indexes_or_passes_on_the_address(pool, token):
    for name in PAGES:
        for method in ("get", "post"):
            answer = getattr(strict(), method)(reverse(name, args=[token]))
            headers = ("Cache-Control", "Referrer-Policy", "X-Robots-Tag")
            assert [answer[name] for name in headers] == ["no-store", "no-referrer", "noindex, nofollow"]


def test_no_page_tells_of_a_patient_or_of_who_told_before(pool, token):
    task = factories.ReferralTaskFactory(pool=pool, referral__patient__family_name="Quillfeather")
    hold(pool_id=pool.pk, organization=task.referral.organization, by=None, at=timezone.now())
    shown = strict().get(reverse("tell", args=[token])).content.decode()
    assert "1 of these is held through Lune for somebody." in shown
    assert [word for word in ("Quillfeather", "Canary", task.referral.organization.name, "fir@example.org") if word in shown] == []


def test_held_places_are_taken_back_by_link_with_a_reason_that_their_team_reads(pool, token):
    patient = factories.PatientFactory(family_name="Quillfeather")
    episode = factories.EpisodeFactory(patient=patient)
    nurse = factories.UserFactory(organization=episode.organization)
    holds.hold_place(episode_id=episode.pk, pool_id=pool.pk, by=nurse, at=timezone.now())
    other = factories.OrganizationFactory(hospital=True, name="Elsewhere Hospital")
    hold(pool_id=pool.pk, organization=other, by=None, at=timezone.now())
    pool.refresh_from_db()
    # one of the two is the younger, and that team alone would lose its place
    answer = press(pool, token, "other", **{f"number-{pool.pk}": "1"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert page.count("1 place held by") == 1
    assert "1 place held by Elsewhere Hospital" in page
    assert "Quillfeather" not in page
    assert f'name="number-{pool.pk}" value="2"' in page, "keep what is held"
    # no reason, or far too long a one, takes nothing
    for because in ("  ", "x" * 201):
        answer = press(pool, token, "other", **{f"number-{pool.pk}": "1", "because": because})
        assert (answer.status_code, "Elsewhere Hospital" in answer.content.decode()) == (422, True)
    assert Reservation.objects.filter(state="held").count() == 2
    answer = press(pool, token, "full", because="A burst pipe closed both rooms")
    assert answer.status_code == 302
    assert "2 held places taken back" in strict().get(answer.url).content.decode()
    pool.refresh_from_db()
    assert (pool.available, pool.held, pool.reported_via) == (0, 0, "link")
    [lost] = lost_holds(nurse, timezone.now())
    assert (lost.patient, lost.because) == (patient.pk, "A burst pipe closed both rooms")
    # the figure can be undone; the holds are over
    assert strict().post(answer.url, {"do": "undo"}).status_code == 302
    pool.refresh_from_db()
    assert (pool.available, pool.held) == (3, 0)


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({}, 422, "Say of at least one kind of place"),
        ({"do": "other"}, 422, "in figures"),
        ({"do": "other", "number": "lots"}, 422, "in figures"),
        ({"number": "11"}, 422, "there are 10 in all"),
        ({"do": "same", "version": "nine"}, 422, "This page is incomplete"),
        ({"do": "same", "version": "9"}, 409, "Somebody changed this figure before you"),
        ({"do": "fly"}, 422, "Press one of the buttons"),
    ],
    ids=range(7),
)
def test_what_cannot_be_used_is_said_and_the_link_stays_good(pool, token, sent, status, words):
    answer = strict().post(
        reverse("tell", args=[token]), {f"version-{pool.pk}": "1"} | {f"{name}-{pool.pk}": value for name, value in sent.items()}
    )
    page = answer.content.decode()
    assert (answer.status_code, words in page) == (status, True)
    if "number" in sent:
        assert f'value="{sent["number"]}"' in page
    assert not CapacityReport.objects.exists()
    assert press(pool, token, "same").status_code == 302


def test_several_kinds_of_places_by_one_press_or_each(pool, token):
    other = factories.PoolFactory(service=pool.service, name="Dementia beds", reported_at=pool.reported_at)
    versions = {f"version-{each.pk}": each.version for each in (pool, other)}
    assert "All still right" in strict().get(reverse("tell", args=[token])).content.decode()
    assert strict().post(reverse("tell", args=[token]), versions | {f"number-{other.pk}": "1", f"do-{pool.pk}": ""}).status_code == 302
    assert [each.available for each in ServiceCapacity.objects.order_by("name")] == [3, 1]
    assert [report.pool for report in CapacityReport.objects.all()] == [other]
    second = asking.issue_link(service=pool.service, channel="sms", sent_to="+447700900123", at=timezone.now())[1]
    versions[f"version-{other.pk}"] = 2
    assert strict().post(reverse("tell", args=[second]), versions | {"all": "same"}).status_code == 302
    assert {report.pool for report in CapacityReport.objects.all()} == {pool, other}


def test_services_of_one_organisation_stand_together_behind_one_link(pool):
    other = factories.PoolFactory(service__organization=pool.service.organization, service__name="Sunny House", name="Flats")
    third = factories.PoolFactory(service__organization=pool.service.organization, service__name="Third House")
    _, token = asking.issue_link(
        service=pool.service, also=[other.service], channel="email", sent_to="fir@example.org", at=timezone.now()
    )  # fmt: skip
    shown = strict().get(reverse("tell", args=[token])).content.decode()
    assert f"What is free at Fir Grove and {other.service.name}?" in shown
    assert third.service.name not in shown
    sent = {f"version-{each.pk}": each.version for each in (pool, other, third)}
    answer = strict().post(
        reverse("tell", args=[token]), sent | {f"do-{pool.pk}": "full", f"number-{other.pk}": "2", f"do-{third.pk}": "full"}
    )
    assert answer.status_code == 422, "it is for these two"
    answer = strict().post(reverse("tell", args=[token]), sent | {f"do-{pool.pk}": "full", f"number-{other.pk}": "2"})
    assert "Sunny House: Flats" in strict().get(answer.url).content.decode()
    figures = ServiceCapacity.objects.order_by("service__name").values_list("available", flat=True)
    assert list(figures) == [0, 2, 3]


def test_messages_stop_and_start_by_the_link_and_by_the_mail_programs_button(pool, token, preference):
    address = reverse("tell-stop", args=[token])
    assert "Stop these messages" in strict().get(address).content.decode()
    strict().post(address, {"List-Unsubscribe": "One-Click"})
    assert "The messages are stopped" in strict().get(address).content.decode()
    assert strict().get(reverse("tell", args=[token])).status_code == 404
    strict().post(address, {"do": "start"})
    preference.refresh_from_db()
    assert preference.stopped_at is None


def test_whoever_asks_too_often_waits(pool, token, monkeypatch):
    monkeypatch.setattr("frontend.views.tell.A_MINUTE", 3)
    monkeypatch.setattr("frontend.limits.time.time", lambda: 1_000_000.0)
    answers = [strict().get(reverse("tell", args=["A" * 32])).status_code for _ in range(5)]
    assert answers == [404, 404, 404, 429, 429]
    assert press(pool, token, "full").status_code == 429
    assert strict().get(reverse("tell", args=[token]), REMOTE_ADDR="203.0.113.9").status_code == 200
