"""Step 1: what comes in from outside, what is kept out and why, and the directory that everybody reads."""

import pytest
from playwright.sync_api import expect

from catalogue.models import ImportRun
from tests.catalogue.importing import DATA, run
from tests.factories import UserFactory
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import given_preston


@pytest.mark.req("R014")
def test_a_curator_reads_what_an_import_refused_and_the_public_finds_what_came_in(visit: Visit):
    # given a feed with three bad records and one good one
    given_preston()
    run("import_oruk", DATA / "feed.json")
    curator = visit(UserFactory(curator=True), "/")
    # when a curator opens the import
    curator.goto("/curate/imports/")
    assert_accessible(curator)
    curator.get_by_role("main").locator("tbody").get_by_role("link").click()
    # then it says how much came in, and for each record that did not: where, what is wrong and what to do
    expect(curator.get_by_text("records rejected")).to_contain_text("3")
    refused = curator.get_by_role("row").filter(has_text="service 2")
    expect(refused).to_contain_text("name")
    for reject in ImportRun.objects.get().rejects.all():
        expect(curator.get_by_role("row").filter(has_text=reject.row).filter(has_text=reject.reason)).to_contain_text(reject.advice)
    assert_accessible(curator)
    # and the public finds the good one, by a word with a mistake in it
    public = visit(None, "/directory/")
    public.get_by_role("search").get_by_role("textbox").first.fill("befreinding")
    press(public, "Search")
    assert_accessible(public)
    follow(public, "Tea and Talk")
    expect(public.get_by_role("heading", level=1)).to_have_text("Tea and Talk")
    expect(public.get_by_text("Ages 60 and over")).to_be_visible()
    assert_accessible(public)
