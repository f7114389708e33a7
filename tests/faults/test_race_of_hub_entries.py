"""Many people of a hub take the same entry at once: one has it, and each other is told."""

from collections import Counter

import pytest
from django.utils import timezone

from flow.hubs import operations
from flow.models import HubEntry, HubStep
from tests.factories import NeedProfileFactory, PatientFactory, UserFactory
from tests.factories.sharing import AgreementFactory, HubFactory
from tests.faults.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_six_who_take_an_entry_one_gets_it() -> None:
    sender = UserFactory()
    hub = HubFactory()
    AgreementFactory(organization=sender.organization, with_organization=hub.organization, purpose="triage")
    people = UserFactory.create_batch(6, organization=hub.organization)
    hub.team.members.set(people)
    at = timezone.now()
    entry = operations.send(
        patient_id=PatientFactory(organization=sender.organization).pk,
        profile_id=NeedProfileFactory(organization=sender.organization).pk,
        hub_id=hub.pk,
        consent=True,
        by=sender,
        at=at,
    )
    results = race(*[lambda who=who: operations.take(entry_id=entry.pk, by=who, at=at) for who in people])
    assert Counter(result if isinstance(result, str) else "mine" for result in results) == {"mine": 1, "taken": 5}
    winner = next(who for who, result in zip(people, results, strict=True) if not isinstance(result, str))
    assert HubEntry.objects.get().assigned_to == winner
    assert HubStep.objects.filter(entry=entry, action="take").count() == 1
