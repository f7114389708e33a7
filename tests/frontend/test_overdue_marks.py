"""A record that nobody has checked in time says so wherever it is shown; its provider mends that by one press."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Service
from matching.operations import match
from tests import factories

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user, backend=BACKEND)
    return client


@pytest.mark.req("R127")
@pytest.mark.parametrize("days", [0, 92, 93, None])
def test_overdue_is_marked_where_a_professional_or_the_public_meets_the_record(referrer, days):
    factories.OutcodeFactory()
    pool = factories.PoolFactory()
    today = timezone.localdate()
    checked = None if days is None else today - timedelta(days=days)
    Service.objects.filter(pk=pool.service_id).update(assured_date=checked)
    profile = factories.NeedProfileFactory(organization=referrer.organization)
    run = match(profile, by=referrer, at=timezone.now())
    late = days is None or days > 92
    pages = {
        reverse("directory"): "overdue",
        reverse("service", args=[pool.service_id]): "overdue",
        reverse("match", args=[run.pk]): "overdue",
        f"{reverse('send', args=[run.pk])}?pools={pool.pk}": "overdue",
    }
    for address, words in pages.items():
        shown = browser(referrer).get(address)
        assert shown.status_code == 200
        assert (words in shown.content.decode()) == late, address
    for address in (reverse("api-services"), reverse("api-service", args=[pool.service_id])):
        answer = browser(referrer).get(address).json()
        row = answer["results"][0] if "results" in answer else answer
        due = None if checked is None else (checked + timedelta(days=92)).isoformat()
        assert (row["assurance_due"], row["assurance_overdue"]) == (due, late)


@pytest.mark.req("R056")
def test_a_provider_says_on_its_own_places_that_the_entry_is_right(provider):
    pool = factories.PoolFactory(service__organization=provider.organization)
    client = browser(provider)
    assert "Check is overdue" in client.get(reverse("places")).content.decode()
    answer = client.post(reverse("service-correct", args=[pool.service_id]), follow=True)
    assert "marked as checked today" in answer.content.decode()
    assert "Check is overdue" not in answer.content.decode()
    service = Service.objects.get()
    assert (service.assured_date, service.assured_by) == (timezone.localdate(), provider.organization.name)


def test_nobody_says_it_of_anothers_service(provider, referrer):
    pool = factories.PoolFactory()
    for user in (provider, referrer, None):
        browser(user).post(reverse("service-correct", args=[pool.service_id]))
    assert Service.objects.get(pk=pool.service_id).assured_date is None
