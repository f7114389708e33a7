"""The manager's figures: right, in scope, readable without seeing, and never about a person."""

import csv
import io
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from frontend.presenters import charts, dashboard
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def region(manager):
    """Two people wait in one hospital (two days; thirty days), one in another; three pools of different colour."""
    at = timezone.now()
    hospital = factories.OrganizationFactory(hospital=True, name="Hospital A")
    other = factories.OrganizationFactory(hospital=True, name="Hospital B")
    for organization, days in ((hospital, 2), (hospital, 30), (other, 2)):
        factories.EpisodeFactory(
            patient__organization=organization,
            started_at=at - timedelta(days=days + 5),
            ready_at=at - timedelta(days=days, hours=1),
            delay_reason="funding",
        )
    factories.PoolFactory(service__name="Green House")
    factories.PoolFactory(service__name="Red House", full=True)
    factories.PoolFactory(service__name="Grey House", unknown=True)
    return hospital


@pytest.fixture
def desk(client, manager, region):
    client.force_login(manager)
    return client


def test_a_manager_of_the_region_sees_everybody_counted(desk):
    html = desk.get(reverse("dashboard")).content.decode()
    assert "The region" in html
    assert '<span class="lune-count__number">3</span> people waiting now' in html
    assert '<span class="lune-count__number">1</span> of them for 21 days or more' in html
    assert "Waiting for funding" in html
    assert "P3: care home" in html


def test_a_manager_of_a_hospital_sees_that_hospitals_figures_alone(client, region):
    client.force_login(factories.UserFactory(manager=True, organization=region))
    html = client.get(reverse("dashboard")).content.decode()
    assert "Hospital A" in html
    assert '<span class="lune-count__number">2</span> people waiting now' in html
    assert "Hospital B" not in html


def test_no_page_of_figures_names_a_person(desk):
    for address in (reverse("dashboard"), reverse("dashboard-csv")):
        text = desk.get(address).content.decode()
        for secret in ("Featherstonehaugh", "Canary", "PR1 2HE", "Ward 12"):
            assert secret not in text


@pytest.mark.parametrize("role", ["referrer", "provider", "curator", "administrator"])
@pytest.mark.parametrize("page", ["dashboard", "dashboard-csv"])
def test_figures_are_for_managers(client, request, role, page):
    client.force_login(request.getfixturevalue(role))
    assert client.get(reverse(page)).status_code == 403


@pytest.mark.req("R028")
def test_capacity_by_colour_in_words_and_numbers(desk):
    html = desk.get(reverse("dashboard")).content.decode()
    words = "Accepting now: 1, Check first, few left or waiting list: 0, Full or not accepting: 1, Not known: 1"
    assert words in html
    assert "3 places free" in html


def test_the_map_shows_the_kind_in_the_address_and_the_same_as_a_list(desk):
    factories.PoolFactory(service__name="Friendly Lunch", service__care_type=factories.term("care-type", "lunch-club"))
    html = desk.get(reverse("dashboard"), {"kind": "lunch-club"}).content.decode()
    assert "Friendly Lunch" in html
    assert "Green House" not in html
    html = desk.get(reverse("dashboard"), {"kind": "group:Care homes"}).content.decode()
    assert "Green House" in html
    assert "Friendly Lunch" not in html
    assert "The same as a list: 3 groups of places" in html
    assert "Green House" in desk.get(reverse("dashboard"), {"kind": "nonsense"}).content.decode()


def test_a_confidential_place_is_not_on_the_map(desk):
    factories.PoolFactory(service__name="Refuge", location__is_confidential=True)
    assert "Refuge" not in desk.get(reverse("dashboard")).content.decode()


def test_the_refresh_brings_the_figures_and_leaves_the_map(desk):
    html = desk.get(reverse("dashboard"), headers={"HX-Request": "true"}).content.decode()
    assert 'data-live-topics="region"' in html
    assert "people waiting now" in html
    assert "data-map" not in html
    assert "<html" not in html


def test_the_file_holds_the_same_figures(desk):
    answer = desk.get(reverse("dashboard-csv"))
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["figure", "of", "part", "count"]
    assert ["waiting by pathway", "P3: care home", "21+ days", "1"] in rows
    assert ["waiting by pathway", "P3: care home", "2–6 days", "2"] in rows
    assert ["pools by colour", "Care homes", "red", "1"] in rows
    assert sum(int(row[3]) for row in rows if row[0] == "waiting by delay") == 3


def test_the_page_asks_for_no_inline_style(desk):
    html = desk.get(reverse("dashboard")).content.decode()
    assert "style=" not in html
    assert "<style" not in html


def test_a_chart_is_one_image_with_a_name_and_a_description():
    rows = [{"day": f"2026-11-{day:02}", "series": "People waiting", "count": day} for day in range(1, 8)]
    svg = str(charts.lines(rows, title="Waiting", description="From 1 to 7 <people>", y_title="People"))
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("width") is None  # it scales with the page
    texts = {child.tag.rsplit("}")[-1]: child for child in root[:2]}
    assert texts["title"].text == "Waiting"
    assert texts["desc"].text == "From 1 to 7 <people>"
    assert root.get("aria-labelledby") == texts["title"].get("id")
    assert not [element for element in root[2:] for name in element.attrib if name.startswith("aria-") or name == "style"]


def test_no_figures_make_no_chart():
    assert charts.lines([], title="", description="", y_title="") == ""


def test_stacked_bars_share_one_scale_or_fill_the_width():
    rows = [("Many", (6, 2)), ("Few", (1, 0)), ("None", (0, 0))]
    keys = (("green", "Free"), ("red", "Full"))
    many, few, none = charts.bars(rows, keys)
    assert [(part.start, part.width) for part in many.parts] == [(0, 75), (75, 25)]
    assert few.parts[0].width == 12.5
    assert none.total == 0
    assert many.words == "Free: 6, Full: 2"
    assert charts.bars(rows, keys, shares=True)[1].parts[0].width == 100


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(minutes=200), "3 h 20 min"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=2, hours=5), "2 days 5 h"),
    ],
)
def test_durations_in_words(value, words):
    assert dashboard.duration(value) == words
