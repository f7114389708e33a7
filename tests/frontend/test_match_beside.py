"""Beside a ranking: services side by side, help with the first step, and a package of several services."""

from datetime import time
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import capacity.operations
import flow.operations
from catalogue.models import Schedule
from core.errors import Conflict
from flow import packages
from flow.models import EpisodeHold, Referral
from matching import comparing, operations
from matching.models import MatchRun
from tests import factories
from tests.factories import near, term
from tests.flow.helpers import provider_of

NEED = {"age": "84", "postcode": "PR1 2HE", "care_types": ["home-general-residential"], "miles": "15"}


@pytest.fixture
def signed_in(client, referrer):
    client.force_login(referrer)
    return client


@pytest.fixture
def ground(db):
    factories.OutcodeFactory()
    factories.PostcodeFactory()


def pool_of(kind: str, called: str, **fields):
    return factories.PoolFactory(
        service__name=called, service__care_type=term("care-type", kind), care_type=term("care-type", kind), **fields
    )


def search(client, **changes) -> MatchRun:
    assert client.post(reverse("find"), NEED | changes).status_code == 302
    return MatchRun.objects.get(part_of=None)


# --- comparison


@pytest.fixture
def compared(signed_in, ground):
    fir = factories.PoolFactory(service__name="Fir Grove", service__cqc_rating=4, location__point=near(300))
    otter = factories.PoolFactory(service__name="Otter House", location__point=near(4_000), available=1)
    factories.CriterionFactory(service=fir.service)
    run = search(signed_in, needs=["dementia"])
    return run, fir, otter


def test_services_side_by_side_say_in_words_what_tells_them_apart(signed_in, compared):
    run, fir, otter = compared
    address = reverse("match-compare", args=[run.pk])
    page = signed_in.get(address, {"pools": [otter.pk, fir.pk]}).content.decode()
    assert page.index("Otter House") < page.index("Fir Grove"), "the order in which they were chosen"
    for words in (
        "nearest",
        "most free",
        "Not known: ask about Dementia",
        "Met: Says that it can meet: Dementia",
        "They differ",
    ):
        assert words in page
    lines = operations.lines(run)
    again = comparing.compare(run, [line.pool_id for line in lines], at=run.at)
    assert [(one.rank, one.score) for one in again] == [(line.rank, line.score) for line in lines], "by the same rules and factors"
    for term_ in lines[0].terms:
        assert f"of {term_.most}: " in page, "whatever factors there are"
    for pool in (fir, otter):
        assert f'data-pool="{pool.pk}"' in page
        assert f'name="pools" value="{pool.pk}"' in page
    capacity.operations.report(pool_id=fir.pk, by=None, at=timezone.now(), available=0)
    page = signed_in.get(address, {"pools": [otter.pk, fir.pk]}).content.decode()
    assert "Against: No place is free" in page
    assert "a rule stands against it" in page


def test_two_to_four_can_be_compared_and_nothing_of_another_organisation(signed_in, client, compared):
    run, fir, otter = compared
    more = factories.PoolFactory.create_batch(3)
    address = reverse("match-compare", args=[run.pk])
    answer = signed_in.get(address, {"pools": [pool.pk for pool in (fir, otter, *more)]})
    assert answer.status_code == 422
    assert "Choose at most 4 services to compare; you chose 5." in answer.content.decode()
    answer = signed_in.get(address, {"pools": [fir.pk, "nonsense"]})
    assert answer.status_code == 422
    assert "Otter House" in answer.content.decode(), "the best of the list are offered"
    client.force_login(factories.UserFactory())
    assert client.get(address, {"pools": [fir.pk, otter.pk]}).status_code == 404


def test_a_refuge_is_compared_without_its_place(signed_in, ground):
    refuge = factories.PoolFactory(location__is_confidential=True, service__name="A refuge", location__name="Quillfeather Street")
    other = factories.PoolFactory()
    page = signed_in.get(reverse("match-compare", args=[search(signed_in).pk]), {"pools": [refuge.pk, other.pk]}).content.decode()
    assert "the address is confidential" in page
    assert "Quillfeather" not in page


# --- help with the first step


