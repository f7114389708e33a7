"""Step 6: a manager sees who waits for what, where there is room, and what became of referrals; live, and never a name."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from flow import operations
from flow.models import ReferralTask, WhatIf
from flow.tasks import simulate_what_if
from matching.models import UnmetNeed
from tests.factories import EpisodeFactory, NeedProfileFactory, UserFactory
from tests.flow.waiting import waits
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_live, follow, press
from tests.journeys.steps import (
    given_home,
    given_patient,
    given_preston,
    given_provider,
    given_referrer,
    then_nothing_names_the_person,
    when_somebody_reports,
)


def says(page: Page, heading: str, row: str, number: int) -> None:
    """The table behind a chart comes to have that number in the last column of a row."""
    section = page.get_by_role("region", name=heading)
    expect(section.locator("tr").filter(has_text=row).locator("td").last).to_have_text(str(number))


@pytest.mark.req("R028")
def test_the_figures_move_by_themselves(visit: Visit):
    # given two people who wait in a hospital, one for a care home, and a home with room
    given_preston()
    nurse, home = given_referrer(), given_home("Fir Grove", free=3)
    patient = given_patient(nurse)
    EpisodeFactory(patient__organization=nurse.organization, discharge_pathway="P1")
    page = visit(UserFactory(manager=True), "/dashboard/")
    assert_live(page)
    expect(page.get_by_role("listitem").filter(has_text="people waiting now")).to_contain_text("2")
    says(page, "People waiting, by pathway and days", "P3: care home", 1)
    says(page, "Groups of places, by what is free now", "Care homes", 1)
    assert_accessible(page)
    # when the nurse sends a referral, then it is counted without a reload
    now = timezone.now()
    operations.send(
        patient_id=patient.pk,
        profile_id=NeedProfileFactory(organization=nurse.organization).pk,
        episode_id=patient.episodes.get().pk,
        pool_ids=[home.pk],
        by=nurse,
        at=now,
        consent=True,
    )
    asked = page.get_by_role("region", name="Referrals by status")
    expect(asked.locator("li").filter(has_text="Waiting for an answer")).to_contain_text("1")
    # when the home says yes and the person moves in, then one fewer waits
    task, provider = ReferralTask.objects.get(), given_provider(home)
    operations.accept(task_id=task.pk, by=provider, at=timezone.now())
    operations.start(task_id=task.pk, by=provider, at=timezone.now())
    expect(asked.locator("li").filter(has_text="Support started")).to_contain_text("1")
    expect(page.get_by_role("listitem").filter(has_text="people waiting now")).to_contain_text("1")
    expect(page.get_by_text("Times to first answer: 1 referral")).to_be_visible()
    # and when the home fills up, its group turns red
    when_somebody_reports(home, 0)
    expect(page.get_by_role("region", name="Groups of places, by what is free now")).to_contain_text("0 places free")
    then_nothing_names_the_person(page)
    assert_accessible(page)


def test_a_trust_sees_its_own_people_and_the_board_sees_all(visit: Visit):
    # given people who wait in two hospitals
    one, other = given_referrer(), given_referrer()
    given_patient(one)
    given_patient(other)
    # then a manager of one counts one, and the care board's manager two
    own = visit(UserFactory(role="manager", organization=one.organization), "/dashboard/")
    expect(own.get_by_role("listitem").filter(has_text="people waiting now")).to_contain_text("1")
    assert_accessible(own)
    board = visit(UserFactory(manager=True), "/dashboard/")
    expect(board.get_by_role("listitem").filter(has_text="people waiting now")).to_contain_text("2")
    for page in (own, board):
        then_nothing_names_the_person(page)
    # and what was looked for and not found is on a map and in rows, by kind, area and reason
    given_preston()
    today = timezone.localdate()
    UnmetNeed.objects.bulk_create(
        UnmetNeed(on=today, digest=str(number), care_types=["home-care"], outcode="PR1", reason="place", organization=one.organization)
        for number in range(6)
    )
    board.goto("/unmet/")
    expect(board.get_by_role("row").filter(has_text="Home care")).to_contain_text("PR1, Preston")
    expect(board.locator(".lune-pin")).to_have_attribute("title", "PR1, Preston: 5 to 9 needs")
    assert_accessible(board)


def test_a_manager_asks_what_more_beds_would_do(visit: Visit, console: list[str]):
    console.append("status of 422")
    # given people who wait for the only free bed
    given_preston()
    given_home("Fir Grove", free=1)
    nurse = given_referrer()
    for days in (2, 4, 6):
        waits(nurse, days=days, discharge_pathway="P3")
    page = visit(UserFactory(manager=True), "/what-if/")
    # when a manager asks nothing, then the page says what to do
    follow(page, "Ask a question")
    press(page, "Simulate it")
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one thing that would be different")
    # when she asks for ten more beds, then a worker begins
    page.get_by_text("Places are added").click()
    page.get_by_label("How many places more?").fill("10")
    page.get_by_label("Of which kind?").select_option("home-general-residential")
    page.get_by_label("Where?").fill("PR1")
    assert_accessible(page)
    page.get_by_label("For how long?").select_option("30")
    page.get_by_label("How many futures?").select_option("5")
    press(page, "Simulate it")
    expect(page.get_by_text("Simulating: 0 of 20 runs done")).to_be_visible()
    # and when it has ended, the page comes to say in a sentence what it means
    assert simulate_what_if(str(WhatIf.objects.get().pk)) == "done"
    expect(page.locator(".nhsuk-lede-text")).to_contain_text("fewer bed-days (in nine of ten futures between")
    expect(page.get_by_role("img", name="People waiting at the end of each day")).to_be_visible()
    then_nothing_names_the_person(page)
    assert_accessible(page)
