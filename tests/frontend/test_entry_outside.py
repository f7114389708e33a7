"""What comes into an entry from outside: an area as a file, and what an import changed."""

import json
import math
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from catalogue.models import Service
from core.geo import to_wgs84
from tests.catalogue.importing import DATA, run
from tests.factories import ServiceFactory
from tests.frontend.test_entries import inputs, page, publish, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, provider):
    client.force_login(provider)
    return client


@pytest.fixture
def service(provider):
    return ServiceFactory(organization=provider.organization, name="Lunch club")


def test_an_area_is_sent_as_a_file_and_taken_back_to_the_map(desk, service):
    ring = [[-2.7, 53.7, 12.5], [-2.6, 53.7, 12.5], [-2.6, 53.8, 12.5], [-2.7, 53.7, 12.5]]
    feature = {"type": "Feature", "properties": {"name": "Ashton"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    for wrong, words in (({"type": "Point"}, "no GeoJSON polygon"), ({"type": "FeatureCollection", "features": []}, "There is no area")):
        answer = send(desk, service.pk, "areas", outline_file=SimpleUploadedFile("a.geojson", json.dumps(wrong).encode()))
        assert (answer.status_code, words in answer.content.decode()) == (422, True)
    many = json.dumps({**feature, "geometry": {"type": "Polygon", "coordinates": [circle(2_100)]}}).encode()
    assert "has 2,101 corners" in send(desk, service.pk, "areas", outline_file=SimpleUploadedFile("a.json", many)).content.decode()
    file = SimpleUploadedFile("a.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())
    assert send(desk, service.pk, "areas", outline_file=file).status_code == 302
    publish(desk, service.pk)
    assert service.service_areas.get().name == "Ashton"
    values = inputs(send(desk, service.pk, "areas", "redraw drawn 0").content.decode())
    shape = json.loads(values["outline"][0])
    assert (values.get("areas"), values["outline_name"], len(shape["coordinates"][0][0])) == (None, ["Ashton"], 4)
    shape["coordinates"][0][0][1] = [-2.5, 53.7]
    desk.post(reverse("entry-part", args=[service.pk, "areas"]), values | {"outline": [json.dumps(shape)], "action": "save"})
    publish(desk, service.pk)
    west, _, east, _ = to_wgs84(service.service_areas.get().extent).extent
    assert (round(west, 3), round(east, 3)) == (-2.7, -2.5)


def circle(corners):
    around = [2 * math.pi * n / corners for n in range(corners)]
    ring = [[-2.7 + math.cos(angle) / 10, 53.7 + math.sin(angle) / 10] for angle in around]
    return [*ring, ring[0]]


@pytest.mark.req("R149")
def test_what_an_import_changed_stands_in_the_history_part_by_part_and_can_be_undone(client, curator, tmp_path):
    """Times, area, place, contact and price of a record from outside: what they were, what they became, and which import it was."""
    keeper = client
    keeper.force_login(curator)
    one = json.loads((DATA / "feed.json").read_text())["contents"][0]
    file = tmp_path / "neighbours.json"
    file.write_text(json.dumps([one]))
    run("import_oruk", file)
    pk = Service.objects.get().pk
    assert "Undo this" not in page(keeper, "entry-history", pk).content.decode()
    one["schedules"][0] |= {"byday": "WE"}
    one["service_areas"] = [{"id": "a", "name": "Leyland"}]
    one["contacts"][0] |= {"name": "Bo Baker"}
    one["cost_options"][0] |= {"amount": 3}
    one["service_at_locations"][0]["location"]["addresses"][0]["address_1"] = "9 Other Street"
    file.write_text(json.dumps([one]))
    run("import_oruk", file)
    text = page(keeper, "entry-history", pk).content.decode()
    assert "Import from neighbours.json" in text
    for told in ("Wednesday", "Leyland", "Bo Baker", "£3", "9 Other Street"):
        assert f"{told}" in re.sub(r"<del>.*?</del>", "", text, flags=re.DOTALL), told
    assert text.count("modified") == 0
    for address in re.findall(r'href="([^"]*/undo/)"', text):
        shown = keeper.get(address).content.decode()
        assert keeper.post(address, {"seen": inputs(shown)["seen"]}).status_code == 302
    service = Service.objects.get()
    assert [each.byday for each in service.schedules.all()] == ["TU"]
    assert "9 Other Street" not in str(service.service_at_locations.get().location.addresses.get())
    run("import_oruk", file)  # what was undone is decided here: the next import leaves it alone
    assert [each.byday for each in service.schedules.all()] == ["TU"]
