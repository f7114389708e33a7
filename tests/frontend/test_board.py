"""The board on a wall: what is free, by area, kind and provider; never a person, a refuge, or a figure for professionals alone."""

import re
from datetime import timedelta

import pytest
from django.contrib.gis.geos import MultiPolygon
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from capacity.models import BoardKey
from frontend.presenters.board import MOST_ROWS
from tests.factories import AreaFactory, LocationFactory, PatientFactory, PoolFactory, ServiceFactory, UserFactory, near

pytestmark = pytest.mark.django_db


def rows(client, user, **query) -> list[str]:
    """Names of the services on the board, in its order."""
    client.force_login(user)
    html = client.get(reverse("board"), query).content.decode()
    return [piece.split("<", 1)[0] for piece in html.split('<span class="lune-board__name">')[1:]]


def test_what_takes_people_stands_first_and_the_address_says_what_is_shown(client, manager):
    def home(name: str, **pool):
        return PoolFactory(service=ServiceFactory(name=name), **pool)

    full, ash, unknown = home("Alder", available=0), home("Beech", available=9), home("Cedar", unknown=True)
    far = home("Dogwood", available=9, location=LocationFactory(point=near(50_000)))
    assert rows(client, manager) == ["Beech", "Dogwood", "Alder", "Cedar"]
    assert rows(client, manager, provider=str(full.service.organization_id)) == ["Alder"]
    assert rows(client, manager, kind=f"group:{ash.care_type.group}") == ["Beech", "Dogwood", "Alder", "Cedar"]
    assert rows(client, manager, kind="hospice-inpatient") == []
    round_the_middle = AreaFactory(kind="district", outline=MultiPolygon(near().buffer(5_000), srid=27700))
    assert rows(client, manager, area=round_the_middle.code) == ["Beech", "Alder", "Cedar"]
    # nonsense counts as not said
    assert len(rows(client, manager, area="E99", kind="nothing", provider="x", look="pink")) == 4
    assert {far.service.name, unknown.service.name} == {"Dogwood", "Cedar"}


@pytest.mark.parametrize("role", ["referrer", "provider", "manager"])
def test_nothing_hangs_on_a_wall_that_passers_by_must_not_know(client, role):
    PatientFactory(family_name="Featherstonehaugh")
    shown = PoolFactory(service=ServiceFactory(name="Shown"))
    PoolFactory(service=ServiceFactory(name="Refuge", is_confidential=True))
    PoolFactory(service=ServiceFactory(name="Of a refuge", organization__is_confidential=True))
    PoolFactory(service=ServiceFactory(name="Hidden door"), location=LocationFactory(is_confidential=True))
    PoolFactory(service=ServiceFactory(name="Only for professionals"), shown_to_public=False)
    user = UserFactory() if role == "referrer" else UserFactory(**{role: True})
    assert rows(client, user) == ["Shown"]
    html = client.get(reverse("board")).content.decode()
    assert "Featherstonehaugh" not in html
    assert f'data-pool="{shown.pk}"' in html


def test_of_a_series_of_sessions_the_next_one_that_has_a_place_is_shown_with_its_day(client, manager):
    at = timezone.now()
    series = PoolFactory(service=ServiceFactory(name="Tea and talk"), per="session", name="Tea")
    for days, available in ((-1, 3), (1, 0), (8, 2), (15, 9)):
        PoolFactory(
            service=series.service, location=series.location, session_of=series, per="session", name="Tea", available=available,
            starts_at=at + timedelta(days=days), ends_at=at + timedelta(days=days, hours=1),
        )  # fmt: skip
    assert rows(client, manager) == ["Tea and talk"]
    html = client.get(reverse("board")).content.decode()
    assert "2 free" in html
    assert f"Tea, {timezone.localtime(at + timedelta(days=8)):%A}" in html


def test_too_many_are_counted_and_the_part_that_renews_itself_has_no_frame(client, manager, monkeypatch):
    monkeypatch.setattr("frontend.views.board.MOST_ROWS", 2)
    PoolFactory.create_batch(5)
    assert MOST_ROWS > 2
    client.force_login(manager)
    html = client.get(reverse("board"), headers={"HX-Request": "true"}).content.decode()
    assert "3 more groups of places would not fit" in html
    assert html.count("lune-board__row ") == 2
    assert "<html" not in html


@pytest.mark.parametrize("role", ["provider", "manager"])
def test_a_screen_has_a_link_of_its_own_until_it_is_taken_back(client, role):
    user = UserFactory(**{role: True})
    shown = PoolFactory(service=ServiceFactory(name="Shown", organization=user.organization))
    PoolFactory(service=ServiceFactory(name="Refuge", is_confidential=True))
    PoolFactory(service=ServiceFactory(name="Only for professionals"), shown_to_public=False)
    client.force_login(user)
    assert client.post(reverse("board-screens"), {"name": " "}).status_code == 422
    html = client.post(reverse("board-screens"), {"name": "Lounge"}).content.decode()
    address = re.search(r'href="http://testserver(/board/screen/[^"]+)"', html)[1]
    key = BoardKey.objects.get()
    token = address.split("/")[3]
    assert token not in client.get(reverse("board-screens")).content.decode(), "it is told once"
    assert token not in str(BoardKey.objects.values())
    # nobody is signed in at the wall
    wall = Client()
    answer = wall.get(address)
    page = answer.content.decode()
    assert [answer[name] for name in ("Cache-Control", "Referrer-Policy", "X-Robots-Tag")] == [
        "no-store",
        "no-referrer",
        "noindex, nofollow",
    ]
    assert f'data-pool="{shown.pk}"' in page
    assert [word for word in ("Refuge", "Only for professionals", "Leave the board") if word in page] == []
    assert "Last used" in client.get(reverse("board-screens")).content.decode()
    # it is good for nothing else, and not for another organisation to end
    assert wall.post(address).status_code == 405
    assert wall.get(reverse("places")).status_code == 302
    other = Client()
    other.force_login(UserFactory(**{role: True}))
    assert other.post(reverse("board-screen-revoke", args=[key.pk])).status_code == 404
    assert "Lounge" not in other.get(reverse("board-screens")).content.decode()
    # in a drawer for a quarter of a year it ends by itself
    BoardKey.objects.update(last_used_at=timezone.now() - timedelta(days=91))
    assert wall.get(address).status_code == 404
    assert "no screen used it for 90 days" in client.get(reverse("board-screens")).content.decode()
    BoardKey.objects.update(last_used_at=timezone.now() - timedelta(days=89))
    assert wall.get(address).status_code == 200
    # taken back, it is like one that never was, and what stands on the wall goes
    assert client.post(reverse("board-screen-revoke", args=[key.pk])).status_code == 302
    gone = wall.get(address, headers={"HX-Request": "true"})
    assert (gone.status_code, gone["HX-Refresh"]) == (404, "true")
    assert "Shown" not in gone.content.decode()
