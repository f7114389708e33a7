"""Loading postcodes."""

import gzip

import pytest
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from catalogue.models import ImportRun, Outcode, Postcode
from tests import factories

from .importing import DATA, faults, run

pytestmark = pytest.mark.django_db


def test_good_rows_are_loaded_and_bad_ones_named():
    printed, row = run("load_postcodes", DATA / "postcodes.csv")
    assert set(Postcode.objects.values_list("pk", flat=True)) == {"PR1 2HE", "PR1 2HF", "LA1 1AA"}
    assert row.status == ImportRun.Status.DONE
    assert (row.added, row.rejected) == (3 + 2, 8)
    assert faults(row) == {
        ("line 5", "quality"),
        ("line 6", "postcode"),
        ("line 7", "quality"),
        ("line 8", "easting"),
        ("line 9", "easting"),
        ("line 10", "lad"),
        ("PR1 2HE", "postcode"),
        ("line 12", ""),
    }
    assert "Northern Ireland uses the Irish grid." in printed


def test_the_first_of_two_rows_for_a_postcode_counts():
    run("load_postcodes", DATA / "postcodes.csv")
    assert Postcode.objects.get(pk="PR1 2HE").point.coords == (354_000, 429_000)


def test_outcodes_lie_in_the_middle_and_keep_their_towns():
    factories.OutcodeFactory(code="PR1", town="Preston", point=factories.near(9_000))
    _, row = run("load_postcodes", DATA / "postcodes.csv")
    preston = Outcode.objects.get(pk="PR1")
    assert preston.point.coords == (354_050, 429_000)
    assert (preston.town, preston.lad) == ("Preston", "E07000123")
    assert row.changed == 1


def test_a_second_run_changes_nothing():
    run("load_postcodes", DATA / "postcodes.csv")
    before = list(Postcode.objects.order_by("pk").values())
    _, row = run("load_postcodes", DATA / "postcodes.csv")
    assert (row.added, row.changed, row.unchanged, row.rejected) == (0, 0, 3, 8)
    assert list(Postcode.objects.order_by("pk").values()) == before


def test_a_changed_row_is_changed_and_what_is_not_named_stays(tmp_path):
    run("load_postcodes", DATA / "postcodes.csv")
    file = tmp_path / "next.csv"
    file.write_text("postcode,quality,easting,northing,lad,ward\nPR1 2HE,20,354010,429010,E07000123,E05000001\n")
    _, row = run("load_postcodes", file)
    assert row.unchanged == 0
    assert Postcode.objects.get(pk="PR1 2HE").point.coords == (354_010, 429_010)
    assert Postcode.objects.count() == 3


def test_a_file_with_degrees_and_one_with_metres_give_the_same_place(tmp_path):
    file = tmp_path / "degrees.csv"
    file.write_text("pcds,lat,long,lad25cd\nPR1 2HE,53.755,-2.699,E07000123\n")
    run("load_postcodes", file)
    x, y = Postcode.objects.get(pk="PR1 2HE").point.coords
    assert (round(x, -2), round(y, -2)) == (354_000, 429_000)


def test_the_ons_directory_is_understood_with_its_own_names(tmp_path):
    file = tmp_path / "onspd.csv.gz"
    with gzip.open(file, "wt") as text:
        text.write("pcd,pcds,doterm,oseast1m,osnrth1m,osgrdind,oslaua,osward\r\nPR1 2HE,PR1 2HE,,354000,429000,1,E07000123,E05000001\r\n")
        text.write("ZZ992WZ,ZZ99 2WZ,,,,9,E99999999,E99999999\r\n")
    _, row = run("load_postcodes", file)
    assert Postcode.objects.get().quality == 10
    assert row.rejected == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no-header.csv", b"PR1 2HE,10,354000,429000,E07000123,\n", "must name postcode"),
        ("empty.csv", b"", "must name postcode"),
        ("latin.csv", b"postcode,quality,easting,northing,lad,ward\n\xff\xfe\n", "not UTF-8"),
        ("short.csv.gz", gzip.compress((DATA / "postcodes.csv").read_bytes() * 50)[:-20], "cut short"),
    ],
)
def test_a_broken_file_changes_nothing_and_says_why(tmp_path, name, content, said):
    factories.PostcodeFactory(postcode="AB1 2CD")
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        run("load_postcodes", file)
    row = ImportRun.objects.get()
    assert row.status == ImportRun.Status.FAILED
    assert said in row.error
    assert list(Postcode.objects.values_list("pk", flat=True)) == ["AB1 2CD"]


def test_a_first_file_that_breaks_off_leaves_the_table_empty_and_whole(tmp_path):
    file = tmp_path / "short.csv.gz"
    file.write_bytes(gzip.compress((DATA / "postcodes.csv").read_bytes() * 50)[:-20])
    with pytest.raises(CommandError, match="cut short"):
        run("load_postcodes", file)
    assert not Postcode.objects.exists()
    run("load_postcodes", DATA / "postcodes.csv")
    with pytest.raises(IntegrityError), transaction.atomic():
        Postcode.objects.create(pk="PR1 2HE", easting=1, northing=1)


def test_a_coordinate_that_is_no_number_is_named(tmp_path):
    file = tmp_path / "nan.csv"
    file.write_text("postcode,quality,easting,northing,lad,ward\nPR1 2HE,10,nan,429000,E07000123,\nPR1 2HF,10,354000,inf,E07000123,\n")
    _, row = run("load_postcodes", file)
    assert faults(row) == {("line 2", "quality"), ("line 3", "quality")}


def test_a_missing_file_is_said_in_words():
    with pytest.raises(CommandError, match=r"gone\.csv cannot be read"):
        run("load_postcodes", "gone.csv")


def test_of_many_faults_alike_some_are_kept_and_all_are_counted(tmp_path):
    file = tmp_path / "many.csv"
    rows = "".join(f"ZZ{n % 10} {n % 9}ZZ,90,0,0,E07000123,\n" for n in range(250))
    file.write_text(f"postcode,quality,easting,northing,lad,ward\n{rows}")
    _, row = run("load_postcodes", file)
    assert row.rejected == 250
    assert row.rejects.count() == 100
