"""The journal of what was published: kept by the database itself, whoever writes, and never saying that a secret exists."""

import itertools

import pytest

from catalogue.models import PublicationChange, Service
from tests.factories import OrganizationFactory, ServiceFactory

pytestmark = pytest.mark.django_db


def test_the_triggers_and_the_queryset_agree_on_what_is_public():
    hiding = {"status": ["active", "inactive"], "is_confidential": [False, True], "is_internal": [False, True]}
    master = ServiceFactory()
    for secret, merged in itertools.product([False, True], [None, master]):
        organization = OrganizationFactory(is_confidential=secret)
        for values in itertools.product(*hiding.values()):
            ServiceFactory(organization=organization, merged_into=merged, **dict(zip(hiding, values, strict=True)))
    told = set(PublicationChange.objects.filter(is_public=True).values_list("pk", flat=True))
    assert told == set(Service.objects.public().values_list("pk", flat=True))
    assert len(told) == 2
    assert not PublicationChange.objects.filter(is_public=False).exists()
