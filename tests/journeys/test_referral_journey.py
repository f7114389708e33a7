"""Step 4: one referral to several services; the answers come in by themselves."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from capacity.models import Reservation, ServiceCapacity
from flow.models import Referral, ReferralTask
from flow.workflow import Status
from notifications.notices import operations
from tests.factories import PASSWORD
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_fits, assert_live, follow, line, place, press, shows
from tests.journeys.steps import (
    FAMILY_NAME,
    GIVEN_NAME,
    REASON,
    given_home,
    given_patient,
    given_preston,
    given_provider,
    given_referrer,
    then_nothing_names_the_person,
    when_chosen,
    when_sent,
    when_services_are_found_for,
)

NAME = f"{GIVEN_NAME} {FAMILY_NAME}"


@pytest.fixture
def homes(stack) -> tuple[ServiceCapacity, ServiceCapacity]:
    given_preston()
    return given_home("Fir Grove", metres=300), given_home("Otter House", metres=900)


def says(page: Page, service: str, words: str) -> None:
    """The sender's page comes to say that of one service, without being loaded again."""
    expect(line(page, service).locator(".lune-status")).to_have_text(words)


@pytest.mark.req("R004")
@pytest.mark.req("R008")
def test_one_referral_to_two_homes_and_the_first_yes_wins(visit: Visit, homes):
    fir, otter = homes
    # given two homes that look at their empty lists, and a nurse with somebody who waits
    firs, otters = visit(given_provider(fir), "/inbox/"), visit(given_provider(otter), "/inbox/")
    for inbox in (firs, otters):
        expect(inbox.get_by_text("Nothing here now")).to_be_visible()
        assert_live(inbox)
    nurse = given_referrer()
    patient = given_patient(nurse)
    page = visit(nurse, "/")
    # when she picks both, keeps a place at one, and sends
    when_services_are_found_for(page, patient)
    when_chosen(page, "Fir Grove", "Otter House")
    assert_accessible(page)
    when_sent(page, hold="Fir Grove: Beds")
    # then she follows both, and the kept place counts as taken for everybody else
    says(page, "Fir Grove", "Waiting for an answer")
    says(page, "Otter House", "Waiting for an answer")
    expect(line(page, "Fir Grove").get_by_text("held until")).to_be_visible()
    assert_accessible(page)
    # and each home sees at once what is needed, and nothing that says who it is
    for inbox in (firs, otters):
        ask = inbox.get_by_role("link", name="near PR1")
        expect(ask).to_be_visible()
        then_nothing_names_the_person(inbox)
        ask.click()
        expect(inbox.get_by_text("You see who it is as soon as you say yes.")).to_be_visible()
        then_nothing_names_the_person(inbox)
        assert_accessible(inbox)
        assert_live(inbox)
    shows(firs, fir, "2 free", "green")
    # when one says yes
    press(firs, "Yes, we’ll help")
    # then it reads who it is and why, and the place is taken
    expect(firs.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(firs.get_by_text(REASON)).to_be_visible()
    assert_accessible(firs)
    shows(firs, fir, "2 free", "green")
    fir.refresh_from_db()
    assert (fir.available, fir.held) == (2, 0)
    assert Reservation.objects.get().state == Reservation.State.FILLED
    # and the nurse and the other home see it where they are
    says(page, "Fir Grove", "Accepted")
    says(page, "Otter House", "Withdrawn")
    expect(otters.locator("#task .lune-status").first).to_have_text("Withdrawn")
    expect(otters.get_by_role("button", name="Yes, we’ll help")).to_have_count(0)
    then_nothing_names_the_person(otters)
    otter.refresh_from_db()
    assert otter.available == 3
    # and as soon as a worker has read the journal the bell of the page that she looks at counts it, and leads to it
    while operations.read_on(at=timezone.now()):
        pass
    bell = page.locator("#notice-bell")
    expect(bell).to_contain_text("not read")
    bell.click()
    assert_accessible(page)
    page.get_by_role("link", name="Fir Grove said yes").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    page.goto(page.url.split("/referrals/")[0] + "/notices/settings/")
    assert_accessible(page)
    page.get_by_role("group", name="A service answers").get_by_label("E-mail").select_option("Once a day, together")
    press(page, re.compile(r"^\s*Save\s*$"))
    expect(page.get_by_text("It holds for what happens from now on.")).to_be_visible()


@pytest.mark.req("R004")
def test_a_no_with_its_reason(visit: Visit, homes, console: list[str]):
    console.append("422")  # what is sent without a reason is refused
    fir, _ = homes
    # given a referral that a nurse has sent to one home
    nurse = given_referrer()
    page = visit(nurse, "/")
    when_services_are_found_for(page, given_patient(nurse))
    when_chosen(page, "Fir Grove")
    when_sent(page)
    says(page, "Fir Grove", "Waiting for an answer")
    assert_live(page)
    # when the home says no, and why
    home = visit(given_provider(fir), "/inbox/")
    home.get_by_role("link", name="near PR1").click()
    when_it_asks_and_she_answers(home, page)
    when_she_changes_what_it_says(page, home)
    home.get_by_role("button", name="No, we can’t").click()
    home.get_by_role("radio", name="Needs we cannot meet safely").check()
    home.get_by_label("Anything the team should know").fill("Two carers at night are needed")
    assert_accessible(home)
    press(home, "No, we can’t")
    expect(home.get_by_text("You said no.")).to_be_visible()
    then_nothing_names_the_person(home)
    # then the nurse reads it where she is, and the place is still free
    says(page, "Fir Grove", "Declined")
    expect(line(page, "Fir Grove").get_by_text("Two carers at night are needed")).to_be_visible()
    fir.refresh_from_db()
    assert fir.available == 3


@pytest.mark.req("R004")
def test_what_the_sender_takes_back_leaves_the_providers_page(visit: Visit, homes):
    fir, _ = homes
    # given a home that reads a request
    nurse = given_referrer()
    page = visit(nurse, "/")
    when_services_are_found_for(page, given_patient(nurse))
    when_chosen(page, "Fir Grove")
    when_sent(page)
    says(page, "Fir Grove", "Waiting for an answer")
    home = visit(given_provider(fir), f"/inbox/{ReferralTask.objects.get().pk}/")
    assert_live(home)
    # when the nurse takes it back
    line(page, "Fir Grove").get_by_text("Withdraw this request").click()
    line(page, "Fir Grove").get_by_label("Why? Your team reads this").fill(f"{FAMILY_NAME} went home")
    press(line(page, "Fir Grove"), "Withdraw")
    expect(page.get_by_text("The request is withdrawn.")).to_be_visible()
    # then the home reads that, and can no longer say yes
    expect(home.locator("#task .lune-status").first).to_have_text("Withdrawn")
    then_nothing_names_the_person(home)
    expect(home.get_by_role("button", name="Yes, we’ll help")).to_have_count(0)


def when_she_changes_what_it_says(page: Page, home: Page) -> None:
    """It is needed sooner: the home sees that where it is, and nothing that she types."""
    address = page.url
    follow(page, "Change this referral")
    expect(page.get_by_label("What should the service know?")).to_have_value(REASON)
    page.get_by_role("radio", name="Urgent").check()
    press(page, "Save the change")
    expect(page.get_by_role("alert")).to_contain_text("Say in a few words why it is changed")
    assert_accessible(page)
    page.get_by_label("Why do you change it?").fill(f"{NAME} goes home tomorrow")
    press(page, "Save the change")
    expect(page.get_by_text("The referral is changed.")).to_be_visible()
    assert_accessible(page)
    assert page.url == address
    expect(home.get_by_text("Changed since you were asked:")).to_be_visible()
    expect(home.get_by_text("Urgent (before: routine).")).to_be_visible()
    then_nothing_names_the_person(home)
    assert_accessible(home)


def when_it_asks_and_she_answers(home: Page, page: Page) -> None:
    """A question before the answer, by its code; the sender reads it where she is, and the story has both."""
    follow(home, "Ask something first")
    home.get_by_role("radio", name="Can they climb stairs?").check()
    press(home, "Send the question")
    assert_live(home)
    expect(page.get_by_text("1 question to answer")).to_be_visible()
    referral = page.url
    follow(page, re.compile("^1 new message"))
    assert_accessible(page)
    press(page, "With help")
    expect(home.get_by_text("Can they climb stairs? With help")).to_be_visible()
    then_nothing_names_the_person(home)
    page.goto(referral)
    follow(page, re.compile("^Story of"))
    expect(page.get_by_role("link", name="Answer to Fir Grove")).to_be_visible()
    assert_accessible(page)
    page.goto(referral)
    assert_live(page)
    follow(home, "The referral")


@pytest.mark.req("R023")
def test_a_place_is_held_while_the_family_decides_and_taken_back_with_a_reason(visit: Visit, homes, console: list[str]):
    console.append("409")
    fir, _ = homes
    nurse, provider = given_referrer(), given_provider(fir)
    page, home = visit(nurse, "/"), visit(provider, "/places/")
    assert_live(home)
    # given a nurse who holds a place from the list
    when_services_are_found_for(page, given_patient(nurse))
    line(page, "Fir Grove").get_by_role("link", name="Hold a place").click()
    press(page, "Hold a place")
    # then the list counts down beside it, with the place ticked, and the home sees whose it is and not for whom
    left = line(page, "Fir Grove").locator(".lune-countdown__left")
    expect(left).to_have_text(re.compile("3 hours 59 minutes left"))
    expect(line(page, "Fir Grove").get_by_role("checkbox", name="Ask this service")).to_be_checked()
    card = place(home, fir)
    expect(card.get_by_text(f"1 place held by {nurse.organization.name}")).to_be_visible()
    then_nothing_names_the_person(home)
    # when she makes it longer, once
    page.goto("/holds/")
    press(page, re.compile("^Hold 4 hours longer"))
    expect(page.locator(".lune-countdown__left")).to_have_text(re.compile("7 hours 59 minutes left"))
    expect(page.get_by_text("Cannot be made longer.")).to_be_visible()
    assert_accessible(page)
    # and the home says that it is full
    page.goto("/worklist/")
    assert_live(page)
    press(card, re.compile("^Full"))
    # then it is told who is affected, and takes the place back with a reason
    expect(card.get_by_text("Or take 1 place back. Affected:")).to_be_visible()
    card.get_by_label("Why? The teams and families read it.").fill("A burst pipe closed two rooms")
    assert_accessible(home)
    press(card, "Take back and save")
    shows(home, fir, "Full", "red")
    # and she reads it where she is, and what to do
    gone = page.get_by_role("region", name="A held place is gone")
    expect(gone.get_by_text("“A burst pipe closed two rooms”")).to_be_visible()
    expect(gone.get_by_role("link", name="Find another")).to_be_visible()
    assert_fits(page)


@pytest.mark.req("R025")
def test_the_last_place_at_the_same_instant(visit: Visit, homes, console: list[str]):
    console.append("409")
    fir, otter = homes
    fir.available = 1
    fir.save()
    # given two teams, each about to keep the last place of the same home
    pages = []
    for family_name in ("Ashworth", "Bamber"):
        nurse = given_referrer()
        page = visit(nurse, "/")
        when_services_are_found_for(page, given_patient(nurse, family_name=family_name, nhs_number=""))
        when_chosen(page, "Fir Grove")
        page.get_by_role("radio", name="Fir Grove: Beds").check()
        page.get_by_label("What should the service know?").fill(f"About {family_name}")
        page.get_by_role("checkbox", name="agrees to this referral").check()
        pages.append(page)
    # when both press Send
    for page in pages:
        page.get_by_role("button", name="Send the referral").evaluate("button => setTimeout(() => button.click())")
    for page in pages:
        expect(page.get_by_role("heading", name=re.compile("^(Answers|Nothing has been sent)$"))).to_be_visible()
    # then exactly one has it
    winners = [page for page in pages if "/referrals/" in page.url]
    assert len(winners) == 1
    assert Referral.objects.count() == 1
    fir.refresh_from_db()
    assert (fir.available, fir.held) == (1, 1)
    # and the other is told in plain words when it went, with what was typed kept
    loser = next(page for page in pages if page not in winners)
    expect(loser.get_by_text(re.compile(r"The last place at Fir Grove was taken at \d\d:\d\d"))).to_be_visible()
    expect(loser.get_by_label("What should the service know?")).to_have_value(re.compile("^About "))
    shows(loser, fir, "Full", "red")
    expect(loser.get_by_role("radio", name="Fir Grove: Beds")).to_have_count(0)
    assert_accessible(loser)
    # when she takes the next best that is offered
    loser.get_by_role("checkbox", name="Otter House").check()
    press(loser, "Send the referral")
    # then that is sent
    says(loser, "Otter House", "Waiting for an answer")
    assert {task.pool_id for task in ReferralTask.objects.all()} == {fir.pk, otter.pk}


@pytest.mark.req("R087")
def test_all_of_it_without_script(visit: Visit, homes):
    fir, _ = homes
    # given a nurse whose browser runs no script, at the door
    nurse = given_referrer()
    patient = given_patient(nurse)
    page = visit(None, "/", javascript=False)
    # when she signs in
    page.get_by_label("E-mail").fill(nurse.email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    # and finds, chooses and sends
    when_services_are_found_for(page, patient)
    shows(page, fir, "3 free", "green")
    assert_fits(page)
    when_chosen(page, "Fir Grove")
    when_sent(page)
    expect(page.get_by_text("Waiting for an answer").first).to_be_visible()
    assert_fits(page)
    # then the home, without script too, says yes and reads who it is
    home = visit(given_provider(fir), "/inbox/", javascript=False)
    home.get_by_role("link", name="near PR1").click()
    then_nothing_names_the_person(home)
    press(home, "Yes, we’ll help")
    expect(home.get_by_role("heading", level=1)).to_have_text(NAME)
    # and the nurse, when she looks again, reads the answer
    page.reload()
    says(page, "Fir Grove", "Accepted")
    assert ReferralTask.objects.get().status == Status.ACCEPTED
    # and a provider's taps count without script as well
    home.goto("/places/")
    press(home, "One more empty: Beds")
    shows(home, fir, "3 free", "green")
