"""Teams, hubs, pathways, and what one organisation lets another see."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from flow.models import Grant, Hub, Pathway, PathwayVersion, SharingAgreement, Team
from tests.factories import OrganizationFactory, UserFactory


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team
        skip_postgeneration_save = True

    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    name = factory.Sequence(lambda n: f"Team {n}")
    created_at = factory.LazyFunction(timezone.now)

    class Params:
        private = factory.Trait(keeps_to_itself=True)

    @factory.post_generation
    def people(self, create, extracted, **kwargs):
        if create and extracted:
            self.members.set(extracted)


class AgreementFactory(DjangoModelFactory):
    """In force since yesterday and for a year."""

    class Meta:
        model = SharingAgreement

    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    with_organization = factory.SubFactory(OrganizationFactory, charity=True)
    purpose = "shared-care"
    legal_basis = "direct-care"
    reference = "ISA-2026-001"
    starts_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=1))
    ends_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=365))
    created_at = factory.LazyFunction(timezone.now)


class GrantFactory(DjangoModelFactory):
    """Of a person's record, unless a referral is given."""

    class Meta:
        model = Grant

    agreement = factory.SubFactory(AgreementFactory)
    organization = factory.SelfAttribute("agreement.organization")
    to_organization = factory.SelfAttribute("agreement.with_organization")
    purpose = factory.SelfAttribute("agreement.purpose")
    starts_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    ends_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
    created_at = factory.LazyFunction(timezone.now)


class HubFactory(DjangoModelFactory):
    """With one person who works there: `hub.team.members`."""

    class Meta:
        model = Hub
        skip_postgeneration_save = True

    organization = factory.SubFactory(OrganizationFactory)
    team = factory.SubFactory(TeamFactory, organization=factory.SelfAttribute("..organization"))
    name = factory.Sequence(lambda n: f"Hub {n}")
    created_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def staff(self, create, extracted, **kwargs):
        if create:
            self.team.members.set(extracted or [UserFactory(organization=self.organization)])


class PathwayFactory(DjangoModelFactory):
    """In use, with one question that is shown before acceptance and one after."""

    class Meta:
        model = Pathway
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"pathway-{n}")
    name = factory.Sequence(lambda n: f"Pathway {n}")
    for_whom = "People who live with cancer"
    created_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def version(self, create, extracted, **kwargs):
        if create:
            PathwayVersion.objects.create(
                pathway=self, number=1, created_at=self.created_at, published_at=self.created_at, **(extracted or {})
            )
