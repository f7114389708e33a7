"""Test data. Each factory makes the smallest valid row; traits name the special cases."""

from dataclasses import asdict
from datetime import date, timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from capacity.models import CapacityStatus, ServiceCapacity
from catalogue.models import (
    Area,
    Eligibility,
    EligibilityCriterion,
    Location,
    Organization,
    Outcode,
    Postcode,
    Service,
    ServiceAtLocation,
    TaxonomyTerm,
    User,
)
from core.geo import bng_point
from flow.models import Episode, Patient, Plan, PlanLine, Referral, ReferralTask, SelfReferral, WhatIf
from flow.workflow import Status
from matching.allocation.problem import Policy
from matching.models import NeedProfile

#: The centre of Preston, in British National Grid metres.
PRESTON = (354_000, 429_000)
PASSWORD = "correct-horse-battery"


def term(slug: str, code: str) -> TaxonomyTerm:
    """A term of the shipped vocabulary."""
    return TaxonomyTerm.objects.get(taxonomy__slug=slug, code=code)


def near(metres_east: float = 0, metres_north: float = 0):
    """A point that far from the centre of Preston."""
    return bng_point(PRESTON[0] + metres_east, PRESTON[1] + metres_north)


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organisation {n}")
    kind = Organization.Kind.PROVIDER

    class Params:
        hospital = factory.Trait(kind=Organization.Kind.HOSPITAL)
        practice = factory.Trait(kind=Organization.Kind.PRACTICE)
        icb = factory.Trait(kind=Organization.Kind.ICB)
        charity = factory.Trait(kind=Organization.Kind.CHARITY)


