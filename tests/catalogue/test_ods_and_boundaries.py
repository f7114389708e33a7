"""Importing the NHS's organisations, and outlines."""

import json

import pytest
from django.core.management.base import CommandError

from catalogue.importers.ods import titled
from catalogue.models import Area, ImportRun, Location, Organization, Practice
from catalogue.queries import areas_at
from core.geo import wgs84_point
from tests import factories

from .importing import DATA, faults, run

ODS = tuple(DATA / name for name in ("epraccur.csv", "pcn_map.csv", "etr.csv", "hospitals.csv"))


@pytest.mark.django_db
def test_practices_trusts_and_hospitals_come_in_and_bad_rows_are_named():
    factories.PostcodeFactory(postcode="PR1 2HE")
    printed, row = run("import_ods", *ODS)
    practice = Practice.objects.select_related("organization").get()
    assert (practice.organization.name, practice.organization.kind) == ("The Church Surgery", Organization.Kind.PRACTICE)
    assert (practice.pcn_code, practice.pcn_name, practice.icb_code) == ("U12345", "Preston Central PCN", "QE1")
    assert Location.objects.get(ods_code="P81001").point.coords == factories.near().coords
    assert Organization.objects.get(ods_code="RXN").kind == Organization.Kind.HOSPITAL
    assert Location.objects.get(name="Royal Preston Hospital").addresses.get().city == "Preston"
    assert faults(row) == {
        ("epraccur.csv line 4", "code"),
        ("epraccur.csv line 5", ""),
        ("hospitals.csv line 3", "Postcode"),
    }
    assert "1 × is closed" in printed
    assert "1 × prescribes, but is not a general practice" in printed


@pytest.mark.django_db
def test_a_second_run_changes_nothing():
    run("import_ods", *ODS)
    _, row = run("import_ods", *reversed(ODS))
    assert (row.added, row.changed, row.rejected) == (0, 0, 3)


@pytest.mark.django_db
def test_networks_may_come_after_the_practices():
    run("import_ods", DATA / "epraccur.csv")
    _, row = run("import_ods", DATA / "pcn_map.csv")
    assert row.changed == 1
    assert Practice.objects.get().pcn_code == "U12345"


@pytest.mark.django_db
def test_a_file_that_is_not_of_ods_changes_nothing():
    with pytest.raises(CommandError, match=r"postcodes\.csv is not epraccur"):
        run("import_ods", DATA / "epraccur.csv", DATA / "postcodes.csv")
    assert ImportRun.objects.get().status == ImportRun.Status.FAILED
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("THE DENSHAM SURGERY", "The Densham Surgery"),
        ("ST MARY'S PCN", "St Mary's PCN"),
        ("TRUST OF THE NORTH", "Trust of the North"),
        ("Already fine", "Already fine"),
    ],
)
def test_shouted_names_are_written_as_names(given, expected):
    assert titled(given) == expected


@pytest.mark.django_db
def test_wards_are_loaded_and_their_district_is_joined_from_them():
    _, row = run("load_boundaries", DATA / "wards.geojson")
    assert set(Area.objects.filter(kind=Area.Kind.WARD).values_list("name", flat=True)) == {"West", "East"}
    district = Area.objects.get(kind=Area.Kind.DISTRICT)
    assert (district.code, district.name) == ("E07000123", "Preston")
    west = wgs84_point(53.76, -2.72)
    names = set(Area.objects.filter(pk__in=areas_at(west)).values_list("name", flat=True))
    assert names == {"West", "Preston"}
    assert faults(row) == {("wards.geojson feature 3", "geometry"), ("wards.geojson feature 4", "code")}


@pytest.mark.django_db
def test_loading_outlines_again_from_their_folder_changes_nothing_and_keeps_their_ids(tmp_path):
    (tmp_path / "ward").mkdir()
    (tmp_path / "ward" / "E07000123.geojson").write_text((DATA / "wards.geojson").read_text())
    run("load_boundaries", DATA / "wards.geojson")
    before = dict(Area.objects.values_list("code", "pk"))
    _, row = run("load_boundaries", tmp_path)
    assert (row.added, row.changed, row.unchanged) == (0, 0, 3)
    assert dict(Area.objects.values_list("code", "pk")) == before


@pytest.mark.django_db
def test_a_districts_own_outline_takes_the_place_of_the_joined_one(tmp_path):
    run("load_boundaries", DATA / "wards.geojson")
    wards = json.loads((DATA / "wards.geojson").read_text())
    feature = wards["features"][0]
    feature["properties"] = {"LAD25CD": "E07000123", "LAD25NM": "City of Preston"}
    file = tmp_path / "districts.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    run("load_boundaries", file)
    run("load_boundaries", DATA / "wards.geojson")
    assert Area.objects.get(kind=Area.Kind.DISTRICT).name == "City of Preston"


@pytest.mark.django_db
@pytest.mark.parametrize("content", ['{"type": "FeatureCollection", "features": [', "[]", '{"type": "Topology"}'])
def test_a_broken_outline_file_changes_nothing(tmp_path, content):
    file = tmp_path / "areas.geojson"
    file.write_text(content)
    with pytest.raises(CommandError, match=r"areas\.geojson is not"):
        run("load_boundaries", DATA / "wards.geojson", file)
    assert not Area.objects.exists()
