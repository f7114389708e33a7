"""A curator sets up a source, uploads its file, watches it being read, stops it, and reads what could not be used."""

import openpyxl
from playwright.sync_api import Page, expect
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue import tasks
from catalogue.importers import spreadsheet
from catalogue.models import ImportRun, Service, Source
from tests.factories import UserFactory
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import given_preston


def when_the_worker_comes() -> None:
    job = ProcrastinateJob.objects.filter(task_name="catalogue.tasks.import_source").latest("pk")
    tasks.import_source(**job.args)


def when_uploaded(page: Page, file: str) -> None:
    page.get_by_label("File", exact=True).set_input_files(file)
    press(page, "Upload and read it")
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()


def test_a_curator_sets_up_a_source_and_watches_it_being_read(visit: Visit, console: list[str], tmp_path):
    console.append("status of 422")
    given_preston()
    # given a charity's spreadsheet with one good row and one without a name
    file = tmp_path / "services.xlsx"
    file.write_bytes(spreadsheet.template())
    book = openpyxl.load_workbook(file)
    book.worksheets[0].append(["Preston Neighbours"])
    book.save(file)
    page = visit(UserFactory(curator=True), "/curate/imports/")
    follow(page, "Sources: who publishes what we read, and how each is")
    assert_accessible(page)
    follow(page, "Set up a source")
    # when the form is sent empty, then it says what is missing
    press(page, "Set it up")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    # when it is filled in
    page.get_by_label("Who publishes it").fill("Preston Neighbours")
    page.get_by_label("What it is").select_option("Spreadsheet")
    page.get_by_label("Licence", exact=True).fill("Open Government Licence 3.0")
    press(page, "Set it up")
    expect(page.get_by_role("heading", level=1)).to_have_text("Preston Neighbours")
    assert_accessible(page)
    # when a file is uploaded and stopped before its turn, then nothing came in
    when_uploaded(page, str(file))
    assert_accessible(page)
    press(page, "Stop it, and change nothing")
    expect(page.get_by_text("Stopped by somebody: nothing was changed")).to_be_visible()
    when_the_worker_comes()
    assert not Service.objects.filter(source="Preston Neighbours").exists()
    # when it is uploaded again and a worker comes, then the page itself says that it is done
    page.goto(f"/curate/sources/{Source.objects.get().pk}/")
    when_uploaded(page, str(file))
    when_the_worker_comes()
    expect(page.get_by_text("Done", exact=True)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="row 3")).to_contain_text("has no")
    assert_accessible(page)
    # and the source says how it is, and where the service came from is on its public page
    page.goto("/curate/sources/")
    expect(page.get_by_role("row").filter(has_text="Preston Neighbours")).to_contain_text("Done")
    follow(page, "Preston Neighbours")
    expect(page.get_by_text("services that it has")).to_contain_text("1")
    assert_accessible(page)
    assert ImportRun.objects.filter(feed__name="Preston Neighbours").count() == 2
    public = visit(None, f"/directory/{Service.objects.get().pk}/")
    expect(public.get_by_role("main")).to_contain_text("Open Government Licence 3.0")
