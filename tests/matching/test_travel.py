"""How long the way takes: by planners over HTTP, by a real pgRouting on real tables of osm2pgrouting, and when none of them answers."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import httpx
import psycopg
import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from core.geo import to_wgs84
from matching import operations
from matching.engine.journey import CAR, ON_FOOT
from matching.travel import asking
from matching.travel.asking import Breaker, ask, travel
from matching.travel.http import Osrm, Valhalla
from matching.travel.pace import pace
from matching.travel.pgrouting import PgRouting
from matching.travel.router import Away, Place, Router, Way, router
from tests.factories import CriterionFactory, LocationFactory, NeedProfileFactory, OutcodeFactory, PoolFactory, near, term
from tests.matching.test_rules import FACTS, OXYGEN, PACES, facts, need

HOME, FIRST, SECOND = Place(353_000, 429_000), Place(356_000, 429_000), Place(353_000, 432_000)
DRIVER, RIDER, ANYBODY = (need(paces=PACES, mode=mode) for mode in (1, 2, 0))


def answering(planner: Valhalla | Osrm, answer: Callable[[httpx.Request], httpx.Response]) -> Valhalla | Osrm:
    planner._client = httpx.Client(transport=httpx.MockTransport(answer))
    return planner


def valhalla(request: httpx.Request) -> httpx.Response:
    """As Valhalla documents its matrix: the targets in any order, kilometres, and null where there is no way."""
    asked = json.loads(request.content)
    assert (request.method, request.url.path) == ("POST", "/sources_to_targets")
    assert (asked["costing"], asked["units"], len(asked["sources"])) == ("auto", "kilometers", 1)
    assert asked["targets"][0] == pytest.approx({"lon": FIRST.lon_lat[0], "lat": FIRST.lon_lat[1]})
    row = [
        {"from_index": 0, "to_index": 1, "time": None, "distance": None},
        {"from_index": 0, "to_index": 0, "time": 400, "distance": 4.25},
    ]
    return httpx.Response(200, json={"sources_to_targets": [row], "units": "kilometers"})


def osrm(request: httpx.Request) -> httpx.Response:
    """As OSRM documents its table: places as longitude and latitude in the address, seconds and metres."""
    assert request.url.path == "/table/v1/driving/" + ";".join("{:.6f},{:.6f}".format(*place.lon_lat) for place in (HOME, FIRST, SECOND))
    assert dict(request.url.params) == {"sources": "0", "destinations": "1;2", "annotations": "duration,distance"}
    return httpx.Response(200, json={"code": "Ok", "durations": [[400.1, None]], "distances": [[4250.2, None]]})


PLANNERS = [(Valhalla, valhalla), (Osrm, osrm)]


@pytest.mark.parametrize(("kind", "server"), PLANNERS)
def test_a_planner_is_asked_once_for_all_places(kind, server):
    planner = answering(kind("http://user:secret@planner:8002/", 1), server)
    assert planner.times(CAR, HOME, [FIRST, SECOND]) == [Way(400, 4250), None]
    assert planner.about() == "http://planner:8002"


def _late(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


def _down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("", request=request)


@pytest.mark.parametrize("kind", [Valhalla, Osrm])
@pytest.mark.parametrize(
    ("server", "why"),
    [
        (_late, "did not answer in time"),
        (_down, "did not answer"),
        (lambda request: httpx.Response(400, json={"error": "No suitable edges near location"}), "refused the question (400)"),
        (lambda request: httpx.Response(200, text="<html>"), "answered with something that is no answer"),
        (lambda request: httpx.Response(200, json={"code": "Ok", "durations": [[1]], "sources_to_targets": [[]]}), "something that is no"),
        (lambda request: httpx.Response(200, json=[]), "something that is no answer"),
    ],
)
def test_whatever_goes_wrong_is_said_and_nothing_else_happens(kind, server, why):
    with pytest.raises(Away) as caught:
        answering(kind("http://planner", 1), server).times(CAR, HOME, [FIRST, SECOND])
    assert why in str(caught.value)


# --- pgRouting

#: Crossings by name, in metres east and north of the middle: home, the town to the east, and round by the north; and a road on an island.
CROSSINGS = {"home": (0, 0), "corner": (0, 2_000), "other": (3_000, 2_000), "town": (3_000, 0), "isle": (0, 9_000), "pier": (500, 9_000)}
#: Round by the north both ways; straight only from the town home; the island by itself.
ROADS = (("home", "corner", "other", "town"), ("town", "home"), ("isle", "pier"))


@pytest.fixture(scope="module")
def roads(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[PgRouting]:
    """A made-up town, loaded by the real osm2pgrouting into a schema of its own, with the real pgRouting beside it."""
    osm = ElementTree.Element("osm", version="0.6")
    for number, offset in enumerate(CROSSINGS.values(), start=1):
        point = to_wgs84(near(*offset))
        ElementTree.SubElement(osm, "node", id=str(number), lat=f"{point.y:.7f}", lon=f"{point.x:.7f}", version="1")
    for number, road in enumerate(ROADS, start=1):
        way = ElementTree.SubElement(osm, "way", id=str(number), version="1")
        for name in road:
            ElementTree.SubElement(way, "nd", ref=str([*CROSSINGS].index(name) + 1))
        for key, value in {"highway": "secondary"}.items() | ({("oneway", "yes")} if road == ("town", "home") else set()):
            ElementTree.SubElement(way, "tag", k=key, v=value)
    file = tmp_path_factory.mktemp("roads") / "town.osm"
    ElementTree.ElementTree(osm).write(file, encoding="utf-8", xml_declaration=True)
    with django_db_blocker.unblock():
        given = {
            "dbname": connection.settings_dict["NAME"],
            "user": connection.settings_dict["USER"],
            "host": connection.settings_dict["HOST"],
        }
        dsn = psycopg.conninfo.make_conninfo(**given)
    with psycopg.connect(dsn, autocommit=True) as own:
        own.execute("CREATE EXTENSION IF NOT EXISTS pgrouting; DROP SCHEMA IF EXISTS roads CASCADE; CREATE SCHEMA roads")
        load = ["osm2pgrouting", "--file", str(file), "--conf", "/usr/share/osm2pgrouting/mapconfig_for_cars.xml", "--schema", "roads"]
        load += ["--dbname", given["dbname"], "--username", given["user"], "--host", given["host"], "--clean"]
        subprocess.run(load, check=True, capture_output=True)
        yield PgRouting(dsn, "roads", 5)
        own.execute("DROP SCHEMA roads CASCADE")


def at(name: str) -> Place:
    point = near(*CROSSINGS[name])
    return Place(round(point.x), round(point.y))


def test_pgrouting_finds_the_soonest_way_by_the_roads_that_were_loaded(roads):
    """Not the straight street, which is one-way: round by the north. An island, and a moor without roads, cannot be reached."""
    moor = Place(at("isle").x + 40_000, at("isle").y)
    town, isle, far, here = roads.times(CAR, at("home"), [at("town"), at("isle"), moor, at("home")])
    assert (isle, far, here) == (None, None, Way(0, 0))
    [back] = roads.times(CAR, at("town"), [at("home")])
    assert (town.metres, back.metres) == (pytest.approx(7_000, rel=0.01), pytest.approx(3_000, rel=0.01))
    assert town.seconds / back.seconds == pytest.approx(7 / 3, rel=0.02)
    assert roads.times(CAR, moor, [at("home")]) == [None]


def test_a_search_asks_the_planner_of_the_settings(roads, settings, monkeypatch):
    """From the setting to the words, by the real planner."""
    cache.clear()
    monkeypatch.setattr(asking, "breaker", Breaker())
    settings.ROUTER, settings.ROUTER_URL, settings.ROUTER_SCHEMA, settings.ROUTER_TIMEOUT = "pgrouting", roads._dsn, "roads", 5.0
    (x, y), there = at("home"), at("town")
    here, town = replace(DRIVER, x=x, y=y), facts(x=there.x, y=there.y)
    told = travel(here, town, ask(here, [town]))
    assert (told.how, told.mode) == ("road", "by car")
    assert told.words == "About 10 minutes by car, 4.4 miles by road"


def test_pgrouting_says_that_no_roads_are_loaded_and_that_nobody_is_there(roads):
    with pytest.raises(Away, match="load them with osm2pgrouting"):
        PgRouting(roads._dsn, "pg_catalog", 5).times(CAR, HOME, [FIRST])
    with pytest.raises(Away, match="did not answer"):
        PgRouting("host=/nowhere dbname=roads", "roads", 1).times(CAR, HOME, [FIRST])


# --- reckoning and asking


def test_an_operator_says_how_long_ways_take_and_is_told_what_is_wrong():
    assert pace("LUNE_TRAVEL_BY_CAR", "1.4,35,5") == (300, 144)
    for wrong in ("", "1.4,35", "fast", "1.4,0,5", "0.9,35,5", "1.4,35,-1", "nan,35,5"):
        with pytest.raises(ImproperlyConfigured, match="LUNE_TRAVEL_BY_CAR is"):
            pace("LUNE_TRAVEL_BY_CAR", wrong)


class Planner(Router):
    """Six minutes to wherever somebody asks, until it goes away."""

    name = "planner"
    ways = frozenset({ON_FOOT, CAR})

    def __init__(self) -> None:
        self.asked: list[tuple[int, Place, list[Place]]] = []
        self.away = False
        self.way: Way | None = Way(360, 5_000)

    def times(self, way, home, places):
        self.asked.append((way, home, list(places)))
        if self.away:
            raise Away("did not answer in time")
        return [self.way] * len(places)

    def about(self) -> str:
        return "in this test"


@pytest.fixture
def planner(monkeypatch) -> Planner:
    cache.clear()
    made = Planner()
    monkeypatch.setattr(asking, "router", lambda: made)
    monkeypatch.setattr(asking, "breaker", Breaker())
    return made


def test_the_way_is_asked_in_the_persons_own_way_and_where_there_is_one(planner):
    """By car for who drives, and where nobody has said; on foot where that is sooner than a bus, of which no planner knows the times."""
    near_by, far, at_home = facts(pool_id="b", x=400, y=0), facts(pool_id="c"), facts(pool_id="d", care_type=14)
    pools = [near_by, far, at_home._replace(online=True), facts(pool_id="e", x=None, y=None)]
    assert ask(DRIVER, pools)["ways"] == {"b": [CAR, 360, 5_000], "c": [CAR, 360, 5_000]}
    assert ask(RIDER, pools)["ways"] == {"b": [ON_FOOT, 360, 5_000]}
    assert ask(replace(DRIVER, comes=1), pools) == {}
    assert [(way, len(places)) for way, _, places in planner.asked] == [(CAR, 2), (ON_FOOT, 1)]


def test_neighbours_share_an_answer_and_nobodys_own_home_is_told(planner):
    ask(replace(DRIVER, x=20, y=-30), [FACTS])
    ask(replace(DRIVER, x=-40, y=49), [FACTS, FACTS._replace(pool_id="z", x=9_000)])
    assert planner.asked == [(CAR, Place(0, 0), [Place(3_000, 4_000)]), (CAR, Place(0, 0), [Place(9_000, 4_000)])]
    planner.way = None
    ask(replace(DRIVER, x=5_000), [FACTS])
    ask(replace(DRIVER, x=5_000), [FACTS])
    assert len(planner.asked) == 3, "that there is no way is remembered too"


def test_only_the_best_lines_are_asked_about(planner):
    ask(DRIVER, [FACTS._replace(pool_id=str(number), x=number * 100) for number in range(60)])
    assert len(planner.asked[0][2]) == asking.BEST == 40


def test_a_planner_that_is_away_is_left_alone_for_a_while(planner):
    planner.away = True
    for number in range(5):
        said = ask(replace(DRIVER, x=number * 1_000), [FACTS])
    assert len(planner.asked) == asking.FAILURES
    assert travel(DRIVER, FACTS, said).words.endswith("because the route planner did not answer when it was last asked")
    planner.away, asking.breaker.since = False, asking.breaker.since - asking.PAUSE
    assert ask(DRIVER, [FACTS])["ways"]
    assert not asking.breaker.is_open()


@pytest.mark.parametrize(
    ("need_", "facts_", "said", "expected"),
    [
        (DRIVER, FACTS, {}, (15, "straight-line", "About 15 minutes by car, reckoned from the distance")),
        (RIDER, FACTS, {}, (30, "straight-line", "About 30 minutes by public transport, reckoned from the distance")),
        (DRIVER, FACTS, {"ways": {"a": [1, 601, 8_047]}}, (16, "road", "About 16 minutes by car, 5.0 miles by road")),
        (DRIVER, FACTS, {"ways": {"a": [1, 600, None]}}, (15, "road", "About 15 minutes by car, by road")),
        (
            replace(DRIVER, max_minutes=15),
            FACTS,
            {"ways": {"a": [1, 900, None]}},
            (20, "road", "About 20 minutes by car, by road; that is longer than the 15 minutes you gave"),
        ),
        (
            DRIVER,
            FACTS,
            {"away": "did not answer in time", "asked": ["a"]},
            (15, "straight-line", "About 15 minutes by car, reckoned from the distance because the route planner did not answer in time"),
        ),
        (DRIVER, FACTS, {"away": "is off", "asked": ["b"]}, (15, "straight-line", "About 15 minutes by car, reckoned from the distance")),
        (
            DRIVER,
            FACTS,
            {"ways": {"a": [1, None, None]}},
            (15, "straight-line", "About 15 minutes by car, reckoned from the distance because the route planner knows no way there"),
        ),
        (
            ANYBODY,
            FACTS,
            {"ways": {"a": [1, 300, None]}},
            (10, "road", "About 10 minutes by car, by road; about 30 minutes by public transport, reckoned from the distance. "
             "Whether the person drives is not known"),
        ),
        (replace(RIDER, visits=OXYGEN), facts(accepts=OXYGEN), {}, (None, "no-journey", "No journey for the person")),
        (DRIVER, facts(x=None, y=None), {}, (None, "", "")),
        (need(), FACTS, {}, (None, "", "")),
    ],
)  # fmt: skip
def test_it_is_said_how_long_the_way_is_and_how_that_is_known(need_, facts_, said, expected):
    told = travel(need_, facts_, said)
    assert (told.minutes, told.how, told.words) == expected


@pytest.mark.django_db
def test_a_planner_changes_the_words_and_never_the_order(planner):
    """What it said is kept with the run: the same words again, though it is asked no more."""
    pools = [PoolFactory(location=LocationFactory(point=near(metres))) for metres in (1_000, 4_000)]
    profile = NeedProfileFactory(drives=True)
    run = operations.match(profile, by=None, at=timezone.now())
    planner.away = True
    lines = operations.lines(run)
    assert [line.pool_id for line in lines] == [pool.pk for pool in pools]
    assert {line.travel.words for line in lines} == {"About 11 minutes by car, 3.1 miles by road"}
    assert operations.replay(run) == lines
    cache.clear()
    without = operations.lines(operations.match(profile, by=None, at=run.at))
    assert [(line.pool_id, line.score) for line in without] == [(line.pool_id, line.score) for line in lines]
    assert all("because the route planner did not answer in time" in line.travel.words for line in without)


@pytest.mark.django_db
@pytest.mark.req("R071")
def test_the_longest_travel_time_is_by_the_way_that_the_person_travels():
    """Eight kilometres: 25 minutes by car and an hour by bus. What visits people is as near as can be."""
    kind = term("care-type", "befriending")
    far, visiting = (PoolFactory(location=LocationFactory(point=near(metres)), service__care_type=kind) for metres in (8_000, 9_000))
    CriterionFactory(service=visiting.service, term=term("need", "home-visit"))

    def found(**given):
        run = operations.match(NeedProfileFactory(care_types=["befriending"], max_minutes=30, **given), by=None, at=timezone.now())
        return run, {line.pool_id: line for line in operations.lines(run)}

    assert found(drives=True)[1].keys() == {far.pk, visiting.pk}
    run, lines = found(drives=False)
    assert lines.keys() == {visiting.pk}
    assert lines[visiting.pk].travel.words == "No journey for the person"
    why = operations.why_not(run, far.pk)
    assert (why.summary, why.failed[0].code) == ("It does not fit: the longest travel time.", "travel")
    assert why.failed[0].change == "It would fit if somebody drove the person: about 25 minutes by car."
    unknown = found(drives=None)[1][far.pk].unknown
    assert any(sentence.endswith("ask whether the person drives.") for sentence in unknown)


@pytest.mark.django_db
def test_who_nearly_fits_is_kept_where_it_is_asked_for():
    listed, full = (PoolFactory(location=LocationFactory(point=near(metres)), full=metres == 100) for metres in (900, 100))
    profile = NeedProfileFactory()
    assert operations.nearest_misses(operations.match(profile, by=None, at=timezone.now())).lines == []
    run = operations.match(profile, by=None, at=timezone.now(), nearly=True)
    assert [line.pool_id for line in operations.lines(run)] == [listed.pk]
    [miss] = operations.nearest_misses(run).lines
    assert (miss.pool_id, miss.failed[0].code) == (full.pk, "place")


@pytest.mark.django_db
def test_the_command_says_whether_the_planner_answers(planner, settings, monkeypatch):
    from matching.management.commands import check_router

    def said() -> str:
        out = StringIO()
        call_command("check_router", "PR1", "PR1", stdout=out)
        return out.getvalue()

    assert "No route planner is set" in said()
    for name, url, wrong in (
        ("google", "http://x", "may be one of: valhalla, osrm, pgrouting"),
        ("osrm", "", "LUNE_ROUTER_URL does not say"),
    ):
        settings.ROUTER, settings.ROUTER_URL = name, url
        with pytest.raises(CommandError, match=wrong):
            said()
    settings.ROUTER_URL = "http://planner:5000"
    assert isinstance(router(), Osrm)
    OutcodeFactory()
    monkeypatch.setattr(check_router, "router", lambda: planner)
    assert "6 minutes by car, 3.1 miles" in said()
    planner.way = None
    with pytest.raises(CommandError, match="knows no way between these two"):
        said()
    planner.away = True
    with pytest.raises(CommandError, match="did not answer in time"):
        said()


@pytest.mark.django_db
def test_a_wrong_setting_costs_no_search(settings, caplog):
    settings.ROUTER = "google"
    pool = PoolFactory()
    run = operations.match(NeedProfileFactory(), by=None, at=timezone.now())
    assert [line.pool_id for line in operations.lines(run)] == [pool.pk]
    assert "may be one of" in caplog.text