class UserFactory(DjangoModelFactory):
    """A referrer in a hospital, unless a trait says otherwise. The password is `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.org")
    first_name = "Test"
    last_name = factory.Sequence(lambda n: f"Person {n}")
    role = User.Role.REFERRER
    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    password = factory.django.Password(PASSWORD)

    class Params:
        provider = factory.Trait(role=User.Role.PROVIDER, organization=factory.SubFactory(OrganizationFactory))
        manager = factory.Trait(role=User.Role.MANAGER, organization=factory.SubFactory(OrganizationFactory, icb=True))
        curator = factory.Trait(role=User.Role.CURATOR, organization=factory.SubFactory(OrganizationFactory, icb=True))
        administrator = factory.Trait(role=User.Role.ADMINISTRATOR, organization=None, is_staff=True, is_superuser=True)


class OutcodeFactory(DjangoModelFactory):
    class Meta:
        model = Outcode
        django_get_or_create = ("code",)

    code = "PR1"
    town = "Preston"
    point = factory.LazyFunction(near)


class PostcodeFactory(DjangoModelFactory):
    class Meta:
        model = Postcode
        django_get_or_create = ("postcode",)

    class Params:
        at = factory.LazyFunction(near)

    postcode = "PR1 2HE"
    easting = factory.LazyAttribute(lambda row: round(row.at.x))
    northing = factory.LazyAttribute(lambda row: round(row.at.y))
    lad = "E07000123"


class AreaFactory(DjangoModelFactory):
    """A square district around Preston."""

    class Meta:
        model = Area

    code = factory.Sequence(lambda n: f"E0700{n:04d}")
    name = factory.Sequence(lambda n: f"District {n}")
    kind = Area.Kind.DISTRICT

    @factory.lazy_attribute
    def outline(self):
        from django.contrib.gis.geos import MultiPolygon

        return MultiPolygon(near().buffer(10_000, quadsegs=1), srid=27700)


class LocationFactory(DjangoModelFactory):
    class Meta:
        model = Location

    name = factory.Sequence(lambda n: f"Place {n}")
    point = factory.LazyFunction(near)


class ServiceFactory(DjangoModelFactory):
    """A general residential care home with no eligibility stated."""

    class Meta:
        model = Service

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Service {n}")
    care_type = factory.LazyFunction(lambda: term("care-type", "home-general-residential"))


class EligibilityFactory(DjangoModelFactory):
    class Meta:
        model = Eligibility

    service = factory.SubFactory(ServiceFactory)


class CriterionFactory(DjangoModelFactory):
    class Meta:
        model = EligibilityCriterion

    service = factory.SubFactory(ServiceFactory)
    term = factory.LazyFunction(lambda: term("need", "dementia"))
    rule = EligibilityCriterion.Rule.ACCEPTS


class PoolFactory(DjangoModelFactory):
    """Three of ten beds free, told a minute ago, in the middle of Preston."""

    class Meta:
        model = ServiceCapacity
        skip_postgeneration_save = True

    service = factory.SubFactory(ServiceFactory)
    location = factory.SubFactory(LocationFactory)
    care_type = factory.SelfAttribute("service.care_type")
    name = "Beds"
    unit = "bed"
    maximum = 10
    available = 3
    status = CapacityStatus.CAPACITY
    reported_at = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=1))
    reported_via = "web"

    class Params:
        full = factory.Trait(available=0)
        unknown = factory.Trait(available=None, reported_at=None, reported_via="")

    @factory.post_generation
    def at_location(self, create, extracted, **kwargs):
        if create and self.location_id:
            ServiceAtLocation.objects.get_or_create(service=self.service, location=self.location)


class PatientFactory(DjangoModelFactory):
    class Meta:
        model = Patient

    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    nhs_number = ""
    given_name = "Canary"
    family_name = factory.Sequence(lambda n: f"Featherstonehaugh{n}")
    birth_date = date(1941, 5, 17)
    postcode = "PR1 2HE"
    point = factory.LazyFunction(near)


class EpisodeFactory(DjangoModelFactory):
    class Meta:
        model = Episode

    patient = factory.SubFactory(PatientFactory)
    organization = factory.SelfAttribute("patient.organization")
    kind = Episode.Kind.HOSPITAL
    ward = "Ward 12"
    discharge_pathway = Episode.Pathway.P3
    started_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=9))
    ready_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=2))


class NeedProfileFactory(DjangoModelFactory):
    class Meta:
        model = NeedProfile

    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    age = 84
    outcode = "PR1"
    point = factory.LazyFunction(near)
    care_types = factory.LazyFunction(lambda: ["home-general-residential"])


class ReferralFactory(DjangoModelFactory):
    class Meta:
        model = Referral

    patient = factory.SubFactory(PatientFactory)
    organization = factory.SelfAttribute("patient.organization")
    profile = factory.SubFactory(NeedProfileFactory, organization=factory.SelfAttribute("..organization"))
    consent = True
    reason = "Canary reason text"


class ReferralTaskFactory(DjangoModelFactory):
    """Sent and waiting for an answer."""

    class Meta:
        model = ReferralTask

    referral = factory.SubFactory(ReferralFactory)
    pool = factory.SubFactory(PoolFactory)
    provider = factory.SelfAttribute("pool.service.organization")
    status = Status.REQUESTED
    requested_at = factory.LazyFunction(timezone.now)


class PlanFactory(DjangoModelFactory):
    """Drawn up a moment ago, with nobody in it yet."""

    class Meta:
        model = Plan

    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    at = factory.LazyFunction(timezone.now)
    status = Plan.Status.DONE
    objective = bound = 0
    policy = factory.LazyFunction(lambda: asdict(Policy()))


class WhatIfFactory(DjangoModelFactory):
    """A question of a trust's manager, of which nothing is simulated yet; its work has ended."""

    class Meta:
        model = WhatIf

    organization = factory.SubFactory(OrganizationFactory, hospital=True)
    at = factory.LazyFunction(timezone.now)
    name = "Ten beds more"
    format = 1
    asked = factory.LazyFunction(list)
    days = 30
    seeds = 2
    policies = factory.LazyFunction(lambda: ["longest"])
    total = 4
    status = WhatIf.Status.DONE


class PlanLineFactory(DjangoModelFactory):
    """A place is suggested for somebody."""

    class Meta:
        model = PlanLine

    episode = factory.SubFactory(EpisodeFactory)
    plan = factory.SubFactory(PlanFactory, organization=factory.SelfAttribute("..episode.organization"))
    profile = factory.SubFactory(NeedProfileFactory, organization=factory.SelfAttribute("..episode.organization"))
    pool = factory.SubFactory(PoolFactory)
    number = 0
    state = PlanLine.State.SUGGESTED


class SelfReferralFactory(DjangoModelFactory):
    """Somebody asked a service for themselves, and waits for an answer."""

    class Meta:
        model = SelfReferral

    service = factory.SubFactory(ServiceFactory)
    state = SelfReferral.State.RECEIVED
    given_name = "Canary"
    family_name = factory.Sequence(lambda n: f"Featherstonehaugh{n}")
    birth_date = date(1941, 5, 17)
    postcode = "PR1 2HE"
    phone = "+447700900123"
    words = "I see nobody all week."
    share_agreed_at = sent_at = created_at = changed_at = factory.LazyFunction(timezone.now)
