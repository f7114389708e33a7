"""What a provider was asked, and its answers. Until it says yes, no page of it names a person."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

import capacity.operations as places
from capacity.queries import pool_states
from core.models import AuditEntry
from flow import operations
from flow.queries import anonymised
from flow.workflow import STEPS, Side, Status
from frontend.presenters import inbox as present
from frontend.views.inbox import VERBS
from tests import factories

pytestmark = pytest.mark.django_db

#: The factories' person; see tests/factories.
NAME, REASON, NUMBER = "Featherstonehaugh", "Canary reason text", "9990000018"


@pytest.fixture
def pool(provider):
    return factories.PoolFactory(service__organization=provider.organization, service__name="Fir Grove", name="Nursing beds")


@pytest.fixture
def task(pool):
    """Asked an hour ago by a hospital; an answer is due in an hour."""
    at = timezone.now()
    return factories.ReferralTaskFactory(
        pool=pool,
        referral__patient__nhs_number=NUMBER,
        referral__urgency="urgent",
        referral__profile__needs=["dementia"],
        requested_at=at - timedelta(hours=1),
        respond_by=at + timedelta(minutes=61),
    )


@pytest.fixture
def desk(client, provider):
    client.force_login(provider)
    return client


def press(client, task, action, **values):
    return client.post(reverse("task-step", args=[task.pk, action]), {"version": task.version, **values})


def taken_on(task, provider):
    operations.accept(task_id=task.pk, by=provider, at=timezone.now())
    task.refresh_from_db()
    return task


def test_the_list_says_what_is_needed_and_when_to_answer(desk, task):
    html = desk.get(reverse("inbox")).content.decode()
    assert "New – please respond" in html
    assert "Urgent" in html
    assert "80–84, near PR1" in html
    assert "Dementia" in html
    assert "Please answer within 1 hour." in html
    assert f'data-live-topics="org:{task.provider_id}"' in html


def test_nothing_names_the_person_before_a_yes(desk, task):
    pages = [
        reverse("inbox"),
        reverse("task", args=[task.pk]),
        reverse("task-step", args=[task.pk, "decline"]),
    ]
    for address in pages:
        html = desk.get(address).content.decode()
        for secret in (NAME, "Canary", NUMBER, "999 000 0018", REASON, "PR1 2HE", str(task.referral.patient_id)):
            assert secret not in html, (address, secret)
    assert not AuditEntry.objects.exists()


def test_nothing_names_the_person_after_a_no(desk, task):
    press(desk, task, "decline", reason="22")
    html = desk.get(reverse("task", args=[task.pk])).content.decode() + desk.get(reverse("inbox"), {"show": "ended"}).content.decode()
    assert "We can’t take this" in html
    assert NAME not in html


@pytest.mark.req("R004")
def test_after_a_yes_the_name_the_number_and_the_reason_appear_and_the_look_is_audited(desk, task, provider, pool):
    answer = press(desk, task, "accept")
    assert answer.status_code == 302
    html = desk.get(answer.url).content.decode()
    for told in (NAME, "999 000 0018", REASON, "We’ll help", "You said yes."):
        assert told in html
    assert AuditEntry.objects.filter(user_id=provider.pk, record_id=task.referral.patient_id, action="read").count() == 1
    pool.refresh_from_db()
    assert pool.available == 2


def test_another_organisations_request_is_not_found(desk, task):
    other = factories.ReferralTaskFactory()
    for address in (reverse("task", args=[other.pk]), reverse("task-step", args=[other.pk, "decline"])):
        assert desk.get(address).status_code == 404
    assert press(desk, other, "accept").status_code == 404
    other.refresh_from_db()
    assert other.status == Status.REQUESTED


def test_a_request_that_is_not_sent_yet_is_not_found(desk, task):
    task.status = Status.DRAFT
    task.save()
    assert desk.get(reverse("task", args=[task.pk])).status_code == 404


@pytest.mark.parametrize("role", ["referrer", "manager", "curator", "administrator"])
def test_other_roles_have_no_inbox(client, request, task, role):
    client.force_login(request.getfixturevalue(role))
    assert client.get(reverse("inbox")).status_code == 403
    assert client.get(reverse("task", args=[task.pk])).status_code == 403
    assert press(client, task, "accept").status_code == 403


@pytest.mark.req("R087")
def test_somebody_not_signed_in_is_asked_to_sign_in(client, task):
    assert reverse("account_login") in client.get(reverse("task", args=[task.pk])).url


def test_a_no_needs_a_reason(desk, task):
    answer = press(desk, task, "decline")
    assert answer.status_code == 422
    assert "Choose the main reason." in answer.content.decode()
    answer = press(desk, task, "decline", reason="99")
    assert "what the other reason is" in answer.content.decode()
    task.refresh_from_db()
    assert task.status == Status.REQUESTED


def test_a_no_with_its_reason_reaches_the_team(desk, task):
    assert press(desk, task, "decline", reason="23", reason_text="We have no night nurse.").status_code == 302
    task.refresh_from_db()
    assert (task.status, task.status_reason, task.status_reason_text) == (Status.REJECTED, "23", "We have no night nurse.")


def test_a_place_that_has_gone_asks_for_the_number_first(desk, task, pool):
    """The page was opened while a place was free; the last one has gone since."""
    pool.available = 0
    pool.save()
    answer = press(desk, task, "accept")
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "no place is free at Fir Grove" in html
    assert f'href="{reverse("places")}#place-{pool.pk}"' in html
    task.refresh_from_db()
    assert task.status == Status.REQUESTED


def test_a_yes_asks_once_more_when_no_place_is_known_free(desk, task, pool):
    accept = reverse("task-step", args=[task.pk, "accept"])
    assert f'action="{accept}"' in desk.get(reverse("task", args=[task.pk])).content.decode()  # three are free: one press
    pool.available, pool.reported_at = None, None
    pool.save()
    html = desk.get(reverse("task", args=[task.pk])).content.decode()
    assert f'action="{accept}"' not in html
    assert f'href="{accept}"' in html
    assert "Nobody has told us how many places you have free" in desk.get(accept).content.decode()
    assert press(desk, task, "accept").status_code == 302
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED


def test_a_request_withdrawn_meanwhile_says_so(desk, task, pool):
    sibling = factories.ReferralTaskFactory(referral=task.referral)
    other = factories.UserFactory(provider=True, organization=sibling.provider)
    operations.accept(task_id=sibling.pk, by=other, at=timezone.now())
    answer = press(desk, task, "accept")
    assert answer.status_code == 409
    assert "Another service has said yes for this person." in answer.content.decode()
    assert NAME not in answer.content.decode()


def test_two_tabs_cannot_fight(desk, task, provider):
    old = task.version
    taken_on(task, provider)
    task.version = old
    answer = press(desk, task, "start")
    assert answer.status_code == 409
    assert "has changed since you looked" in answer.content.decode()
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["start"], Status.IN_PROGRESS),
        (["start", "pause"], Status.ON_HOLD),
        (["start", "pause", "resume"], Status.IN_PROGRESS),
        (["start", "complete"], Status.COMPLETED),
        (["start", "fail"], Status.FAILED),
        (["withdraw"], Status.CANCELLED),
    ],
)
def test_later_steps(desk, task, provider, steps, status):
    taken_on(task, provider)
    for step in steps:
        assert press(desk, task, step, reason_text="Because of a canary").status_code == 302
        task.refresh_from_db()
    assert task.status == status
    shown = desk.get(reverse("task", args=[task.pk])).content.decode()
    assert (NAME in shown) == (status != Status.CANCELLED)


@pytest.mark.parametrize("step", ["pause", "fail", "withdraw"])
def test_steps_that_disappoint_somebody_need_words(desk, task, provider, step):
    taken_on(task, provider)
    assert "Why" in desk.get(reverse("task-step", args=[task.pk, step])).content.decode()
    assert press(desk, task, step).status_code == 422
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED


def test_every_step_of_a_provider_has_its_operation_and_its_words():
    provider_steps = {step.action for step in STEPS if Side.PROVIDER in step.sides}
    assert provider_steps == set(VERBS) == set(present.DONE) == set(present.ORDER)


def test_an_unknown_step_is_not_found_and_one_not_open_now_goes_back(desk, task):
    assert desk.get(reverse("task-step", args=[task.pk, "dance"])).status_code == 404
    assert desk.get(reverse("task-step", args=[task.pk, "retract"])).status_code == 404
    answer = desk.get(reverse("task-step", args=[task.pk, "complete"]))
    assert answer.url == reverse("task", args=[task.pk])


def test_the_parts_of_the_inbox_are_in_the_address(desk, task, provider):
    taken_on(task, provider)
    assert "Nothing here now" in desk.get(reverse("inbox")).content.decode()
    html = desk.get(reverse("inbox"), {"show": "helping"}).content.decode()
    assert "We’ll help" in html
    assert "We’re helping (1)" in html
    assert NAME not in html  # a list of names would be a look at every record at once
    assert desk.get(reverse("inbox"), {"show": "everything"}).status_code == 404


def test_the_refresh_brings_the_list_alone(desk, task):
    html = desk.get(reverse("inbox"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert reverse("task", args=[task.pk]) in html


def test_an_overdue_answer_says_so(task):
    at = timezone.now()
    state = pool_states([task.pool_id], at)[task.pool_id]
    profile = anonymised(task)
    assert present.due(profile, at + timedelta(hours=5)) == "An answer is overdue."
    assert present.due(profile, at + timedelta(minutes=50)) == "Please answer within 10 minutes."
    assert present.has_place(profile, state)


def test_the_list_costs_the_same_number_of_queries_for_many_requests(desk, task, pool, django_assert_num_queries):
    address = reverse("inbox")
    desk.get(address)
    with django_assert_num_queries(9):
        desk.get(address)
    factories.ReferralTaskFactory.create_batch(4, pool=pool)
    factories.ReferralTaskFactory(pool__service=pool.service)
    with django_assert_num_queries(9):
        desk.get(address)


def test_a_new_request_for_places_of_which_none_is_to_offer_says_so(desk, task, pool, referrer):
    def said(**figures):
        type(pool).objects.filter(pk=pool.pk).update(**figures)
        found = re.search(rf'#place-{pool.pk}">([^<]+)<', desk.get(reverse("inbox")).content.decode())
        return found and found[1]

    assert said() is None
    assert said(available=0) == "0 to offer"
    assert said(available=None) is None  # nobody told: nothing to say
    assert said(available=2) is None
    for _ in range(2):
        places.hold(pool_id=pool.pk, organization=referrer.organization, by=referrer, at=timezone.now())
    assert said() == "0 to offer, 2 held"
    assert said(status="waitlist") is None
    assert said(status="no-capacity", available=3) == "You say that you take nobody now"


def test_what_waits_for_us_and_what_is_late_are_lists_of_their_own_with_their_numbers(desk, task, pool):
    """In the address, counted, and the same over the API: what is late to be answered or begun, and whatever waits for our next step."""
    at = timezone.now()
    for status, fields in {
        Status.REQUESTED: {"respond_by": at - timedelta(minutes=5)},
        Status.ACCEPTED: {"start_by": at - timedelta(days=1)},
        Status.ON_HOLD: {},
        Status.IN_PROGRESS: {"start_by": at - timedelta(days=9)},
        Status.REJECTED: {"status_reason_text": "Full", "respond_by": at - timedelta(days=9)},
    }.items():
        factories.ReferralTaskFactory(pool=pool, status=status, **fields)
    factories.ReferralTaskFactory(respond_by=at - timedelta(days=1))  # another provider's
    late = desk.get(reverse("inbox"), {"show": "late"}).content.decode()
    for words in ("New (2)", "We’re helping (3)", "Your move (4)", "Late (2)", "Ended (1)"):
        assert words in late
    assert late.count("An answer is overdue.") == late.count("Support should have begun by now.") == 1
    mine = desk.get(reverse("inbox"), {"show": "move"}).content.decode()
    for name, value, page, statuses in (
        ("move", "mine", mine, ["accepted", "on-hold", "requested", "requested"]),
        ("overdue", "true", late, ["accepted", "requested"]),
    ):
        told = desk.get(reverse("api-tasks"), {name: value}).json()["results"]
        assert sorted(line["status"] for line in told) == statuses
        assert all(reverse("task", args=[line["task"]]) in page for line in told)


def test_a_sender_lists_what_is_late_at_services_and_nothing_that_waits_for_itself(client, referrer, pool):
    at = timezone.now()
    late, soon = (
        factories.ReferralTaskFactory(pool=pool, referral__organization=referrer.organization, respond_by=at + timedelta(hours=hours))
        for hours in (-1, 1)
    )
    client.force_login(referrer)
    shown = client.get(reverse("api-tasks"), {"overdue": "true"}).json()["results"]
    assert [line["id"] for line in shown] == [str(late.pk)]
    assert str(soon.pk) in {line["id"] for line in client.get(reverse("api-tasks")).json()["results"]}
    assert client.get(reverse("api-tasks"), {"move": "mine"}).json()["results"] == []
