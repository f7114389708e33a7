"""One directory for a place: collected once, from wherever it is kept, and the same for everybody who reads it."""

import csv
import json
from datetime import date, time
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.importers.source import run_source
from catalogue.models import (
    Address,
    Contact,
    CostOption,
    MistakeReport,
    Phone,
    QualityMark,
    Schedule,
    Service,
    ServiceAtLocation,
    Source,
)
from catalogue.operations import edit_service
from tests.factories import (
    CriterionFactory,
    EligibilityFactory,
    LocationFactory,
    PoolFactory,
    PostcodeFactory,
    ServiceFactory,
    UserFactory,
    term,
)

from .publisher import publishing, service
from .test_source_kinds import sheet

pytestmark = pytest.mark.django_db


def page(path: str, who: Client | None = None, **asked: object) -> str:
    answer = (who or Client()).get(path, asked)
    assert answer.status_code == 200
    return answer.content.decode()


def group(name: str, care: str = "befriending", *, kind: str = "charity", **values: object) -> Service:
    """A service that meets in Preston on Tuesdays, with a number to ring."""
    made = ServiceFactory(name=name, care_type=term("care-type", care), organization__kind=kind, **values)
    place = LocationFactory(name=f"{name} hall")
    Address.objects.create(location=place, address_1="1 Church Street", city="Preston", postal_code="PR1 2HE")
    ServiceAtLocation.objects.create(service=made, location=place)
    Phone.objects.create(service=made, number="01772 000001")
    Schedule.objects.create(service=made, byday="TU", opens_at=time(10), closes_at=time(12))
    return made


def found(who: Client | None = None, **asked: object) -> list[str]:
    """Names in the file of a search of the directory."""
    answer = (who or Client()).get(reverse("directory-csv"), asked)
    lines = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return sorted(row["Name"] for row in csv.DictReader(StringIO(lines.lstrip("\ufeff"))))


@pytest.mark.req("R057")
@pytest.mark.req("R058")
def test_a_feed_a_static_list_and_entries_of_our_own_are_one_directory(tmp_path, client):
    """R058: each record says which of them it came from."""
    with publishing() as publisher:
        publisher.services = [service(1, name="Talk from a feed")]
        feed = Source.objects.create(name="County feed", kind="oruk-3", url=publisher.address, allow_private=True, licence="OGL")
        run_source(feed)
    kept = Source.objects.create(name="Link workers' list", kind=Source.Kind.SPREADSHEET)
    run_source(kept, path=sheet(tmp_path / "list.xlsx", ("Preston Neighbours", "Talk from a list", "PR1 2HE", "Mon", "", "", "", "", "")))
    own = group("Talk of our own")
    assert found(q="talk") == ["Talk from a feed", "Talk from a list", "Talk of our own"]
    origins = {"Talk from a feed": "County feed, OGL", "Talk from a list": "Link workers&#39; list", "Talk of our own": ""}
    for name, origin in origins.items():
        html = page(reverse("service", args=[Service.objects.get(name=name).pk]))
        assert (origin in html) if origin else ("Where this comes from" not in html), name
    assert own.source == ""


@pytest.mark.req("R099")
@pytest.mark.req("R133")
def test_what_is_changed_once_is_changed_wherever_it_is_read(client):
    """R133: whoever shows the directory reads the one record, and may ask what changed since it did."""
    one = group("Tea and Talk")
    reader = Client()
    since = timezone.now().isoformat().replace("+00:00", "Z")
    curator = Client()
    curator.force_login(UserFactory(curator=True))
    Phone.objects.filter(service=one).update(number="01772 999999")
    one.name = "Tea, Talk and Toast"
    one.save()
    everywhere = {
        path: page(path)
        for path in (
            reverse("service", args=[one.pk]),
            f"/api/oruk/v3/services/{one.pk}",
            f"/api/oruk/v1/services/{one.pk}",
        )
    }
    everywhere["what changed since"] = json.dumps(reader.get("/api/oruk/v3/services", {"modified_after": since, "full": "true"}).json())
    everywhere["professionals' page"] = page(reverse("service", args=[one.pk]), curator)
    for where, text in everywhere.items():
        assert "Tea, Talk and Toast" in text, where
        assert "01772 999999" in text, where
    assert found(q="toast") == ["Tea, Talk and Toast"]
    assert "Toast" in page(reverse("service-calendar", args=[one.pk]))
    assert Service.objects.count() == 1


