"""Published lists of terms: the esd lists as CSV, SKOS as JSON-LD."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.utils import timezone

from catalogue import terms
from catalogue.models import ImportRun, Taxonomy, TaxonomyTerm
from tests import factories
from tests.catalogue.importing import run

pytestmark = pytest.mark.django_db
OPENACTIVE = Path(__file__).parents[3] / "shared" / "data" / "taxonomies" / "openactive-activity-list.jsonld"
ESD = """LGA standard list,,,,,
Identifier,Label,Description,Alternative label,Broader,Deprecated
1,Care,All care,,,
2,Day care,Care by day,Lunch club; Day centre,1,
3,Night care,,,1,false
4,Meals,Meals at home,Meals on wheels,,2024-01-01
"""


@pytest.fixture
def esd(tmp_path) -> Path:
    file = tmp_path / "services.csv"
    file.write_text(ESD.split("\n", 1)[1])
    return file


def load(file: Path, **options) -> ImportRun:
    run("import_terms", file, **{"list": "esd-services", "prefix": "esdServiceType", **options})
    return ImportRun.objects.latest("started_at")


def kept() -> list[tuple]:
    return list(TaxonomyTerm.objects.filter(taxonomy__slug="esd-services").order_by("code").values())


@pytest.mark.req("R096")
def test_an_esd_list_becomes_a_list_of_its_own_with_curies(esd):
    done = load(esd, name="Services")
    assert (done.added, done.rejected) == (4, 0)
    two = TaxonomyTerm.objects.get(taxonomy__slug="esd-services", code="2")
    assert (two.name, two.term_uri, two.synonyms) == ("Day care", "esdServiceType:2", ["Lunch club", "Day centre"])
    assert two.parent.code == "1"
    assert (two.bit, two.retired_at) == (None, None)
    ended = TaxonomyTerm.objects.get(taxonomy__slug="esd-services", code="4")
    assert ended.retired_at is not None
    assert Taxonomy.objects.get(slug="esd-services").name == "Services"


def test_the_same_file_again_changes_nothing(esd):
    load(esd)
    before = kept()
    again = load(esd)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 4)
    assert kept() == before


def test_what_the_list_no_longer_has_is_retired_and_returns_with_the_next(esd):
    load(esd)
    whole = esd.read_text()
    service = factories.ServiceFactory()
    night = TaxonomyTerm.objects.get(taxonomy__slug="esd-services", code="3")
    service.taxonomy_terms.add(night)
    esd.write_text("".join(line for line in whole.splitlines(True) if not line.startswith("3,")))
    load(esd)
    night.refresh_from_db()
    assert night.retired_at is not None
    assert list(service.taxonomy_terms.all()) == [night]
    esd.write_text(whole)
    load(esd)
    night.refresh_from_db()
    assert (night.retired_at, night.retired_reason) == (None, "")


def test_half_a_file_retires_nothing(esd):
    load(esd)
    esd.write_text("Identifier,Label\n1,Care\n")
    before = kept()
    with pytest.raises(CommandError, match="--retire-many"):
        load(esd)
    assert kept() == before
    load(esd, retire_many=True)
    assert TaxonomyTerm.objects.filter(taxonomy__slug="esd-services", retired_at=None).count() == 1


def test_what_curators_decided_outlives_the_next_list(esd, curator):
    load(esd)
    day, night, care = (TaxonomyTerm.objects.get(taxonomy__slug="esd-services", code=code) for code in "231")
    terms.edit_term(term_id=day.pk, name="Day centres", synonyms=["tea"], by=curator, at=timezone.now())
    terms.merge_terms(gone_id=night.pk, kept_id=day.pk, by=curator, at=timezone.now())
    terms.retire_term(term_id=care.pk, reason="Too wide", by=curator, at=timezone.now())
    load(esd)
    for each in (day, night, care):
        each.refresh_from_db()
    assert (day.name, day.synonyms) == ("Day centres", ["tea", "Night care"])
    assert night.replaced_by == day
    assert night.retired_at is not None
    assert care.retired_reason == "Too wide"


def test_bad_rows_are_named_and_good_ones_arrive(esd):
    esd.write_text(ESD.split("\n", 1)[1] + ",No number,,,,\n2,Twice,,,,\n9," + "x" * 201 + ",,,,\n7,short\n8,,,,,\n")
    done = load(esd)
    assert (done.added, done.rejected) == (4, 5)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "Colour,Shape\nred,round\n"), ("a.csv", ""), ("a.csv", "Identifier,Label\n"), ("a.json", "{"), ("a.json", "[]"),
        ("a.json", '{"concept": {}}'), ("a.json", "7"), ("a.json", '{"concept": [7, null, {}]}'),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_in_words(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(CommandError):
        run("import_terms", file)
    assert not Taxonomy.objects.filter(slug="a").exists()


def test_lunes_own_lists_are_not_overwritten(esd):
    with pytest.raises(CommandError, match="Lune's own"):
        load(esd, list="need")


def test_skos_in_other_spellings(tmp_path):
    file = tmp_path / "activities.jsonld"
    graph = [
        {"@id": "https://example.org/list", "@type": "skos:ConceptScheme"},
        {
            "@id": "https://example.org/list#swim", "@type": ["skos:Concept"], "skos:prefLabel": [{"@value": "Swimming"}],
            "skos:altLabel": {"en": "Bathing"}, "skos:broader": {"@id": "https://example.org/list#water"},
        },
        {"@id": "https://example.org/list#water", "skos:prefLabel": "Water sports", "owl:deprecated": True},
    ]  # fmt: skip
    file.write_text(json.dumps({"@graph": graph}))
    run("import_terms", file)
    swim = TaxonomyTerm.objects.get(taxonomy__slug="activities", code="swim")
    assert (swim.name, swim.synonyms, swim.parent.code, swim.term_uri) == (
        "Swimming",
        ["Bathing"],
        "water",
        "https://example.org/list#swim",
    )
    assert swim.parent.retired_at is not None


#: A few concepts as OpenActive writes them, for where its list is not at hand.
FEW = {
    "id": "https://openactive.io/activity-list", "title": "OpenActive Activity List", "type": "ConceptScheme",
    "concept": [
        {
            "id": f"https://openactive.io/activity-list#{code}", "identifier": code, "type": "Concept", "prefLabel": name,
            "definition": "A sport", "notation": name.lower(), **more,
        }
        for code, name, more in (
            ("72d19892", "Angling", {"altLabel": ["Fishing"]}),
            ("0a5f732d", "Football", {}),
            ("117e7f70", "11-a-side", {"broader": ["https://openactive.io/activity-list#0a5f732d"]}),
        )
    ],
}  # fmt: skip


def test_openactives_activities(tmp_path):
    file = OPENACTIVE
    if not file.exists():
        file = tmp_path / "activity-list.jsonld"
        file.write_text(json.dumps(FEW))
    count = len(json.loads(file.read_text())["concept"])
    run("import_terms", file, list="openactive-activities")
    found = TaxonomyTerm.objects.filter(taxonomy__slug="openactive-activities")
    assert found.count() == count
    angling = found.get(name="Angling")
    assert angling.synonyms == ["Fishing"]
    assert angling.term_uri.startswith("https://openactive.io/activity-list#72d19892")
    assert found.get(name="11-a-side").parent.name == "Football"
    assert Taxonomy.objects.get(slug="openactive-activities").name == "OpenActive Activity List"
    run("import_terms", file, list="openactive-activities")
    again = ImportRun.objects.latest("started_at")
    assert (again.added, again.changed, again.unchanged) == (0, 0, count)
