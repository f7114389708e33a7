"""The curator's pages: imports with what could not be used, and a service's record with its history."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Eligibility, ImportReject, ImportRun, Service
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, curator):
    client.force_login(curator)
    return client


@pytest.fixture
def run():
    """An import of 10 homes of which two could not be used, and one lost its telephone number."""
    run = ImportRun.objects.create(kind="cqc", source="homes.csv", status=ImportRun.Status.DONE, added=8, rejected=2, incomplete=1)
    ImportReject.objects.create(
        run=run, row="17", field="postcode", reason="No such postcode", advice="Correct it at the source", record={"name": "Fir Grove"}
    )
    ImportReject.objects.create(run=run, row="23", field="postcode", reason="No such postcode", advice="Correct it at the source")
    ImportReject.objects.create(run=run, row="31", field="phone", reason="Too long", advice="Shorten it", record_kept=True)
    return run


@pytest.fixture
def service():
    service = factories.ServiceFactory(name="Fir Grove", description="A quiet house.", price_week=900)
    factories.EligibilityFactory(service=service, minimum_age=65)
    return service


def save(client, service, **values):
    service.refresh_from_db()
    sent = {"seen": service.modified_at.isoformat(), "name": service.name, "description": service.description, "status": service.status}
    return client.post(reverse("service-edit", args=[service.pk]), {**sent, **values})


def test_imports_are_listed_with_how_they_went(desk, run):
    ImportRun.objects.create(kind="oruk", source="feed.json", status=ImportRun.Status.FAILED, error="The file is cut off.")
    html = desk.get(reverse("imports")).content.decode()
    for told in ("homes.csv", "Done", "feed.json", "Failed: nothing was changed", reverse("import-run", args=[run.pk])):
        assert told in html


def test_an_import_names_row_field_reason_and_what_to_do(desk, run):
    html = desk.get(reverse("import-run", args=[run.pk])).content.decode()
    for told in (
        "homes.csv",
        "No such postcode",
        "Correct it at the source",
        "17",
        "postcode",
        "Fir Grove",
        "3 examples",
        "this value",
    ):
        assert told in html, told


@pytest.mark.parametrize(
    ("search", "rows"),
    [
        ({"field": "phone"}, {"31"}),
        ({"kept": "no"}, {"17", "23"}),
        ({"q": "too long"}, {"31"}),
        ({"q": "17"}, {"17"}),
        ({"q": "zzz"}, set()),
    ],
)
def test_rejected_records_are_filtered_by_the_address(desk, run, search, rows):
    html = desk.get(reverse("import-run", args=[run.pk]), search).content.decode()
    assert set(re.findall(r'<th scope="row">(\d+)</th>', html)) == rows


def test_a_failed_import_says_why(desk):
    run = ImportRun.objects.create(kind="oruk", source="feed.json", status=ImportRun.Status.FAILED, error="The file is cut off.")
    assert "The file is cut off." in desk.get(reverse("import-run", args=[run.pk])).content.decode()


@pytest.mark.parametrize("role", ["referrer", "provider", "manager"])
def test_other_roles_may_not_curate(client, request, run, service, role):
    client.force_login(request.getfixturevalue(role))
    for address in (reverse("imports"), reverse("import-run", args=[run.pk]), reverse("service-edit", args=[service.pk])):
        assert client.get(address).status_code == 403
    assert save(client, service, name="Taken over").status_code == 403
    service.refresh_from_db()
    assert service.name == "Fir Grove"


def test_a_record_is_corrected_and_counts_as_checked(desk, service):
    answer = save(desk, service, name="Fir Grove House", price_week="950.50", status="inactive", minimum_age="60", maximum_age="99")
    assert answer.url == reverse("service-edit", args=[service.pk])
    service.refresh_from_db()
    assert (service.name, service.price_week, service.status) == ("Fir Grove House", 950.5, Service.Status.INACTIVE)
    assert service.assured_date == timezone.localdate()
    eligibility = Eligibility.objects.get(service=service)
    assert (eligibility.minimum_age, eligibility.maximum_age) == (60, 99)


def test_history_says_who_changed_what(desk, service, curator):
    save(desk, service, price_week="950", minimum_age="60")
    html = desk.get(reverse("service-edit", args=[service.pk])).content.decode()
    assert str(curator) in html
    assert "Price week: 900.00 → 950.00" in html
    assert "Minimum age: 65 → 60" in html
    assert "An import, or Lune itself" in html  # the row as it was first made


def test_a_record_that_is_right_is_marked_as_checked_and_not_changed(desk, service):
    assert desk.post(reverse("service-edit", args=[service.pk]), {"assure": "yes"}).status_code == 302
    service.refresh_from_db()
    assert service.assured_date == timezone.localdate()
    assert service.price_week == 900


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"price_week": "-1"}, "greater than or equal to 0"),
        ({"price_week": "lots"}, "Write the price in pounds"),
        ({"minimum_age": "70", "maximum_age": "60"}, "The highest age cannot be below the lowest"),
        ({"status": "asleep"}, "Select a valid choice"),
        ({"seen": "2020-01-01T00:00:00+00:00"}, "Somebody changed this record while you had it open"),
    ],
)
def test_what_cannot_be_saved_is_told_beside_the_field(desk, service, values, words):
    answer = save(desk, service, **values)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert "There is a problem" in html
    service.refresh_from_db()
    assert service.name == "Fir Grove"


def test_a_record_that_is_not_there_is_not_found(desk, service):
    assert desk.get(reverse("service-edit", args=[service.organization_id])).status_code == 404
    assert desk.get(reverse("import-run", args=[service.pk])).status_code == 404