@pytest.mark.req("R102")
@pytest.mark.req("R092")
def test_the_public_and_professionals_read_one_record_and_professionals_read_more_of_it(client):
    one = group("Fir Grove", "home-general-nursing", kind="provider", description="A quiet house.", price_week="950")
    EligibilityFactory(service=one, minimum_age=60)
    CriterionFactory(service=one, term=term("need", "dementia"), rule="required")
    CostOption.objects.create(service=one, option="Respite", amount=120)
    QualityMark.objects.create(service=one, scheme="qismet", name="Self-management", awarded_on=date(2026, 3, 1))
    Contact.objects.create(service=one, title="Admissions desk", email="desk@example.org", is_public=True)
    PoolFactory(service=one, name="Quiet wing", shown_to_public=False)
    ServiceFactory(name="Fir Grove staff advice", is_internal=True)
    nurse = Client()
    nurse.force_login(UserFactory())
    address = reverse("service", args=[one.pk])
    public, professional = page(address), page(address, nurse)
    for said in (
        "A quiet house.", "Only takes people with these needs: dementia", "Ages 60 and over",
        "Respite", "£120", "Self-management", "1 March 2026",
        "Admissions desk", "Tuesday", "01772 000001", "1 Church Street",
    ):  # fmt: skip
        assert said in public, said
        assert said in professional, said
    assert "Quiet wing" not in public
    assert "Quiet wing" in professional
    assert found(q="fir grove") == ["Fir Grove"]
    assert found(nurse, q="fir grove") == ["Fir Grove", "Fir Grove staff advice"]


@pytest.mark.req("R074")
@pytest.mark.req("R123")
@pytest.mark.req("R144")
def test_health_council_clubs_groups_activities_and_events_are_found_together(client):
    PostcodeFactory()
    kinds = {
        "District nurses": ("community-nursing", "nhs-community"),
        "Surgery health checks": ("outpatient", "practice"),
        "Council housing desk": ("housing-advice", "council"),
        "Bowls club": ("physical-activity", "charity"),
        "Lonely no more": ("befriending", "charity"),
        "Painting on Tuesdays": ("arts-and-nature", "charity"),
        "Larkgarth House": ("home-general-residential", "provider"),
    }
    for name, (care, kind) in kinds.items():
        group(name, care, kind=kind, email=f"{name.split()[0].lower()}@example.org")
    assert found(where="PR1 2HE", miles="2") == sorted(kinds)
    diary = page(reverse("diary"), where="PR1 2HE")
    for club in ("Bowls club", "Lonely no more", "Painting on Tuesdays"):
        assert club in diary
    told = page(reverse("service", args=[Service.objects.get(name="Bowls club").pk]))
    for contact in ('href="tel:01772000001"', 'href="mailto:bowls@example.org"', "1 Church Street"):
        assert contact in told


@pytest.mark.req("R041")
@pytest.mark.req("R158")
@pytest.mark.parametrize(
    ("care", "words"),
    [
        ("welfare-benefits", ("benefits", "PIP")),
        ("debt-advice", ("debt", "bills")),
        ("sensory-loss", ("sight loss", "hearing loss")),
        ("poverty-crisis", ("food bank", "fuel")),
        ("equipment", ("aids", "adaptations")),
        ("arts-and-nature", ("arts", "cinema", "film", "singing", "choir", "painting")),
        ("physical-activity", ("exercise", "physical activity", "dancing")),
    ],
)
def test_what_somebody_needs_is_found_in_their_own_words(care, words):
    """None of these words stands in the record: its kind answers to them."""
    group("Ribble House", care)
    group("Another", "home-general-residential")
    for word in words:
        assert found(q=word) == ["Ribble House"], word


