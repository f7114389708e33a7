"""The operator sets how long figures are believed; nobody else does."""

from datetime import timedelta

import pytest
from django.urls import reverse

from capacity.models import FreshnessPolicy
from capacity.queries import pool_states
from tests.factories import PoolFactory, UserFactory

pytestmark = pytest.mark.django_db
HOLDS = {"hold_for": "4:00:00", "hold_extension": "2:00:00", "holds_per_person": 2, "holds_per_team": 5}


def test_an_operator_changes_a_policy_and_the_colour_follows(client, administrator):
    pool = PoolFactory()
    at = pool.reported_at + timedelta(hours=2)
    assert pool_states([pool.pk], at)[pool.pk].rag == "green"
    client.force_login(administrator)
    address = reverse("admin:capacity_freshnesspolicy_change", args=[pool.care_type_id])
    answer = client.post(address, {"care_type": pool.care_type_id, "fresh_for": "1:00:00", "expires_after": "3:00:00", **HOLDS})
    assert answer.status_code == 302
    assert FreshnessPolicy.objects.get(pk=pool.care_type_id).fresh_for == timedelta(hours=1)
    assert pool_states([pool.pk], at)[pool.pk].rag == "amber"


def test_a_policy_that_expires_before_it_ages_is_refused_in_words(client, administrator):
    pool = PoolFactory()
    client.force_login(administrator)
    address = reverse("admin:capacity_freshnesspolicy_change", args=[pool.care_type_id])
    answer = client.post(address, {"care_type": pool.care_type_id, "fresh_for": "3:00:00", "expires_after": "1:00:00"})
    assert "must stop being believed later" in answer.content.decode()


def test_others_cannot_open_it(client):
    client.force_login(UserFactory(manager=True))
    assert client.get(reverse("admin:capacity_freshnesspolicy_changelist")).status_code == 302
