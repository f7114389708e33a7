"""The curator's pages about sources."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from catalogue.models import ImportRun, Source
from core.clock import now
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, curator, settings, tmp_path):
    settings.IMPORTS_ROOT = str(tmp_path)
    client.force_login(curator)
    return client


@pytest.fixture
def source():
    return Source.objects.create(
        name="A council", kind=Source.Kind.ORUK_3, url="https://user:pass-word@council.example/api?key=secret", failures=2, probed_at=now(),
        capabilities={"version": "HSDS-UK-3.0", "modified_after": True, "whole": False},
    )  # fmt: skip


def test_the_list_says_how_each_source_is(desk, source):
    ImportRun.objects.create(kind="oruk", source="x", feed=source, status=ImportRun.Status.FAILED)
    Source.objects.create(name="Paused", kind=Source.Kind.SPREADSHEET, is_active=False)
    html = desk.get(reverse("sources")).content.decode()
    for told in ("A council", "Failed: nothing was changed", "<strong>2</strong>", "Paused", "paused", "2 sources"):
        assert told in html
    assert "Paused" not in desk.get(reverse("sources"), {"state": "failing"}).content.decode()
    assert "A council" not in desk.get(reverse("sources"), {"kind": "spreadsheet", "q": "pau"}).content.decode()


def test_the_page_of_a_source_says_what_it_supports_and_no_secret(desk, source):
    html = desk.get(reverse("source", args=[source.pk])).content.decode()
    for told in ("https://council.example/api", "Tells what changed since a day", "everything once a week", "Failed 2 times in a row"):
        assert told in html
    assert "pass-word" not in html
    assert "secret" not in html


def test_reading_now_leads_to_the_run_which_tells_how_far_it_is(desk, source):
    answer = desk.post(reverse("source", args=[source.pk]), {"run": "yes"})
    run = ImportRun.objects.get()
    assert answer["Location"] == reverse("import-run", args=[run.pk])
    ImportRun.objects.update(stage="Writing", done=1_200, total=5_000)
    part = desk.get(answer["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "<strong>Writing</strong>: 1,200 of 5,000" in part
    assert "<html" not in part
    again = desk.post(reverse("source", args=[source.pk]), {"run": "yes"})
    assert (again.status_code, "being read already" in again.content.decode()) == (422, True)
    ImportRun.objects.update(status=ImportRun.Status.DONE)
    assert desk.get(answer["Location"], headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_a_run_is_stopped_by_its_button(desk, source):
    run = ImportRun.objects.create(kind="oruk", source="x", feed=source, stage="Writing")
    for told in ("was asked to stop", "was asked to stop"):
        html = desk.post(reverse("import-stop", args=[run.pk]), follow=True).content.decode()
        assert told in html
    run.refresh_from_db()
    assert run.stop_requested_at is not None


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "Choose a file first."),
        ({"file": SimpleUploadedFile("x.json", b"")}, "The file is empty."),
    ],
)
def test_an_upload_without_a_file_is_told_so(desk, source, sent, told):
    answer = desk.post(reverse("source", args=[source.pk]), {"upload": "yes", **sent})
    assert (answer.status_code, told in answer.content.decode()) == (422, True)


def test_what_is_wrong_with_a_source_is_told_by_field_and_what_was_typed_stays(desk, source):
    sent = {"name": "a council", "kind": "oruk-3", "url": "https://x.example", "licence": "Mine"}
    answer = desk.post(reverse("source-new"), sent)
    assert answer.status_code == 422
    assert "There is a source of that name already." in answer.content.decode()
    assert 'value="Mine"' in answer.content.decode()
    done = desk.post(reverse("source-new"), {**sent, "name": "Another"})
    assert done["Location"] == reverse("source", args=[Source.objects.get(name="Another").pk])


def test_a_curator_cannot_open_our_network_and_an_administrator_can(desk, client, source):
    sent = {"kind": "oruk-3", "url": "https://x.example", "every_hours": "24", "is_active": "on", "allow_private": "on"}
    assert desk.post(reverse("source-edit", args=[source.pk]), sent).status_code == 302
    source.refresh_from_db()
    assert (source.allow_private, source.every_hours) == (False, 24)
    client.force_login(factories.UserFactory(administrator=True))
    assert client.post(reverse("source-edit", args=[source.pk]), sent).status_code == 302
    source.refresh_from_db()
    assert source.allow_private is True


def test_the_template_is_a_spreadsheet(desk):
    answer = desk.get(reverse("source-template"))
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    assert answer.content.startswith(b"PK")
