"""Who else works on a referral and sees a record: a hub on a pathway, sharing, emergencies; and rules that act by themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from core.clock import local_date
from flow.letters import sheet
from flow.models import Referral, ReferralTask
from flow.rules import operations as rules
from tests.factories import UserFactory
from tests.factories.sharing import AgreementFactory, HubFactory
from tests.flow.helpers import send
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import NHS_NUMBER, given_home, given_patient, given_preston, given_provider, given_referrer


def when_a_pathway_is_made(page: Page) -> None:
    """By an administrator, from its name to its publication."""
    for label, words in (("Name", "Winter discharge"), ("Code", "winter"), ("For whom", "People who go home in winter")):
        page.get_by_label(label).fill(words)
    press(page, "Continue")
    first = page.get_by_role("group", name="Question 1")
    first.get_by_label("Question", exact=True).fill("Is there heating at home?")
    first.get_by_label("A service reads it").select_option("before")
    first.get_by_role("checkbox", name="Must be answered").check()
    tool = page.get_by_role("group", name="Tool 1")
    tool.get_by_label("Outcome tool").fill("ONS4")
    tool.get_by_label("Days after the yes").fill("0, 84")
    page.locator('[name="care_types"][value="home-general-residential"]').check()
    assert_accessible(page)
    press(page, "Save the draft")
    expect(page.get_by_text("ONS4: on the day of the yes, 84 days after it")).to_be_visible()
    press(page, "Publish version 1")
    expect(page.get_by_text("Published. Referrals sent from now on")).to_be_visible()
    assert_accessible(page)


@pytest.mark.req("R065")
def test_a_hub_routes_on_a_pathway_takes_back_and_asks_another(visit: Visit, stack, console: list[str]):
    console.append("status of 422")  # a question left out
    given_preston()
    fir, otter = given_home("Fir Grove"), given_home("Otter House", metres=900)
    nurse = given_referrer()
    patient = given_patient(nurse)
    hub = HubFactory(name="Preston hub")
    worker, colleague = hub.team.members.get(), UserFactory(organization=hub.organization, first_name="Ann", last_name="Reed")
    hub.team.members.add(colleague)
    AgreementFactory(organization=nurse.organization, with_organization=hub.organization, purpose="triage")
    # given an administrator who configures a pathway
    when_a_pathway_is_made(visit(UserFactory(administrator=True), "/pathways/new/"))
    # when a nurse sends somebody to the hub on it, its question must be answered
    page = visit(nurse, f"/patients/{patient.pk}/hub/?pathway=winter")
    page.get_by_role("checkbox", name="agrees to this referral").check()
    press(page, "Send to the hub")
    expect(page.get_by_role("alert").get_by_role("link", name="Answer this: Is there heating at home?")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("group", name="Is there heating at home?").get_by_label("No").check()
    page.get_by_role("checkbox", name="agrees to this referral").check()
    press(page, "Send to the hub")
    expect(page.get_by_text("Sent to the hub. Here you see")).to_be_visible()
    # then it is in the hub's queue, where somebody takes it, accepts it and sends it on
    desk = visit(worker, "/hub/")
    assert_accessible(desk)
    press(desk, "Assign to me")
    desk.get_by_role("link", name=patient.full_name).click()
    press(desk, "Accept into the hub")
    press(desk, "Find services")
    press(desk, "Search now")
    desk.get_by_role("checkbox", name="Fir Grove").check()
    assert_accessible(desk)
    press(desk, f"Send on behalf of {nurse.organization.name}")
    expect(desk.get_by_text("Sent. You and the sender see each answer")).to_be_visible()
    # when the home is the wrong one, the hub takes it back, gives it to a colleague, and she asks another
    back = desk.locator("details").filter(has_text="Take it back")
    back.locator("summary").click()
    back.get_by_label("Why?").fill("Her daughter lives by the other one")
    back.get_by_role("button", name="Take it back").click()
    expect(desk.get_by_text("Nobody is asked now: ask others")).to_be_visible()
    desk.locator("summary").filter(has_text="Give to a colleague").click()
    desk.get_by_label("To whom?").select_option("Ann Reed")
    press(desk, "Give it")
    expect(desk.get_by_text("With Ann Reed")).to_be_visible()
    assert_accessible(desk)
    other = visit(colleague, desk.url)
    press(other, "Find services")
    press(other, "Search now")
    other.get_by_role("checkbox", name="Otter House").check()
    press(other, f"Send on behalf of {nurse.organization.name}")
    expect(other.get_by_text("Otter House: Waiting for an answer")).to_be_visible()
    # and the home that is asked reads the answer without a name, says yes; the nurse is to enter a score
    task = ReferralTask.objects.get(pool=otter)
    assert ReferralTask.objects.get(pool=fir).status == "cancelled"
    home = visit(given_provider(otter), f"/inbox/{task.pk}/")
    expect(home.get_by_text("Is there heating at home?")).to_be_visible()
    press(home, "Yes, we’ll help")
    expect(home.get_by_role("heading", level=1)).to_have_text(patient.full_name)
    page.goto("/follow-ups/")
    follow(page, "Ask for ONS4 and enter the score")
    page.get_by_label("Score", exact=True).fill("7.5")
    assert_accessible(page)
    press(page, "Save")
    page.goto(f"/patients/{patient.pk}/story/")
    expect(page.get_by_text("ONS4: 7.5, answered on")).to_be_visible()


@pytest.mark.req("R029")
def test_a_record_is_shared_until_it_is_revoked_and_opened_in_an_emergency(visit: Visit, stack, console: list[str]):
    console.append("404")  # what was revoked, also when the open page asks for itself again
    nurse = given_referrer()
    patient = given_patient(nurse)
    partner = UserFactory()
    manager = UserFactory(manager=True, organization=nurse.organization)
    today = local_date(timezone.now())
    # given a manager who records what was signed
    desk = visit(manager, "/sharing/agreements/new/")
    desk.get_by_label("Who may see your organisation’s records?").select_option(partner.organization.name)
    desk.get_by_label("For what?").select_option("shared-care")
    desk.get_by_label("Reference of the signed document").fill("ISA 7")
    desk.get_by_label("First day").fill(today.isoformat())
    desk.get_by_label("Last day").fill((today + timedelta(days=365)).isoformat())
    assert_accessible(desk)
    press(desk, "Record it")
    # when the nurse shares one person, the other organisation works on the record
    page = visit(nurse, f"/patients/{patient.pk}/sharing/")
    page.get_by_role("radio", name=partner.organization.name).check()
    page.get_by_label("Last day").fill((today + timedelta(days=30)).isoformat())
    page.get_by_role("checkbox", name="agrees that their record is shared").check()
    assert_accessible(page)
    press(page, "Share the record")
    theirs = visit(partner, "/hub/")
    follow(theirs, patient.full_name)
    expect(theirs.get_by_role("heading", level=1, name=patient.full_name)).to_be_visible()
    # then the manager sees that it is open and who looked, and revokes it; the partner's next look finds nothing
    desk.goto("/sharing/")
    assert_accessible(desk)
    follow(desk, "A person’s record")
    expect(desk.get_by_role("cell", name=str(partner)).first).to_be_visible()
    assert_accessible(desk)
    press(desk, "Revoke now")
    expect(theirs.get_by_text("This is no longer yours to see.")).to_be_visible()
    expect(theirs.get_by_text(patient.full_name)).to_have_count(0)
    theirs.reload()
    expect(theirs.get_by_role("heading", level=1, name="Page not found")).to_be_visible()
    # when somebody needs the record in an emergency, it opens to read, and the manager reviews that
    theirs.goto("/emergency/")
    theirs.get_by_label("NHS number").fill(NHS_NUMBER)
    theirs.get_by_label("Date of birth").fill(patient.birth_date.isoformat())
    theirs.get_by_role("radio", name="Somebody’s life or safety is in danger").check()
    theirs.get_by_label("In your own words").fill("She was found on the stairs")
    assert_accessible(theirs)
    press(theirs, "Open the record")
    expect(theirs.get_by_role("heading", level=1, name=patient.full_name)).to_be_visible()
    assert_accessible(theirs)
    desk.goto("/emergency/reviews/")
    assert_accessible(desk)
    desk.get_by_role("main").get_by_role("table").get_by_role("link").click()
    desk.get_by_role("radio", name="Justified", exact=True).check()
    desk.get_by_label("How did you come to this?").fill("The ward rang her")
    assert_accessible(desk)
    press(desk, "Save the review")
    expect(desk.get_by_text("The review is saved.")).to_be_visible()
    # and she can tell the person who has looked, and in which way
    follow(desk, "Who has looked at one person’s record")
    desk.get_by_label("NHS number").fill(NHS_NUMBER)
    desk.get_by_label("Date of birth").fill(patient.birth_date.isoformat())
    press(desk, "Show who has looked")
    desk.get_by_label("How it was seen").select_option("break-glass")
    press(desk, "Show these")
    expect(desk.get_by_role("heading", name="2 looks")).to_be_visible()
    assert NHS_NUMBER not in desk.url
    assert_accessible(desk)
    # nor does the list of all looks say whose records they are
    desk.goto("/looks/all/")
    desk.get_by_label("How it was seen").select_option("break-glass")
    press(desk, "Show these")
    expect(desk.get_by_role("heading", name="2 looks")).to_be_visible()
    expect(desk.get_by_text(patient.full_name)).to_have_count(0)
    assert_accessible(desk)


@pytest.mark.req("R026")
def test_a_rule_is_written_tried_switched_on_and_its_log_read(visit: Visit, stack):
    nurse, home = given_referrer(), given_home("Fir Grove")
    send(nurse, [home], at=timezone.now() - timedelta(days=3))
    # given a manager who writes a rule for what her organisation sends to one provider
    page = visit(UserFactory(manager=True, organization=nurse.organization), "/rules/new/")
    page.get_by_label("Name").fill("Late answers")
    page.get_by_role("radio", name="A service has not answered in time").check()
    page.get_by_role("radio", name="Remind whose move it is").check()
    page.get_by_label("Only requests to this organisation").select_option(home.service.organization.name)
    page.get_by_label("Why is the rule wanted?").fill("People wait for a word")
    assert_accessible(page)
    press(page, "Write it, and see what it would have done")
    # then the page says what it would have done, and it does that from when she switches it on
    expect(page.get_by_text("It would have acted 1 time, on 1 referral.")).to_be_visible()
    page.get_by_label("Why?", exact=True).fill("Agreed by the board")
    press(page, "Switch version 1 on")
    expect(page.get_by_text("The rule is switched on.")).to_be_visible()
    send(nurse, [home], answer_within=timedelta(minutes=15))
    rules.run(at=timezone.now() + timedelta(hours=1))
    page.reload()
    reference = str(Referral.objects.latest("created_at").pk)[:8]
    expect(page.get_by_text(f"referral {reference}: Rule “Late answers”, version 1: Fir Grove had not answered")).to_be_visible()
    assert_accessible(page)
    # and the letters of her organisation get a language: a sheet goes out, comes back, is read and approved
    page.goto("/letters/words/")
    assert_accessible(page)
    texts = {line.key: " ".join(word if "{" in word else word[::-1] for word in line.english.split()) for line in sheet.lines()}
    page.get_by_label("Language").select_option(label="Urdu")
    page.locator("input[type=file]").set_input_files({"name": "letter.csv", "mimeType": "text/csv", "buffer": sheet.write(texts).encode()})
    press(page, "Load and look at it")
    expect(page.get_by_role("article")).to_have_attribute("dir", "rtl")
    page.get_by_label("Who checked it?").fill("A. Speaker")
    assert_accessible(page)
    press(page, "Approve it: letters use it from now on")
    expect(page.get_by_text("In use")).to_be_visible()
