"""Importing CQC's register."""

import pytest
from django.core.management.base import CommandError

from catalogue.importers.cqc import ages, care_type
from catalogue.models import EligibilityCriterion, ImportRun, Location, Organization, Service
from tests import factories

from .importing import DATA, faults, run

FILES = (DATA / "cqc_locations.csv", DATA / "cqc_directory.csv")


@pytest.mark.django_db
def test_the_two_files_become_one_catalogue_and_bad_rows_are_named():
    factories.PostcodeFactory(postcode="PR1 2HE")
    factories.OutcodeFactory(code="LA1", point=factories.near(0, 30_000))
    _, row = run("import_cqc", *FILES)
    assert set(Service.objects.values_list("name", flat=True)) == {"Ribble View", "Lune Nursing", "Fern House", "Home Help"}
    assert Organization.objects.get().cqc_provider_id == "1-900"
    assert row.rejected == 4
    assert {(where.split(" line ")[1], field) for where, field in faults(row)} == {
        ("6", "Location ID"),
        ("7", "Location ID"),
        ("8", "Provider ID"),
        ("9", ""),
    }
    assert faults(row, kept=True) == {("cqc_locations.csv line 3", "url")}


@pytest.mark.django_db
def test_a_home_is_placed_rated_and_described_by_what_it_is_registered_for():
    factories.PostcodeFactory(postcode="PR1 2HE")
    run("import_cqc", *FILES)
    home = Service.objects.select_related("care_type").get(name="Ribble View")
    assert home.care_type.code == "home-general-residential"
    assert (home.registered_places, home.cqc_rating, str(home.cqc_rated_on)) == (32, Service.Quality.GOOD, "2020-12-01")
    assert home.url == "https://www.ribbleview.example"
    assert (home.eligibility.minimum_age, home.eligibility.maximum_age) == (65, None)
    rules = dict(home.criteria.values_list("term__code", "rule"))
    assert rules == {"dementia": EligibilityCriterion.Rule.ACCEPTS, "nursing-24h": EligibilityCriterion.Rule.EXCLUDED}
    place = Location.objects.get(service_at_locations__service=home)
    assert place.point.coords == factories.near().coords
    assert str(place.addresses.get()) == "1 Church Street, Preston, PR1 2HE"


@pytest.mark.django_db
def test_a_postcode_that_is_not_loaded_is_placed_at_its_outcode():
    factories.OutcodeFactory(code="LA1", point=factories.near(0, 30_000))
    run("import_cqc", *FILES)
    assert Location.objects.get(cqc_location_id="1-101").point.coords == factories.near(0, 30_000).coords


@pytest.mark.django_db
def test_a_dormant_service_is_not_active():
    run("import_cqc", *FILES)
    assert Service.objects.get(name="Home Help").status == Service.Status.INACTIVE


@pytest.mark.django_db
def test_a_second_run_changes_nothing_and_keeps_what_people_here_decided():
    run("import_cqc", *FILES)
    Service.objects.filter(name="Ribble View").update(is_confidential=True, price_week=900)
    before = list(Service.objects.order_by("pk").values())
    _, row = run("import_cqc", *FILES)
    assert (row.added, row.changed, row.rejected) == (0, 0, 4)
    assert list(Service.objects.order_by("pk").values()) == before


@pytest.mark.django_db
def test_a_changed_row_is_written_and_its_children_replaced(tmp_path):
    run("import_cqc", *FILES)
    changed = tmp_path / "cqc_locations.csv"
    changed.write_text(FILES[0].read_text().replace('"Caring for adults over 65 yrs, Dementia",', "Caring for adults over 65 yrs,"))
    _, row = run("import_cqc", changed, FILES[1])
    home = Service.objects.get(name="Ribble View")
    assert row.changed == 1
    assert list(home.criteria.values_list("term__code", flat=True)) == ["nursing-24h"]


@pytest.mark.django_db
def test_an_organisation_known_by_its_number_stays_one_record():
    known = factories.OrganizationFactory(cqc_provider_id="1-900")
    run("import_cqc", *FILES)
    assert set(Service.objects.values_list("organization", flat=True)) == {known.pk}


@pytest.mark.django_db
def test_a_wrong_file_changes_nothing():
    with pytest.raises(CommandError, match=r"feed\.json has no column Location Name"):
        run("import_cqc", FILES[0], DATA / "feed.json")
    assert ImportRun.objects.get().status == ImportRun.Status.FAILED
    assert not Service.objects.exists()


@pytest.mark.parametrize(
    ("types", "specialisms", "expected"),
    [
        (["care home service with nursing"], ["dementia"], "home-general-nursing"),
        (["care home service with nursing", "care home service without nursing"], [], "home-general-nursing"),
        (["care home service without nursing"], ["learning disabilities"], "home-learning-disability-residential"),
        (["care home service without nursing"], ["learning disabilities", "dementia"], "home-general-residential"),
        (["care home service with nursing"], ["mental health conditions"], "home-mental-health-nursing"),
        (["nursing homes"], ["physical disabilities", "caring for adults under 65 yrs"], "home-young-physically-disabled"),
        (["domiciliary care service", "supported living service"], [], "home-care"),
        (["extra care housing services"], [], "assisted-living"),
        (["hospice services"], [], "hospice-inpatient"),
        (["dentist"], [], None),
    ],
)
def test_the_kind_of_care_is_named_only_when_it_is_certain(types, specialisms, expected):
    assert care_type(types, specialisms) == expected


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], (None, None)),
        (["services for everyone"], (0, None)),
        (["caring for adults over 65 yrs"], (65, None)),
        (["caring for adults under 65 yrs"], (18, 64)),
        (["caring for adults under 65 yrs", "caring for adults over 65 yrs"], (18, None)),
        (["caring for children"], (0, 17)),
        (["caring for children (0 - 18yrs)", "caring for adults under 65 yrs"], (0, 64)),
    ],
)
def test_ages_follow_the_groups_that_a_place_names(groups, expected):
    assert ages(groups) == expected
