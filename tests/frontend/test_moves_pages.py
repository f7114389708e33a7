"""The screens of lists in order, of whose move it is, of what has changed, and of process rules."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

import matching.operations
from catalogue.models import User
from flow.models import ProcessRule, Referral
from tests.factories import EligibilityFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(client) -> User:
    user = UserFactory()
    client.force_login(user)
    return user


def test_the_order_is_changed_with_buttons_and_nothing_typed_is_lost(client, sender):
    pools = PoolFactory.create_batch(3)
    person = PatientFactory(organization=sender.organization)
    need = NeedProfileFactory(organization=sender.organization)
    run = matching.operations.match(need, by=sender, at=timezone.now())
    typed = {
        "pools": [pool.pk for pool in pools], "patient": person.pk, "urgency": "urgent", "reason": "Falls", "consent": "on", "how": "order",
        "answer_hours": "3",
    }  # fmt: skip
    moved = client.post(reverse("send", args=[run.pk]), typed | {"move": f"{pools[2].pk}:up"})
    assert moved.status_code == 200
    page = moved.content.decode()
    assert "Falls" in page
    assert not Referral.objects.exists()
    assert page.index(str(pools[2].pk)) < page.index(str(pools[1].pk))
    sent = client.post(reverse("send", args=[run.pk]), typed)
    referral = Referral.objects.get()
    assert sent.url == reverse("referral", args=[referral.pk])
    assert (referral.in_order, referral.answer_within, referral.tasks.get().pool) == (True, 180, pools[0])
    page = client.get(sent.url).content.decode()
    assert f"{pools[0].service.name} is to answer." in page
    entry = referral.queue.get(pool=pools[2])
    client.post(reverse("referral-list", args=[referral.pk]), {"act": f"up:{entry.pk}"})
    client.post(reverse("referral-list", args=[referral.pk]), {"act": "next"})
    assert set(referral.tasks.values_list("pool", flat=True)) == {pools[0].pk, pools[2].pk}
    answer = client.post(reverse("referral-list", args=[referral.pk]), {"act": "close", "reason": ""}, follow=True)
    assert "Say in a few words why nothing more is needed" in answer.content.decode()


def test_a_provider_reads_what_has_changed_and_ticks_before_a_yes(client, sender):
    pool = PoolFactory()
    task = send(sender, [pool]).tasks.get()
    client.force_login(provider_of(pool))
    EligibilityFactory(service=pool.service, minimum_age=18, maximum_age=30)
    page = client.get(reverse("task", args=[task.pk])).content.decode()
    assert "you no longer take people like this" in page
    step = reverse("task-step", args=[task.pk, "accept"])
    assert "we can help even so" in client.get(step).content.decode()
    assert client.post(step, {"version": task.version}).status_code == 409
    assert client.post(step, {"version": task.version, "even_so": "on"}).status_code == 302
    task.refresh_from_db()
    assert task.status == "accepted"


@pytest.mark.req("R026")
def test_a_manager_writes_a_rule_sees_what_it_would_have_done_and_switches_it_on(client, sender):
    referral = send(sender, [PoolFactory()], at=timezone.now() - timedelta(days=2))
    client.force_login(UserFactory(manager=True, organization=sender.organization))
    typed = {"name": "Late", "trigger": "overdue", "after": "2", "unit": "hours", "action": "escalate", "reason": "People wait"}
    assert client.post(reverse("rule-new"), typed | {"reason": ""}).status_code == 422
    made = client.post(reverse("rule-new"), typed)
    rule = ProcessRule.objects.get()
    page = client.get(made.url).content.decode()
    assert f"Referral {str(referral.pk)[:8]}" in page
    assert "It would have acted <strong>1 time</strong>" in page
    assert referral.patient.family_name not in page
    version = rule.versions.get()
    assert "Say in up to 300 letters why" in client.post(made.url, {"on": version.pk, "reason": ""}).content.decode()
    client.post(made.url, {"on": version.pk, "reason": "Agreed"})
    client.post(made.url, typed | {"write": "1", "after": "3"})
    rule.refresh_from_db()
    assert (rule.live, rule.versions.count()) == (version, 2)
    client.post(made.url, {"off": "1", "reason": "Enough"})
    rule.refresh_from_db()
    assert rule.live is None
    assert "Late" in client.get(reverse("rules")).content.decode()
