"""The plan board as pages: what a team and a manager see, what each button does, and who was looked at."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import capacity.operations as places
from core.models import AuditEntry
from flow.models import EpisodeHold, Plan, PlanDecision
from flow.planning import operations as planning
from flow.planning.queries import current_plan
from tests.factories import UserFactory
from tests.flow.helpers import provider_of
from tests.flow.waiting import home, waits
from tests.stack.live import BACKEND

pytestmark = pytest.mark.django_db
BOARD = "/plan/"


def browser(user) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def text_of(answer) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode()


def line_page(plan, stay) -> str:
    return reverse("plan-line", args=[plan.lines.get(episode=stay).pk])


@pytest.fixture
def ada(referrer):
    return waits(referrer, days=9, patient__given_name="Ada", patient__family_name="Byron", discharge_pathway="P3")


def test_a_team_draws_up_the_plan_and_holds_a_place_from_the_board(referrer, ada):
    pool = home(0)
    team = browser(referrer)
    assert "No plan has been drawn up yet" in text_of(team.get(BOARD))
    drawn = text_of(team.post(reverse("plan-draw"), follow=True))
    for words in ("Ada Byron", pool.service.name, "Proved: by the points in force", "Hold this place", "points better than waiting on"):
        assert words in drawn
    assert not EpisodeHold.objects.exists()
    held = text_of(team.post(line_page(current_plan(referrer), ada), {"action": "accept"}, follow=True))
    assert "The place is held until" in held
    assert EpisodeHold.objects.get().reservation.pool == pool


def test_who_is_shown_is_written_to_the_read_audit_and_a_manager_reads_figures_alone(referrer, ada):
    home(0)
    bea = waits(referrer, days=1, patient__given_name="Bea", patient__family_name="Webb", discharge_pathway="P1")
    planning.draw_up(by=referrer, at=timezone.now())
    team = browser(referrer)

    def looks(purpose: str = "direct-care") -> list:
        return list(AuditEntry.objects.filter(user_id=referrer.pk, purpose=purpose).values_list("record_id", flat=True))

    team.get(BOARD, {"pathway": "P1"})
    assert looks() == [bea.patient_id]
    rows = list(csv.reader(io.StringIO(text_of(team.get(reverse("plan-csv"), {"show": "left-out"})))))
    assert [row[0] for row in rows] == ["Name", "Bea Webb"]
    assert looks("export") == [bea.patient_id]
    for manager in (UserFactory(manager=True, organization=referrer.organization), UserFactory(manager=True)):
        boss = browser(manager)
        if current_plan(manager) is None:
            boss.post(reverse("plan-draw"))
        page, file = text_of(boss.get(BOARD)), text_of(boss.get(reverse("plan-csv")))
        assert "1 person with a suggestion" in page
        assert "Where one more place would do most good" in page
        assert "People,without a place,1" in file
        assert not [name for name in ("Byron", "Webb") if name in page + file]
        assert boss.get(line_page(current_plan(referrer), ada)).status_code == 403
    assert not AuditEntry.objects.exclude(user_id=referrer.pk).exists(), "a manager looks at nobody"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["Ada", "Bea"]),
        ({"show": "open"}, ["Ada", "Bea"]),
        ({"show": "suggested"}, ["Ada"]),
        ({"show": "left-out"}, ["Bea"]),
        ({"show": "news"}, []),
        ({"show": "decided"}, []),
        ({"show": "changed"}, []),
        ({"show": "offered"}, []),
        ({"show": "nonsense", "pathway": "P1"}, ["Bea"]),
    ],
)
def test_filters_stand_in_the_address(referrer, ada, query, shown):
    home(0)
    waits(referrer, days=1, patient__given_name="Bea", discharge_pathway="P1")
    planning.draw_up(by=referrer, at=timezone.now())
    page = text_of(browser(referrer).get(BOARD, query))
    assert [name for name in ("Ada", "Bea") if f">{name} " in page] == shown


def test_a_place_that_went_is_said_on_the_line_and_the_plan_is_repaired(referrer, ada):
    pool = home(0)
    plan = planning.draw_up(by=referrer, at=timezone.now())
    places.report(pool_id=pool.pk, by=provider_of(pool), at=timezone.now(), available=0, via="web")
    team = browser(referrer)
    page = text_of(team.get(BOARD))
    assert "Out of date" in page
    assert "1 line is out of date. 1 service told new figures." in " ".join(page.split())
    said = text_of(team.post(line_page(plan, ada), {"action": "accept"}, follow=True))
    assert "The plan was drawn up anew." in said
    assert f"{pool.service.name} can no longer be had for this person." in said
    assert (current_plan(referrer) != plan, EpisodeHold.objects.exists()) == (True, False)
    late = team.post(line_page(plan, ada), {"action": "accept"})
    assert (late.status_code, "replaced by a newer one" in text_of(late)) == (409, True)


def test_refusing_asks_why_and_keeps_what_was_typed(referrer, ada):
    home(0)
    plan = planning.draw_up(by=referrer, at=timezone.now())
    team, address = browser(referrer), line_page(plan, ada)
    for sent, says in (
        ({"action": "reject", "reason_text": "Words typed"}, "Choose why the place is not right"),
        ({"action": "reject", "reason": "other"}, "Say in a few words what the other reason is."),
        ({"action": "nothing"}, "Choose what to do with this line."),
        ({"action": "choose", "pool": "x"}, "Choose what to do with this line."),
    ):
        wrong = team.post(address, sent)
        page = text_of(wrong)
        assert (wrong.status_code, says in page, sent.get("reason_text", "") in page) == (422, True, True)
    team.post(address, {"action": "reject", "reason": "far", "reason_text": "Too far by bus"})
    assert PlanDecision.objects.get().reason_text == "Too far by bus"
    assert "No place" in text_of(team.get(BOARD))


def test_the_price_of_another_place_stands_beside_it_before_it_is_chosen(referrer, ada):
    close, _ = home(0), home(9_000)
    bea = waits(referrer, days=1, max_distance_m=3_000, patient__given_name="Bea", patient__family_name="Webb")
    plan = planning.draw_up(by=referrer, at=timezone.now())
    team, address = browser(referrer), line_page(plan, ada)
    page = " ".join(text_of(team.get(address)).split())
    assert "Price: " in page
    assert f"Bea Webb: no place instead of {close.service.name}." in page
    assert bea.patient_id in set(AuditEntry.objects.values_list("record_id", flat=True)), "whom the price names is looked at too"
    chosen = text_of(team.post(address, {"action": "choose", "pool": close.pk}, follow=True))
    assert "(chosen by your team)" in chosen
    assert PlanDecision.objects.get().price > 0


def test_the_board_asks_the_database_the_same_for_two_as_for_five(referrer):
    team = browser(referrer)
    counts = []
    for more in (2, 3):
        for number in range(more):
            home(number * 500)
            waits(referrer)
        planning.draw_up(by=referrer, at=timezone.now())
        team.get(BOARD)
        with CaptureQueriesContext(connection) as asked:
            assert text_of(team.get(BOARD)).count("Hold this place") >= more
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_how_far_a_worker_is_and_stopping_it(referrer, ada, monkeypatch):
    monkeypatch.setattr(planning, "AT_ONCE", 0)
    home(0)
    team = browser(referrer)
    page = text_of(team.post(reverse("plan-draw"), follow=True))
    assert "0 of 1 person" in " ".join(page.split())
    part = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "plan-progress"}
    assert 'id="plan-progress"' in text_of(team.get(BOARD, **part))
    assert "being drawn up already" in text_of(team.post(reverse("plan-draw"), follow=True))
    plan = Plan.objects.get()
    assert browser(UserFactory()).post(reverse("plan-stop", args=[plan.pk])).status_code == 404
    assert "was stopped" in text_of(team.post(reverse("plan-stop", args=[plan.pk]), follow=True))
    assert team.get(BOARD, **part).headers["HX-Refresh"] == "true"
    assert timezone.now() - Plan.objects.get().finished_at < timedelta(minutes=1)
