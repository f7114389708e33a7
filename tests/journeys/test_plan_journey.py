"""One plan for everybody who waits: drawn up, read, refused, dragged against, made better, held; and as figures for a manager."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from catalogue.models import User
from flow.models import Episode, PlanDecision
from flow.planning import renewing
from tests.factories import AreaFactory, NeedProfileFactory, UserFactory
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_live, follow, press
from tests.journeys.steps import given_home, given_patient, given_preston, given_referrer, when_somebody_reports


def waits(nurse: User, family_name: str, number: str, **need) -> Episode:
    """Somebody who waits and for whom a place was looked for."""
    patient = given_patient(nurse, given_name="Canary", family_name=family_name, nhs_number=number)
    profile = NeedProfileFactory(organization=nurse.organization, **need)
    Episode.objects.filter(patient=patient).update(profile=profile)
    return Episode.objects.get(patient=patient)


def row(page: Page, episode: Episode):
    return page.locator(f"#line-{episode.pk}")


def drag(page: Page, episode: Episode, place: str) -> None:
    """Take somebody by the handle to a place of the list that opens, and hold them there."""
    handle = row(page, episode).locator("[data-plan-grip]")
    handle.hover()
    page.mouse.down()
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40, steps=3)
    target = page.locator("[data-plan-target]").filter(has_text=place)
    expect(target).to_be_visible()
    target.hover()


@pytest.mark.every_width
def test_a_team_plans_for_everybody_and_a_manager_reads_the_figures(visit: Visit, console: list[str]):
    console.append("status of 422")
    # given one near home that two people want, one that only the first could reach, and a full one
    given_preston()
    AreaFactory(name="Prestonshire")
    fir = given_home("Fir Grove", free=1, metres=300)
    given_home("Otter House", free=1, metres=9_000)
    given_home("Elm Lodge", free=0, metres=600)
    nurse = given_referrer()
    first = waits(nurse, "Able", "9990000018")
    for name, number in (("Baker", "9990000026"), ("Charlie", "9990000034")):
        waits(nurse, name, number, max_distance_m=3_000)
    page = visit(nurse, "/plan/")
    assert_accessible(page)
    # when she draws up the plan, then she reads for whom, why, and what is proved; nothing is held
    press(page, "Draw up a plan")
    expect(page.get_by_text("Proved: by the points in force")).to_be_visible()
    expect(row(page, first)).to_contain_text("Otter House")
    expect(page.get_by_role("heading", name="Where one more place would do most good")).to_be_visible()
    assert_accessible(page)
    assert_live(page)
    # when she looks what the near home would cost the others, then its price stands beside it; refusing asks why
    row(page, first).get_by_role("link", name="Refuse, or choose another").click()
    expect(page.get_by_text("Price:")).to_be_visible()
    press(page, "Refuse it, and plan again")
    expect(page.get_by_role("alert")).to_contain_text("Choose why the place is not right")
    assert_accessible(page)
    follow(page, "Back to the plan")
    # when she moves the first to the near home, then its price is told before anything is done; by a finger there is a button instead
    said = page.locator("#plan-said")
    if page.viewport_size["width"] > 600:
        drag(page, first, "Fir Grove")
        expect(said).to_contain_text("Fir Grove. Price: ")
        page.keyboard.press("Escape")
        expect(said).to_have_text("Nothing was changed.")
        page.mouse.up()
        assert not PlanDecision.objects.filter(line__episode=first).exists()
        drag(page, first, "Fir Grove")
        expect(page.locator(".lune-ghost")).to_contain_text("Canary Able: Price: ")
        page.mouse.up()
    else:
        row(page, first).locator("[data-plan-grip]").tap()
        expect(page.get_by_role("heading", name="Other places for Canary Able")).to_be_focused()
        assert_accessible(page)
        page.locator("[data-plan-target]").filter(has_text="Fir Grove").get_by_role("button").tap()
    expect(row(page, first)).to_contain_text("Fir Grove (chosen by your team)")
    # when the place of another goes meanwhile, then the board comes to say so, and the plan is drawn up again
    when_somebody_reports(fir, 0)
    expect(page.get_by_text("1 line is out of date.")).to_be_visible()
    press(page, "Draw up again")
    expect(page.get_by_text("can no longer be had for this person").first).to_be_visible()
    # when she accepts the line that is left, then the place is held
    row(page, first).get_by_role("button", name="Hold this place").click()
    expect(row(page, first)).to_contain_text("held until")
    assert_accessible(page)
    # when a home comes near somebody, then the board comes to say what would be better, and she takes that over
    given_home("Ash View", free=1, metres=200)
    assert renewing.look_again(organization_id=nurse.organization_id, at=timezone.now()) == "suggested"
    expect(page.get_by_role("heading", name="The plan can be better: 1 change")).to_be_visible()
    assert_accessible(page)
    press(page, "Take over the better plan")
    expect(page.get_by_role("heading", name="The plan can be better")).to_be_hidden()
    expect(page.locator("#plan-board")).to_contain_text("Ash View")
    # and her trust's manager reads figures and no name
    boss = visit(UserFactory(manager=True, organization=nurse.organization), "/plan/")
    expect(boss.get_by_text("Managers see figures.")).to_be_visible()
    assert not [name for name in ("Able", "Baker", "Charlie") if name in boss.content()]
    assert_accessible(boss)
