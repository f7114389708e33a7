"""The curator's pages: imports, and what of them could not be used."""

import re

import pytest
from django.urls import reverse

from catalogue.models import ImportReject, ImportRun
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
def test_other_roles_may_not_curate(client, request, run, role):
    client.force_login(request.getfixturevalue(role))
    for address in (reverse("imports"), reverse("import-run", args=[run.pk])):
        assert client.get(address).status_code == 403


def test_an_import_that_is_not_there_is_not_found(desk, service):
    assert desk.get(reverse("import-run", args=[service.pk])).status_code == 404
