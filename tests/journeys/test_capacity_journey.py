"""Step 2: a provider says what is free, on a phone, in one tap."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from capacity.asking import issue_link
from capacity.history import sum_days
from capacity.models import Ask, AskingPreference, CapacityReport, Reply, ServiceCapacity
from capacity.preferences import make_code
from tests.factories import PASSWORD, UserFactory
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_live, follow, place, press, shows
from tests.journeys.steps import given_home, given_provider, when_somebody_reports

pytestmark = pytest.mark.on_a_phone

DAY = timedelta(days=1)


@pytest.fixture
def home(stack) -> ServiceCapacity:
    return given_home("Fir Grove", free=3)


@pytest.mark.req("R024")
@pytest.mark.req("R028")
def test_one_tap_says_what_is_free(visit: Visit, home: ServiceCapacity):
    # given a provider at her places
    page = visit(given_provider(home), "/places/")
    card = place(page, home)
    shows(page, home, "3 free", "green")
    assert_accessible(page)
    # when she taps +1, then one more is free
    press(card, "One more empty: Beds")
    shows(page, home, "4 free", "green")
    expect(page.locator("#places-said")).to_have_text("Saved. Fir Grove, Beds: 4 free.")
    # when she taps −1 three times, then few are left of the ten
    for left in (3, 2, 1):
        press(card, "One fewer empty: Beds")
        expect(card.locator(".lune-place__figure")).to_contain_text(f"{left} empty of 10 beds")
    shows(page, home, "1 free, few left", "amber")
    # when she taps Full, then it is full, and there is nothing to take away
    press(card, re.compile("^Full"))
    shows(page, home, "Full", "red")
    expect(card.get_by_role("button", name="One fewer empty: Beds")).to_be_disabled()
    home.refresh_from_db()
    assert home.available == 0
    assert_accessible(page)


def test_still_correct_makes_an_old_figure_fresh(visit: Visit, home: ServiceCapacity):
    # given a figure that was told three months ago, so that nobody believes it any more
    home.reported_at -= 90 * DAY
    home.save()
    page = visit(given_provider(home), "/places/")
    shows(page, home, "Not known", "grey")
    # when she says that it is still correct
    press(place(page, home), re.compile("^Still correct"))
    # then it is green again, and told now
    shows(page, home, "3 free", "green")
    expect(place(page, home).locator(".lune-rag__told")).to_have_text("told just now by Fir Grove Ltd, on Lune")


def test_an_exact_number_with_a_note(visit: Visit, home: ServiceCapacity):
    page = visit(given_provider(home), "/places/")
    card = place(page, home)
    # when she opens the whole form and says seven, with a waiting list
    card.get_by_text("Type a number, waiting list or note").click()
    card.get_by_label("Empty now").fill("7")
    card.get_by_label("Taken").fill("2")
    card.get_by_label("Note for those who refer").fill("Ground floor only")
    assert_accessible(page)
    press(card, "Save all of this")
    # then that is what everybody reads
    shows(page, home, "7 free", "green")
    expect(card.get_by_text("Note: Ground floor only")).to_be_visible()
    expect(card.get_by_text("2 taken.")).to_be_visible()
    public = visit(None, f"/directory/{home.service_id}/")
    shows(public, home, "7 free", "green")
    expect(public.get_by_text("Ground floor only")).to_be_visible()


def test_more_places_and_a_file_of_figures(visit: Visit, home: ServiceCapacity):
    # given a provider who opens beds for women
    page = visit(given_provider(home), f"/places/services/{home.service_id}/new/")
    page.get_by_label("What do you call these places?").fill("Women’s beds")
    page.get_by_label("How many are there in all?").fill("4")
    page.get_by_label("Women only").check()
    assert_accessible(page)
    page.get_by_role("button", name="Add these places").click()
    expect(page.get_by_role("heading", name="Women’s beds")).to_be_visible()
    # when she sends her return
    page.get_by_role("link", name="Tell us by spreadsheet").click()
    rows = "Service,Bed type,Maximum,Occupied,Vacant accepting\nFir Grove,Women’s beds,4,1,3\nFir Grove,Attic,1,1,1\n"
    page.locator("input[type=file]").set_input_files({"name": "beds.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.get_by_role("button", name="See what would change").click()
    # then she reads what each row would do, and keeps what is right
    expect(page.get_by_text("There are no places called “Attic” at Fir Grove.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Keep 1 row").click()
    expect(page.get_by_text("1 taken.")).to_be_visible()
    women = home.service.capacities.get(for_sex="female")
    shows(page, women, "3 free", "green")


def test_what_a_colleague_changed_meanwhile_is_not_overwritten(visit: Visit, home: ServiceCapacity):
    # given a provider who is typing, while her colleague says five
    page = visit(given_provider(home), "/places/")
    assert_live(page)
    card = place(page, home)
    card.get_by_text("Type a number, waiting list or note").click()
    card.get_by_label("Empty now").fill("9")
    when_somebody_reports(home, 5)
    shows(page, home, "5 free", "green")
    # when she saves hers
    press(card, "Save all of this")
    # then she is told, and nothing is overwritten
    expect(card.get_by_text("Somebody changed this figure before you. It now says 5 free.")).to_be_visible()
    home.refresh_from_db()
    assert home.available == 5
    assert_accessible(page)
    # and what she typed still stands there: when she has looked again and saves, hers counts
    expect(card.get_by_label("Empty now")).to_have_value("9")
    press(card, "Save all of this")
    shows(page, home, "9 free", "green")


def test_a_tap_is_answered_although_the_card_was_being_fetched_anew(visit: Visit, home: ServiceCapacity):
    # given a card that fetches itself, with a slow answer
    page = visit(given_provider(home), "/directory/")
    held: dict[str, Route] = {}
    page.route(f"**/places/{home.pk}/", lambda route: held.update({route.request.method: route}))
    with page.expect_request(lambda request: str(home.pk) in request.url and request.method == "GET"):
        page.goto("/places/")
    # when she taps meanwhile, and the card comes before the answer to her tap
    with page.expect_request(lambda request: request.method == "POST"):
        press(place(page, home), "One more empty: Beds")
    with page.expect_response(lambda response: response.request.method == "GET"):
        held.pop("GET").continue_()
    held.pop("POST").continue_()
    # then she is told what was saved
    expect(page.locator("#places-said")).to_have_text("Saved. Fir Grove, Beds: 4 free.")
    page.unroute_all()


@pytest.mark.parametrize("width", [390], ids=["phone"])
@pytest.mark.req("R024")
def test_what_is_said_without_a_network_waits_on_the_phone_and_counts_once(visit: Visit, home: ServiceCapacity, console: list[str]):
    console += ["ERR_INTERNET_DISCONNECTED", "WebSocket", "htmx:(afterRequest|sendError)", "status of 422"]
    # given a provider in a cellar, with places on the screen and no network
    user = given_provider(home)
    page = visit(user, "/places/")
    assert_live(page)
    card, kept = place(page, home), page.locator("#places-waiting")
    page.context.set_offline(True)
    # when she taps twice, then both wait, each with its time, and the card says what she said
    press(card, "One more empty: Beds")
    press(card, "One more empty: Beds")
    expect(card.locator(".lune-place__figure strong")).to_have_text("5")
    expect(card.get_by_text("Waiting to be sent: 5 empty, made at")).to_be_visible()
    expect(kept.get_by_role("listitem")).to_have_text(
        [re.compile(rf"{said} empty, made at \d\d:\d\d. Waiting to be sent.$") for said in (4, 5)]
    )
    assert_accessible(page)
    assert CapacityReport.objects.filter(pool=home).count() == 0
    # and when the page is closed, the session ends, and she opens the page elsewhere with a network
    made = timezone.now()
    page.context.clear_cookies(name="sessionid")
    page.context.set_offline(False)
    expect(kept.get_by_role("link", name="Sign in again to send it")).to_be_visible()
    page.close()
    page = page.context.new_page()
    page.goto("/account/login/?next=/places/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page.get_by_role("main"), "Sign in")
    # then both are sent in their order, with the times when they were made, and each counts once
    kept = page.locator("#places-waiting")
    expect(kept.get_by_role("listitem")).to_have_text([re.compile(rf"{said} empty, .*Sent and kept.$") for said in (4, 5)])
    shows(page, home, "5 free", "green")
    told = CapacityReport.objects.filter(pool=home).order_by("version")
    assert [report.available for report in told] == [4, 5]
    assert told[0].observed_at < told[1].observed_at < made + timedelta(seconds=1)
    # and what cannot be kept is said with its reason, until she has seen it
    page.context.set_offline(True)
    card = place(page, home)
    card.get_by_text("Type a number, waiting list or note").click()
    card.get_by_label("Empty now").fill("40")
    press(card, "Save all of this")
    page.context.set_offline(False)
    expect(kept.get_by_role("listitem").first).to_contain_text("Not kept: You said 40 free, but there are 10 in all.")
    expect(card.locator(".lune-place__figure strong")).to_have_text("5")
    press(kept, "I have seen it")
    expect(kept.get_by_text("Not kept")).to_have_count(0)


@pytest.mark.req("R239")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_home_tells_from_a_message_without_an_account(visit: Visit, console: list[str], home: ServiceCapacity, javascript: bool):
    console.append("status of 4(04|22)")
    # given a provider who says where and when it may be asked, and types the code that came
    page = visit(given_provider(home), "/places/", javascript=javascript)
    follow(page, "How we ask you")
    follow(page, "Fir Grove")
    page.get_by_label("E-mail address or mobile number").fill("fir@example.org")
    press(page, "Save")
    expect(page.get_by_text("We have sent a code to that address")).to_be_visible()
    assert_accessible(page) if javascript else None
    _, code = make_code(service_id=home.service_id, at=timezone.now())
    page.get_by_label("The code that came to this address").fill(code)
    press(page, "Confirm")
    press(page, "Send me a link now")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    # when it opens the link on any machine, one press is all
    _, token = issue_link(service=home.service, channel="email", sent_to="fir@example.org", at=timezone.now())
    page = visit(None, f"/tell/{token}/", javascript=javascript)
    expect(page.get_by_text("3 beds free?")).to_be_visible()
    assert_accessible(page) if javascript else None
    press(page, "One fewer: 2")
    # then it is thanked, and everybody sees it
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    shows(page, home, "2 free", "green")
    # when that was wrong it takes it back, and writes the right number
    press(page, "Undo: that was wrong")
    page.get_by_label("Another number").fill("7")
    press(page, "Tell this number")
    shows(page, home, "7 free", "green")
    # and when there are too many messages, one press stops them, and the link is of no more use
    follow(page, "Stop these messages")
    press(page, "Stop these messages")
    expect(page.get_by_role("status")).to_contain_text("The messages are stopped.")
    page.goto(f"/tell/{token}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("This link cannot be used")
    home.refresh_from_db()
    assert (home.available, home.reported_via) == (7, "link")


def test_what_managers_curators_and_keepers_of_keys_read_of_places(visit: Visit, console: list[str], home: ServiceCapacity):
    console.append("status of 404")
    # given a month of figures, an answer that was not understood, a message that failed, and a provider who keeps the keys
    at = timezone.now()
    for ago in range(40):
        figures = {"available": ago % 3, "maximum": 10, "status": "capacity", "via": "web", "version": 40 - ago}
        CapacityReport.objects.create(pool=home, kind="report", observed_at=at - ago * DAY, received_at=at - ago * DAY, **figures)
    sum_days(at=at)
    asked = {"channel": "sms", "sent_to": "+447700900123", "created_at": at}
    AskingPreference.objects.create(service=home.service, channel="sms", address="+447700900123", changed_at=at, confirmed_at=at)
    Ask.objects.create(service=home.service, why="stale", failed_at=at, failed_because="There is no such number.", **asked)
    Reply.objects.create(
        channel="sms", gateway_id="1", sender="+447700900123", words="ask Sue", received_at=at, service=home.service,
        outcome="asked-again", answer="Sorry, we are not sure what you mean.",
    )  # fmt: skip
    manager, curator, provider = UserFactory(manager=True), UserFactory(curator=True), given_provider(home)
    provider.keeps_keys = True
    provider.save()
    # when each opens what is theirs, then it reads well
    page = visit(manager, "/history/")
    expect(page.get_by_role("heading", name="Figures too old to be believed")).to_be_visible()
    assert_accessible(page)
    page.goto(f"/places/{home.pk}/history/")
    assert_accessible(page)
    # a screen on the wall gets a link, and loses it again
    page.goto("/board/screens/")
    page.get_by_label("Where does the screen hang?").fill("Lounge")
    press(page, "Make a link")
    link = page.locator(".lune-key-text").get_attribute("href")
    assert_accessible(page)
    wall = visit(None, link)
    shows(wall, home, "3 free", "green")
    press(page, re.compile("^Take back"))
    expect(page.get_by_text("The link of Lounge has ended.")).to_be_visible()
    wall.reload()
    expect(wall.get_by_role("heading", level=1)).to_have_text("This screen shows nothing any more")
    page = visit(curator, "/curate/replies/")
    expect(page.get_by_text("ask Sue")).to_be_visible()
    assert_accessible(page)
    page.goto("/curate/asking/")
    expect(page.get_by_text("There is no such number.")).to_be_visible()
    assert_accessible(page)
    page = visit(provider, "/places/keys/")
    page.get_by_label("Which system is it for?").fill("Care records")
    press(page, "Make a key")
    expect(page.get_by_text("Copy it now")).to_be_visible()
    assert_accessible(page)
