"""Services for the open catalogue: one that says everything there is to say, and all the ways of not being public."""

from datetime import date, time
from typing import Any

from django.contrib.gis.geos import MultiPolygon
from django.test import Client

from catalogue.models import (
    Address,
    Attachment,
    Contact,
    CostOption,
    Phone,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    ScheduleException,
    Service,
    ServiceArea,
    ServiceAtLocation,
    Source,
    TaxonomyTerm,
)
from catalogue.models.eligibility import Eligibility, EligibilityCriterion
from core.clock import now
from tests.factories import (
    AreaFactory,
    CriterionFactory,
    EligibilityFactory,
    LocationFactory,
    OrganizationFactory,
    PoolFactory,
    ServiceFactory,
    near,
    term,
)

BASE = "/api/oruk/v3"
SECRET = "Larkspur"


def get(path: str, **parameters: Any) -> Any:
    """The JSON of an answer that must be good."""
    answer = Client().get(f"{BASE}{path}", parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(path: str = "/services", **parameters: Any) -> list[str]:
    """Names of the services found."""
    return sorted(document["name"] for document in get(path, **parameters)["contents"])


def rich_service(name: str = "Fir Grove") -> Service:
    """A service of which everything is said."""
    source, _ = Source.objects.get_or_create(
        name="Grove feed",
        defaults={
            "kind": Source.Kind.ORUK_3,
            "licence": "Open Government Licence 3.0",
            "licence_url": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "attribution": "Contains data of Grove",
        },
    )
    organization = OrganizationFactory(
        name="Grove Homes", description="", email="post@example.org", website="https://grove.example.org/é", ods_code=f"Q{name[:6]}",
        cqc_provider_id=f"1-{name[:10]}", company_number="01234567", charity_number="1234567",
    )  # fmt: skip
    service = ServiceFactory(
        name=name, alternate_name="The Grove", organization=organization, description="A quiet house with <b>gardens</b> & a cat.\n",
        url="https://grove.example.org/home?q=a b", email="home@example.org", catchment_m=8_047, price_week="950.50", cqc_rating=3,
        cqc_rated_on=date(2026, 1, 5), registered_places=30, assured_date=date(2026, 11, 1), assured_by="Grove Homes", source=source.name,
        source_id="A-7",
    )  # fmt: skip
    gardening = term("need", "gardening")
    odd, _ = TaxonomyTerm.objects.get_or_create(
        taxonomy=gardening.taxonomy, code="odd", defaults={"name": "Odd term", "term_uri": "not a uri", "parent": gardening}
    )
    service.taxonomy_terms.add(gardening, odd)
    EligibilityFactory(service=service, minimum_age=60, maximum_age=99, sex=Eligibility.Sex.FEMALE, notes="Ring first")
    for slug, code, rule in (
        ("need", "dementia", "required"), ("need", "smoking", "excluded"), ("need", "wheelchair", "accepts"),
        ("need", "veteran", "preferred"),
        ("funding", "council", "accepts"), ("language", "pl", "accepts"), ("referral-source", "hospital", "accepts"),
    ):  # fmt: skip
        CriterionFactory(service=service, term=term(slug, code), rule=EligibilityCriterion.Rule(rule))
    RegistrationCriterion.objects.create(service=service, kind="pcn", code="U12345", name="Ribble Network")
    location = LocationFactory(name="Grove House", uprn="100012345678")
    Address.objects.create(location=location, address_1="1 Moor Lane", address_2="Avenham", city="Preston", postal_code="PR1 2HE")
    ServiceAtLocation.objects.create(service=service, location=LocationFactory(name="", point=None, location_type="virtual"))
    PoolFactory(service=service, location=location, name="Nursing beds")
    Phone.objects.create(service=service, number="01632 960000", description="Day and night")
    Contact.objects.create(service=service, title="Referrals desk", email="desk@example.org", is_public=True)
    Contact.objects.create(service=service, name="Canary Contact", email="canary@example.org", is_public=False)
    CostOption.objects.create(service=service, option="Respite", amount=120, amount_description="a night")
    CostOption.objects.create(service=service, option="Trial day", amount=0)
    Schedule.objects.create(service=service, byday="MO,TU,WE,TH,FR", opens_at=time(9), closes_at=time(17), valid_from=date(2026, 1, 1))
    Schedule.objects.create(service=service, byday="SA,SU", opens_at=time(0), closes_at=time(0), term=Schedule.Term.TERM_TIME)
    Schedule.objects.create(
        service=service, freq="MONTHLY", byday="2TU", opens_at=time(19), dtstart=date(2026, 1, 13), description="Carers"
    )
    ScheduleException.objects.create(service=service, starts_on=date(2026, 12, 25), ends_on=date(2026, 12, 26), reason="Christmas")
    ScheduleException.objects.create(
        service=service, starts_on=date(2026, 12, 31), ends_on=date(2026, 12, 31), opens_at=time(9), closes_at=time(12)
    )
    ServiceArea.objects.create(service=service, area=AreaFactory(name="Preston"))
    ServiceArea.objects.create(service=service, area=AreaFactory(name="Leyland"), rule=ServiceArea.Rule.EXCLUDED)
    ServiceArea.objects.create(service=service, name="Our streets", extent=MultiPolygon(near().buffer(3_000, quadsegs=1), srid=27700))
    ServiceArea.objects.create(service=service, name="Wherever a bus goes", uri="www.example.org")
    QualityMark.objects.create(
        service=service, scheme="qismet", name="Self-management", awarded_on=date(2025, 3, 1), url="https://example.org"
    )
    QualityMark.objects.create(organization=organization, scheme="other", name="Investors in People", score="4.5", out_of=5)
    QualityMark.objects.create(service=service, scheme="ncvo", name="Lapsed mark", expires_on=date(2020, 1, 1))
    at = now()
    for title, kind, content_type, shown in (
        ("The garden", "photo", "image/jpeg", True), ("Price list", "document", "application/pdf", True),
        ("Canary photo", "photo", "image/jpeg", False),
    ):  # fmt: skip
        Attachment.objects.create(
            service=service,
            kind=kind,
            title=title,
            file=f"attachments/{title}",
            content_type=content_type,
            size=1,
            is_shown=shown,
            added_at=at,
        )
    service.partners.add(OrganizationFactory(name="Ribble Carers"), OrganizationFactory(name="Canary partner", is_confidential=True))
    QualityMark.objects.create(
        service=service, scheme="app-review", name="Review by a library of apps", score="82", out_of=100, awarded_on=date(2026, 2, 1)
    )
    return service


def poor_service() -> Service:
    """A service that says nothing but its name."""
    return ServiceFactory(name="Bare", care_type=None)


def hidden_services() -> list[Service]:
    """One service for each way of not being public, all with the same word in everything that they say."""

    def secret(**values: Any) -> Service:
        place = LocationFactory(name=f"{SECRET} House")
        Address.objects.create(location=place, address_1=f"7 {SECRET} Lane", city=f"{SECRET}ville", postal_code="PR1 7QQ")
        organization = values.pop("organization", None) or OrganizationFactory(name=f"{SECRET} Trust")
        service = ServiceFactory(name=f"{SECRET} refuge", description=SECRET, organization=organization, **values)
        EligibilityFactory(service=service, minimum_age=18, maximum_age=60)
        Schedule.objects.create(service=service, byday="MO", opens_at=time(9), closes_at=time(17))
        PoolFactory(service=service, location=place, name=f"{SECRET} beds")
        return service

    return [
        secret(is_confidential=True),
        secret(is_internal=True),
        secret(status=Service.Status.INACTIVE),
        secret(status=Service.Status.DEFUNCT),
        secret(status=Service.Status.TEMPORARILY_CLOSED),
        secret(merged_into=ServiceFactory(name="Kept")),
        secret(organization=OrganizationFactory(name=f"{SECRET} Trust", is_confidential=True)),
    ]  # fmt: skip