@pytest.mark.req("R191")
@pytest.mark.req("R199")
def test_help_with_the_first_step_is_found_shown_with_its_reason_and_sent_with_the_rest(signed_in, referrer, ground):
    home = factories.PoolFactory(service__name="Fir Grove")
    friend = pool_of("befriending", "A Friend")
    walker = pool_of("peer-support", "Side by Side")
    run = search(signed_in, activation_level="1", needs=["isolated"])
    page = signed_in.get(reverse("match", args=[run.pk])).content.decode()
    assert "To help with the first step" in page
    assert "Because the activation level is 1 of 4: it may be hard to begin alone, and the person is isolated or lonely." in page
    assert page.count(f'name="pools" value="{friend.pk}"') == 1, "a service is offered once"
    patient = factories.PatientFactory(organization=referrer.organization)
    chosen = {"pools": [home.pk, friend.pk, walker.pk]}
    assert "Send 3 referrals together" in signed_in.get(reverse("send", args=[run.pk]), chosen).content.decode()
    sent = {"patient": patient.pk, "urgency": "routine", "reason": "", "consent": "on"} | chosen
    answer = signed_in.post(reverse("send", args=[run.pk]), sent)
    assert answer["Location"] == reverse("patient", args=[patient.pk])
    first, *others = Referral.objects.order_by("created_at", "pk")
    assert {referral.package for referral in others} == {first.package}
    assert first.package is not None
    page = signed_in.get(reverse("referral", args=[first.pk])).content.decode()
    assert all(reverse("referral", args=[other.pk]) in page for other in others), "each names the others"
    assert {task.pool_id for referral in Referral.objects.all() for task in referral.tasks.all()} == {home.pk, friend.pk, walker.pk}


def test_nobody_is_offered_help_that_nothing_asks_for(signed_in, ground):
    factories.PoolFactory()
    run = search(signed_in, activation_level="3")
    assert not run.parts.exists()
    assert "first step" not in signed_in.get(reverse("match", args=[run.pk])).content.decode()


# --- a package


@pytest.fixture
def package(signed_in, ground):
    """Two kinds, both wanted: one provider has both at one place on Tuesdays, each of the others is a little nearer."""
    quarry = factories.OrganizationFactory(name="Quarry Trust")
    place = factories.LocationFactory(point=near(900))
    found = {}
    for kind in ("lunch-club", "arts-and-nature"):
        found[kind] = pool_of(kind, f"Quarry {kind}", service__organization=quarry, location=place)
        pool_of(kind, f"Nearer {kind}", location__point=near(500))
    for pool in found.values():
        Schedule.objects.create(service=pool.service, byday="TU", opens_at=time(10), closes_at=time(12))
    return search(signed_in, care_types=list(found), all_wanted="yes"), found


def test_what_is_wanted_together_is_suggested_together_and_says_why(signed_in, package):
    run, _ = package
    page = signed_in.get(reverse("match", args=[run.pk])).content.decode()
    assert "Suggested together" in page
    assert "Both with one provider: Quarry Trust." in page
    assert "All journeys at one place on the same day: Tuesdays." in page
    assert "One journey instead of 2." in page
    assert [part.care_types for part in operations.parts_of(run)] == [["lunch-club"], ["arts-and-nature"]]


def test_a_package_is_sent_whole_or_not_at_all_and_ends_the_wait_when_its_last_part_begins(referrer, package):
    run, found = package
    episode = factories.EpisodeFactory(patient__organization=referrer.organization)
    parts = [
        packages.Part(part.run.profile_id, part.id, [pool.pk]) for part, pool in zip(operations.parts_of(run), found.values(), strict=True)
    ]
    at = timezone.now()
    asked = {"patient_id": episode.patient_id, "parts": parts, "by": referrer, "at": at, "episode_id": episode.pk, "consent": True}
    first, second = found.values()
    capacity.operations.report(pool_id=second.pk, by=None, at=at, available=0)
    with pytest.raises(Conflict):
        packages.send(**asked)
    assert not Referral.objects.exists()
    capacity.operations.report(pool_id=second.pk, by=None, at=timezone.now(), available=2)
    held = flow.operations.hold_place(episode_id=episode.pk, pool_id=factories.PoolFactory().pk, by=referrer, at=timezone.now())
    tasks = [referral.tasks.get() for referral in packages.send(**asked)]
    provider = factories.UserFactory(provider=True, organization=first.service.organization)
    for task in tasks:
        flow.operations.accept(task_id=task.pk, by=provider, at=timezone.now())
    assert EpisodeHold.objects.get(pk=held.pk).reservation.state == "held", "a yes to a part leaves what is held for another thing"
    flow.operations.start(task_id=tasks[0].pk, by=provider, at=timezone.now())
    episode.refresh_from_db()
    assert episode.ended_at is None, "the other part has not begun"
    flow.operations.start(task_id=tasks[1].pk, by=provider, at=timezone.now())
    episode.refresh_from_db()
    assert episode.ended_at is not None


