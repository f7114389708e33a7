"""Counting the use of the directory: what is counted, what is never known, and what is told to whom."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from catalogue import usage, usage_figures
from catalogue.models import Service, UsageCount
from catalogue.usage import Kind, Seen
from core.clock import LONDON
from frontend.presenters import usage as present
from tests.factories import AreaFactory, LocationFactory, OrganizationFactory, ServiceFactory, UserFactory, near, term

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"
NOON = datetime(2026, 6, 10, 12, tzinfo=LONDON)
DIRECTORY = "/directory/"


@pytest.fixture(autouse=True)
def _own_store(settings):
    """Nothing of an earlier test, and Redis is asked again after a test in which it was away."""
    usage._left_alone_until = 0.0
    clear(settings)
    yield
    clear(settings)


STORE = usage.store


def clear(settings) -> None:
    for key in STORE().scan_iter(f"{settings.USAGE_PREFIX}:*", count=1000):
        STORE().delete(key)


def somebody(number: int = 1, **headers: str) -> Client:
    return Client(REMOTE_ADDR=f"198.51.100.{number}", headers={"User-Agent": PHONE, **headers})


def counted(at: datetime = NOON) -> dict[tuple[str, str], int]:
    usage.collect(at=at)
    return {(row.kind, row.what or (row.service.name if row.service else "")): row.count for row in UsageCount.objects.all()}


def kept(settings) -> str:
    """All that Redis holds of it."""
    store, found = usage.store(), []
    for key in store.scan_iter(f"{settings.USAGE_PREFIX}:*", count=1000):
        read = {"string": store.get, "set": store.smembers, "hash": store.hgetall}[store.type(key)]
        found.append(f"{key} {read(key)}")
    return " ".join(found)


@pytest.mark.req("R125")
@time_machine.travel(NOON, tick=False)
def test_visitors_visits_searches_openings_and_presses_each_once_a_visitor_and_day():
    tea = ServiceFactory(name="Tea and Talk", care_type=term("care-type", "befriending"))
    page = reverse("service", args=[tea.pk])
    for client in (somebody(1), somebody(1), somebody(2)):
        client.get(DIRECTORY, {"q": "Tea!"})
        client.get(DIRECTORY, {"q": "tea"})
        client.get(DIRECTORY, {"q": "zither lessons"})
        client.get(DIRECTORY, {"care_type": "befriending"})
        client.get(page)
        client.get(page)
        client.post(reverse("service-pressed", args=[tea.pk]), {"what": "phone"})
    with time_machine.travel(NOON + timedelta(minutes=2), tick=False):
        assert counted() == {
            ("visitor", ""): 2, ("visit", ""): 2, ("opened", "Tea and Talk"): 2, ("phone", "Tea and Talk"): 2,
            ("search", "tea"): 2, ("search", "zither lessons"): 2, ("search", "befriending"): 2, ("no-answer", "zither lessons"): 2,
        }  # fmt: skip
    somebody(3).get(page)
    assert counted()[("opened", "Tea and Talk")] == 3  # added to what was collected before
    assert usage.collect(at=NOON) == 0


@pytest.mark.req("R125")
def test_a_visitor_is_known_for_a_day_and_a_visit_ends_after_half_an_hour(settings):
    with time_machine.travel(NOON, tick=False):
        somebody().get(DIRECTORY)
    for key in usage.store().scan_iter(f"{settings.USAGE_PREFIX}:*:here:*", count=1000):
        assert 0 < usage.store().ttl(key) <= 1800
        usage.store().delete(key)  # half an hour goes by
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        somebody().get(DIRECTORY)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        somebody().get(DIRECTORY)
    usage.collect(at=NOON)
    rows = UsageCount.objects.order_by("day", "kind").values_list("day", "kind", "count")
    days = date(2026, 6, 10), date(2026, 6, 11)
    assert list(rows) == [(days[0], "visit", 2), (days[0], "visitor", 1), (days[1], "visit", 1), (days[1], "visitor", 1)]


@time_machine.travel(NOON, tick=False)
def test_nothing_that_is_kept_leads_to_a_person(settings):
    client = somebody(77)
    for words in ("tea", "ring 07700 900123", "jo@example.org", "my mother fell last week and needs somebody"):
        client.get(DIRECTORY, {"q": words, "where": "PR1 8XY"})
    assert not client.cookies
    held = kept(settings)
    assert '"tea"' in held
    assert [told for told in ("198.51", "iPhone", "07700", "jo@", "example", "mother", "PR1", "8XY") if told in held] == []
    hashes = [key for key in usage.store().scan_iter(f"{settings.USAGE_PREFIX}:*", count=1000) if not key.endswith(":counts")]
    assert hashes
    assert all(0 < usage.store().ttl(key) <= 26 * 3600 for key in hashes)
    usage.collect(at=NOON)
    assert set(UsageCount.objects.values_list("what", flat=True)) == {"", "tea"}


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": ""},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"DNT": "1"},
        {"Sec-GPC": "1"},
        {"Sec-Purpose": "prefetch"},
    ],
    ids=["no browser", "a program", "do not track", "privacy control", "fetched beforehand"],
)
def test_programs_and_those_who_ask_not_to_be_are_not_counted(headers):
    somebody(1, **headers).get(DIRECTORY)
    assert counted(timezone.now()) == {}


def test_those_who_keep_the_directory_are_not_counted_those_who_refer_are(referrer, provider, curator, manager):
    for user in (referrer, provider, curator, manager):
        client = somebody()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        client.get(DIRECTORY)
    assert counted(timezone.now()) == {("visitor", ""): 1, ("visit", ""): 1}


@pytest.mark.parametrize("secret", ["service", "organisation", "internal"])
def test_what_is_secret_is_never_counted_nor_told(secret, curator, referrer):
    refuge = ServiceFactory(is_confidential=secret == "service", is_internal=secret == "internal")
    refuge.organization.is_confidential = secret == "organisation"
    refuge.organization.save()
    client = somebody()
    client.force_login(referrer, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(reverse("service", args=[refuge.pk])).status_code == 200
    answers = [somebody(2).post(reverse("service-pressed", args=[pk]), {"what": "phone"}) for pk in (refuge.pk, curator.organization_id)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]
    assert usage.add([Seen(Kind.REFERRAL, service=refuge.pk)], at=timezone.now())
    assert {kind for kind, _ in counted(timezone.now())} <= {"visitor", "visit"}
    # and what was counted before it became secret is told no more
    UsageCount.objects.create(day=timezone.localdate(), kind=Kind.OPENED, service=refuge, count=50)
    client.force_login(curator, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert refuge.name not in client.get(reverse("usage")).content.decode()
    assert refuge.name not in client.get(reverse("usage-csv")).content.decode()


def test_a_page_comes_though_redis_is_away_and_it_is_left_alone_for_a_while(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(usage, "store", lambda: asked.append(1) or Redis(unix_socket_path=str(tmp_path / "nobody")))
    assert [somebody().get(DIRECTORY, {"q": "tea"}).status_code for _ in range(3)] == [200] * 3
    assert len(asked) == 1


def test_a_flood_from_one_visitor_is_not_counted_and_what_waits_has_an_end(monkeypatch):
    monkeypatch.setattr(usage, "MOST_IN_A_VISIT", 3)
    monkeypatch.setattr(usage, "MOST_WAITING", 5)
    for number in range(6):
        usage.count("one", [Seen(Kind.SEARCH, f"word {'x' * number}")], at=NOON)
    usage.count("another", [Seen(Kind.SEARCH, "one word too many")], at=NOON)
    assert sum(number for (kind, _), number in counted().items() if kind == "search") == 3


def test_words_that_few_used_are_forgotten_and_all_of_it_after_two_years():
    rows = [(100, "tea", 5), (100, "zachary", 4), (10, "recent", 1), (800, "old", 500)]
    UsageCount.objects.bulk_create(
        UsageCount(day=NOON.date() - timedelta(days=ago), kind=Kind.SEARCH, what=what, count=number) for ago, what, number in rows
    )
    assert usage.forget(at=NOON) == 2
    assert set(UsageCount.objects.values_list("what", flat=True)) == {"tea", "recent"}


# --- what is told


def given_figures(service: Service, area: str = "") -> None:
    today = timezone.localdate()
    rows: list[tuple[Kind, str, str, Service | None, int]] = [
        (Kind.VISITOR, "", "", None, 2),
        (Kind.VISIT, "", "", None, 3),
        (Kind.SEARCH, "tea", area, None, 7),
        (Kind.SEARCH, "zachary", area, None, 4),
        (Kind.NO_ANSWER, "zither", area, None, 6),
        (Kind.OPENED, "", "", service, 1200),
        (Kind.PHONE, "", "", service, 3),
    ]
    UsageCount.objects.bulk_create(
        UsageCount(day=today, kind=kind, what=what, area=code, service=of, count=number) for kind, what, code, of, number in rows
    )


@pytest.mark.req("R125")
def test_a_manager_reads_figures_without_small_numbers_on_the_page_and_in_the_file(client, manager):
    given_figures(ServiceFactory(name="=Tea and Talk"))
    client.force_login(manager, backend="allauth.account.auth_backends.AuthenticationBackend")
    text = client.get(reverse("usage")).content.decode()
    assert all(words in text for words in ("=Tea and Talk", "1,200", "under 5", "zither", 'role="img"', "And 1 other"))
    assert "zachary" not in text
    assert '<option value="28" selected>' in text
    lines = client.get(reverse("usage-csv")).content.decode().splitlines()
    wanted = ["searched for,tea,7", "searched for without an answer,zither,6", "services opened,'=Tea and Talk,1200"]
    assert [line for line in wanted if line not in lines] == []
    assert "presses on a phone number,'=Tea and Talk,under 5" in lines
    assert not any("zachary" in line for line in lines)


def test_of_one_district_only_what_was_searched_there_and_no_number_that_could_point_at_anybody(client, curator):
    here = AreaFactory(kind="district", name="Preston")
    tea = ServiceFactory(name="Tea and Talk")
    tea.service_at_locations.create(location=LocationFactory(point=near(500)))
    far = ServiceFactory(name="Far away")
    given_figures(tea, here.code)
    UsageCount.objects.create(day=timezone.localdate(), kind=Kind.OPENED, service=far, count=90)
    UsageCount.objects.create(day=timezone.localdate() - timedelta(days=1), kind=Kind.SEARCH, area=here.code, count=2)
    client.force_login(curator, backend="allauth.account.auth_backends.AuthenticationBackend")
    found = client.get(reverse("usage"), {"area": here.code, "days": "7", "by": "day"})
    text = found.content.decode()
    assert "Far away" not in text
    assert "Tea and Talk" in text
    steps = found.context["found"].steps if found.context else None
    lines = client.get(reverse("usage-csv"), {"area": here.code, "days": "7"}).content.decode().splitlines()
    yesterday = timezone.localdate() - timedelta(days=1)
    assert f"searches,{yesterday},under 5" in lines
    assert f"searches,{timezone.localdate()},11" in lines
    assert not any(line.startswith("visit") for line in lines)
    assert steps is None or len(steps) == 7


def test_a_provider_reads_of_its_own_service_on_its_entry_and_of_no_other(client, provider):
    own = ServiceFactory(organization=provider.organization)
    other = ServiceFactory(organization=OrganizationFactory())
    given_figures(own)
    UsageCount.objects.create(day=timezone.localdate(), kind=Kind.OPENED, service=other, count=900)
    client.force_login(provider, backend="allauth.account.auth_backends.AuthenticationBackend")
    text = client.get(reverse("entry", args=[own.pk])).content.decode()
    assert "<dt>Opened</dt><dd>1,200</dd>" in text
    assert "<dt>Phone</dt><dd>under 5</dd>" in text
    assert set(UsageCount.objects.visible_to(provider).values_list("service", flat=True)) == {own.pk}
    assert not UsageCount.objects.visible_to(UserFactory()).exists()


def test_a_day_that_is_not_over_is_not_drawn_as_a_fall(monkeypatch, manager):
    today = timezone.localdate()
    for ago, count in ((0, 7), (1, 40), (2, 50)):
        UsageCount.objects.create(day=today - timedelta(days=ago), kind=UsageCount.Kind.VISIT, count=count)
    drawn: list[list[dict[str, object]]] = []
    monkeypatch.setattr(present.charts, "lines", lambda rows, **words: drawn.append(rows) or "")
    found = usage_figures.usage(manager, first=today - timedelta(days=2), last=today)
    present.chart(found, weekly=False, today=today)
    present.chart(found, weekly=False, today=today + timedelta(days=1))
    assert [max(row["day"] for row in rows) for rows in drawn] == [str(today - timedelta(days=1)), str(today)]