@pytest.mark.req("R177")
def test_a_wellbeing_platform_is_a_service_with_a_link_and_a_dated_review(client):
    app = ServiceFactory(
        name="Calm Minds", care_type=term("care-type", "digital-service"), url="https://calm.example.org/", description="Sleep and worry."
    )
    ServiceAtLocation.objects.create(service=app, location=LocationFactory(location_type="virtual", point=None))
    CriterionFactory(service=app, term=term("need", "anxiety-depression"))
    CriterionFactory(service=app, term=term("referral-source", "self"))
    QualityMark.objects.create(
        service=app,
        scheme="app-review",
        name="Independent review",
        score="4.2",
        out_of=5,
        awarded_on=date(2026, 9, 1),
        url="https://r.example.org/",
    )
    group("Talking group")
    assert found(q="app") == ["Calm Minds"]
    assert found(online="only", need="anxiety-depression") == ["Calm Minds"]
    html = page(reverse("service", args=[app.pk]))
    assert 'href="https://calm.example.org/"' in html
    assert "4.2 of 5" in html
    assert "1 September 2026" in html
    published = Client().get(f"/api/oruk/v3/services/{app.pk}").json()
    assert "4.2 of 5, 1 September 2026" in published["accreditations"]
    assert published["url"] == "https://calm.example.org/"


@pytest.mark.req("R108")
def test_a_citizen_says_what_is_wrong_and_the_keeper_mends_it_for_everybody(client):
    """R108: citizen, local government and provider work on the same record, on line."""
    one = group("Tea and Talk", kind="council")
    citizen, provider = Client(), UserFactory(provider=True, organization=one.organization)
    answer = citizen.post(reverse("service", args=[one.pk]), {"what": "phone", "words": "The number is wrong.", "reply_to": ""})
    assert answer.status_code == 302
    assert MistakeReport.objects.get().status == "open"
    desk = Client()
    desk.force_login(UserFactory(curator=True))
    assert "The number is wrong." in page(reverse("assurance-queue"), desk, show="mistakes")
    edit_service(service_id=one.pk, by=provider, at=timezone.now(), description="Ring after ten.")
    desk.post(f"{reverse('assurance-queue')}?show=mistakes", {"mended": MistakeReport.objects.get().pk})
    assert MistakeReport.objects.get().status == "mended"
    assert "Ring after ten." in page(reverse("service", args=[one.pk]), citizen)


@pytest.mark.req("R205")
@pytest.mark.req("R211")
def test_each_finds_what_they_can_get_to_and_reads_it_in_their_own_way(client):
    step_free, at_home, on_line = group("Step-free"), group("Comes to you"), group("On the web")
    CriterionFactory(service=step_free, term=term("need", "wheelchair"))
    CriterionFactory(service=step_free, term=term("language", "bfi"))
    CriterionFactory(service=at_home, term=term("need", "home-visit"))
    ServiceAtLocation.objects.filter(service=on_line).update(location=LocationFactory(location_type="virtual", point=None))
    assert found(access="wheelchair") == ["Step-free"]
    assert found(access="home-visit") == ["Comes to you"]
    assert found(language="bfi") == ["Step-free"]
    assert found(online="only") == ["On the web"]
    assert found(q="housebound") == ["Comes to you"]
    large = page(reverse("directory"), access="wheelchair", print="large")
    assert "lune-large" in large
    assert "access=wheelchair" in large
    html = page(reverse("service", args=[step_free.pk]), print="large")
    assert '<html lang="en"' in html
    assert "lune-large" in html
    assert "Wheelchair access".lower() in html.lower()
    assert 'href="tel:01772000001"' in html
    calendar = page(reverse("service-calendar", args=[step_free.pk]))
    assert "BEGIN:VEVENT" in calendar


def test_from_the_directory_a_professional_reaches_the_form_to_refer_somebody(client):
    one = group("Tea and Talk")
    PoolFactory(service=one, name="Places")
    address, refer = reverse("service", args=[one.pk]), f"{reverse('find')}?care=befriending"
    nurse, home = Client(), Client()
    nurse.force_login(UserFactory())
    home.force_login(UserFactory(provider=True))
    assert f'href="{refer}"' in page(address, nurse)
    assert refer not in page(address)
    assert refer not in page(address, home)
    assert 'value="befriending" checked' in page(refer, nurse)