@pytest.mark.parametrize("step", ["decline", "withdraw", "fail", "pause"])
def test_a_part_that_comes_to_nothing_after_the_other_began_ends_the_wait(referrer, ground, step):
    """While each step is taken the person is locked, before the referral: of two that begin at once the later sees the earlier."""
    episode = factories.EpisodeFactory(patient__organization=referrer.organization)
    at, package = timezone.now(), uuid4()
    sent = {"referral__patient": episode.patient, "referral__organization": referrer.organization, "referral__episode": episode}
    statuses = ("accepted", "requested" if step in ("decline", "withdraw") else "accepted")
    first, second = (factories.ReferralTaskFactory(status=status, referral__package=package, **sent) for status in statuses)
    with CaptureQueriesContext(connection) as asked:
        flow.operations.start(task_id=first.pk, by=provider_of(first.pool), at=at)
    locked = [query["sql"].split('"')[1] for query in asked if query["sql"].endswith("FOR NO KEY UPDATE")]
    assert locked[:2] == ["flow_patient", "flow_referral"]
    episode.refresh_from_db()
    assert episode.ended_at is None, "the second is waited for"
    by = referrer if step == "withdraw" else provider_of(second.pool)
    getattr(flow.operations, step)(task_id=second.pk, by=by, at=at, reason="26")
    episode.refresh_from_db()
    assert (episode.ended_at is None) == (step == "pause")


def test_a_place_of_a_package_that_has_gone_is_replaced_by_one_of_its_kind(signed_in, referrer, package):
    run, found = package
    patient = factories.PatientFactory(organization=referrer.organization)
    late = pool_of("lunch-club", "Came later")
    capacity.operations.report(pool_id=found["lunch-club"].pk, by=None, at=timezone.now(), available=0)
    sent = {"patient": patient.pk, "urgency": "routine", "reason": "", "consent": "on"}
    answer = signed_in.post(reverse("send", args=[run.pk]), sent | {"pools": [pool.pk for pool in found.values()]})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Nothing has been sent" in page
    assert "Came later" in page
    assert "Nearer arts-and-nature" not in page, "it is no lunch club"
    signed_in.post(reverse("send", args=[run.pk]), sent | {"pools": [late.pk, found["arts-and-nature"].pk]})
    assert sorted(referral.profile.care_types for referral in Referral.objects.all()) == [["arts-and-nature"], ["lunch-club"]]


def test_a_package_that_lacks_a_part_says_so_and_help_is_offered_though_nothing_fits(signed_in, ground):
    pool_of("befriending", "A Friend")
    pool_of("lunch-club", "Tuesday Lunch")
    run = search(signed_in, care_types=["lunch-club", "equipment"], all_wanted="yes")
    page = signed_in.get(reverse("match", args=[run.pk])).content.decode()
    for words in ("No package can be suggested", "No service of this kind fits", "Tuesday Lunch"):
        assert words in page
    answer = signed_in.post(reverse("find"), NEED | {"needs": ["isolated"]})
    page = signed_in.get(answer["Location"]).content.decode()
    for words in ("Nothing within reach meets everything", "To help with the first step", "A Friend"):
        assert words in page


def test_the_form_asks_in_three_steps_and_not_again_for_what_is_known(signed_in, referrer, ground):
    episode = factories.EpisodeFactory(patient__organization=referrer.organization)
    page = signed_in.get(reverse("find"), {"patient": episode.patient_id}).content.decode()
    steps = [line for line in page.splitlines() if "nhsuk-fieldset__legend--m" in line]
    assert [step.split(">")[1][:2] for step in steps] == ["1.", "2.", "3."]
    assert "From the record: " in page
    before, after = page.split("Change it for this search")
    assert 'id="id_age"' not in before
    assert 'id="id_age"' in after
    assert "From the record: " not in signed_in.get(reverse("find")).content.decode()


@pytest.mark.req("R007")
@pytest.mark.req("R009")
def test_one_form_finds_places_and_packages_of_care_in_one_list_and_refers_to_both(signed_in, referrer, ground):
    bed, package = factories.PoolFactory(service__name="Fir Grove"), pool_of("home-care", "Otterwath Homecare", name="Packages of care")
    run = search(signed_in, care_types=["home-general-residential", "home-care"])
    page = signed_in.get(reverse("match", args=[run.pk])).content.decode()
    assert "Fir Grove" in page
    assert "Packages of care" in page
    patient = factories.PatientFactory(organization=referrer.organization)
    sent = {"patient": patient.pk, "urgency": "routine", "reason": "", "consent": "on", "pools": [bed.pk, package.pk]}
    referral = Referral.objects.get(pk=signed_in.post(reverse("send", args=[run.pk]), sent)["Location"].split("/")[2])
    assert {task.pool_id for task in referral.tasks.all()} == {bed.pk, package.pk}
    assert referral.package is None, "any of these will do: one referral, and the first yes settles it"
