"""The pages of the spreadsheet: download, send back, look, apply, undo."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from catalogue.entry import batches
from catalogue.models import ProposedChange, Service, Sheet
from core.clock import now
from tests.factories import ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, provider):
    client.force_login(provider)
    return client


def send(client, data, name="services.xlsx"):
    return client.post(reverse("entry-sheet"), {"file": SimpleUploadedFile(name, data)})


def changed(client, **names):
    """The download with some services renamed."""
    book = load_workbook(io.BytesIO(client.get(reverse("entry-sheet-download")).content))
    for row in book["Services"].iter_rows(min_row=2):
        row[1].value = names.get(row[1].value, row[1].value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.req("R040")
def test_a_charity_changes_many_services_at_once(desk, provider):
    for name in ("One", "Two", "Three"):
        ServiceFactory(organization=provider.organization, name=name)
    ServiceFactory(name="Elsewhere")
    answer = send(desk, changed(desk, One="Uno", Two="Due"))
    assert answer.status_code == 302
    text = desk.get(answer.url).content.decode()
    assert "Apply all 2 good rows" in text
    assert "Elsewhere" not in text
    assert "Stays as it is" in text
    assert "Stays as it is" not in desk.get(answer.url, {"state": "changed"}).content.decode()
    one = ProposedChange.objects.get(content__name="Uno")
    assert "Tick at least one row" in desk.post(answer.url, {"action": "some"}, follow=True).content.decode()
    assert "1 service changed." in desk.post(answer.url, {"action": "some", "rows": [one.pk]}, follow=True).content.decode()
    assert "1 service changed." in desk.post(answer.url, {"action": "all"}, follow=True).content.decode()
    assert set(Service.objects.values_list("name", flat=True)) == {"Uno", "Due", "Three", "Elsewhere"}
    assert "By spreadsheet" in desk.get(reverse("entry-history", args=[one.service_id])).content.decode()
    assert "2 services put back." in desk.post(answer.url, {"action": "undo"}, follow=True).content.decode()
    assert set(Service.objects.values_list("name", flat=True)) == {"One", "Two", "Three", "Elsewhere"}


def test_how_far_it_is_is_shown_and_it_is_stopped_and_gone_on_with(desk, provider, monkeypatch):
    monkeypatch.setattr(batches, "STEP", 1)
    for name in ("One", "Two", "Three"):
        ServiceFactory(organization=provider.organization, name=name)
    address = send(desk, changed(desk, One="Uno", Two="Due", Three="Tre")).url
    text = desk.post(address, {"action": "all"}, follow=True).content.decode()
    assert "1 service changed so far." in text
    assert "1 of 3 rows" in text
    assert "Apply all" not in text
    assert "is being worked on already" in desk.post(address, {"action": "all"}, follow=True).content.decode()
    part = desk.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "1 of 3 rows" in part
    assert "<h1" not in part
    assert "Stopped, with 2 to do." in desk.post(address, {"action": "stop"}, follow=True).content.decode()
    assert desk.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    assert "2 services changed so far." in desk.post(address, {"action": "resume"}, follow=True).content.decode()
    assert batches.carry_on(batch=Sheet.objects.get().pk, at=now) == "done"
    assert set(Service.objects.values_list("name", flat=True)) == {"Uno", "Due", "Tre"}
    assert "nothing to go on with" in desk.post(address, {"action": "resume"}, follow=True).content.decode()


def test_a_file_that_cannot_be_read_is_told(desk):
    answer = send(desk, b"no spreadsheet", "list.csv")
    assert answer.status_code == 422
    assert "not a spreadsheet that we can read" in answer.content.decode()
    assert desk.post(reverse("entry-sheet")).status_code == 422


def test_a_batch_of_another_organisation_is_not_there(desk, provider, client):
    ServiceFactory(organization=provider.organization, name="One")
    address = send(desk, changed(desk, One="Uno")).url
    desk.force_login(UserFactory(provider=True))
    assert desk.get(address).status_code == 404
    assert desk.post(address, {"action": "all"}).status_code == 404


def test_rows_of_a_spreadsheet_are_no_drafts_in_the_list(desk, provider):
    ServiceFactory(organization=provider.organization, name="One")
    send(desk, changed(desk, One="Uno"))
    assert "Draft" not in desk.get(reverse("entries")).content.decode()
