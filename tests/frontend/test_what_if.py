"""The pages of a what-if question: what is typed stays, work is stopped and taken up, and the answer is words, tables and a file."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from flow.models import WhatIf
from flow.simulation.compare import Range
from flow.tasks import simulate_what_if
from frontend.presenters import what_if as presenter
from tests.factories import OutcodeFactory, UserFactory
from tests.flow.waiting import home, waits
from tests.stack.live import BACKEND

pytestmark = pytest.mark.django_db
USUAL = {"policies": ["longest"], "days": "30", "seeds": "5", "name": ""}


@pytest.fixture
def nurse():
    OutcodeFactory()
    return UserFactory()


@pytest.fixture
def boss(nurse):
    user = UserFactory(manager=True, organization=nurse.organization)
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def text_of(answer) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def test_what_is_typed_stays_and_each_mistake_is_beside_its_field(boss):
    home(0, service__name="Ash Lodge")
    wrong = USUAL | {"close_name": "Nowhere House", "people_percent": "15"}
    answer = boss.post(reverse("what-if-new"), wrong)
    page = text_of(answer)
    assert answer.status_code == 422
    for words in (
        "Nowhere House",
        'value="15"',
        "We do not know a service called",
        'href="#id_close_name"',
        '<details class="nhsuk-details" open>',
    ):
        assert words in page
    answer = boss.post(reverse("what-if-new"), USUAL | {"add_places": "5"})
    assert "Choose which kind of place is added" in text_of(answer)
    answer = boss.post(reverse("what-if-new"), USUAL | {"strike_percent": "50"})
    assert "days go from 1 to 120" in text_of(answer)
    for part, words in (
        ({"people_pathway": "P2"}, "Give a change from -100 to 300 per cent."), ({"add_day": "3"}, "Choose which kind of place is added"),
        ({"strike_first": "3"}, "how much of the work stands still"), ({"answers_day": "3"}, "by how much answers are faster"),
        ({"people_percent": "15", "people_first": "31"}, "That is after the 30 days that are simulated"),
    ):  # fmt: skip
        assert words in text_of(boss.post(reverse("what-if-new"), USUAL | part))
    assert not WhatIf.objects.exists()


def test_a_question_is_stopped_taken_up_read_and_saved(boss, nurse):
    home(0, available=1)
    for days in (1, 5):
        waits(nurse, days=days, discharge_pathway="P3", patient__given_name="Canary")
    asked = boss.post(reverse("what-if-new"), USUAL | {"people_percent": "50", "people_last": "10", "seeds": "5"})
    question = WhatIf.objects.get()
    page = reverse("what-if-answer", args=[question.pk])
    assert asked["Location"] == page
    assert question.name == "50% more people on all pathways from day 1 to day 10"
    assert "Simulating" in text_of(boss.get(page))
    assert "HX-Refresh" not in boss.get(page, headers={"HX-Request": "true"})
    stopped = text_of(boss.post(reverse("what-if-stop", args=[question.pk]), follow=True))
    assert "0 of 10 runs done" in stopped
    assert boss.get(page, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert simulate_what_if(str(question.pk)) == "nothing to do"
    assert "Simulating" in text_of(boss.post(reverse("what-if-go-on", args=[question.pk]), follow=True))
    assert simulate_what_if(str(question.pk)) == "done"
    answer = text_of(boss.get(page, {"policy": "<nonsense>"}))
    for words in ("bed-days", "with “longest wait first”", "assumed: too few seen to the end", "2 people of yours wait", 'role="img"'):
        assert words in answer
    assert "Canary" not in answer
    rows = list(csv.DictReader(io.StringIO(text_of(boss.get(reverse("what-if-csv", args=[question.pk]))))))
    assert len([row for row in rows if row["pathway"] == "all"]) == 10
    assert {row["change"] for row in rows} == {presenter.TODAY, presenter.CHANGED}
    assert question.name in text_of(boss.get(reverse("what-if")))
    again = text_of(boss.post(reverse("what-if-stop", args=[question.pk]), follow=True))
    assert "It has ended already" in again


def test_differences_are_told_as_far_as_they_are_clear():
    question = WhatIf(name="Beds", days=60, at=timezone.now())
    assert presenter.difference(Range(-412, -520, -300), "bed_days") == "412 fewer (300 to 520 fewer)"
    assert presenter.difference(Range(3, -2, 8), "placed") == "not clear: from 2 fewer to 8 more"
    assert presenter.difference(Range(0, 0, 0), "wait_mean") == "no difference"
    assert presenter.difference(Range(1609.344, 1609.344, 3218.688), "km") == "1,000 more (1,000 to 2,000 more)"
    said = presenter._said(Range(-412, -520, -300), "bed-day", "bed_days")
    assert said == "412 fewer bed-days (in nine of ten futures between 300 and 520)"
    assert "no clear difference" in presenter._said(Range(1, -2, 8), "bed-day", "bed_days")
    assert str(question) == "Beds"
