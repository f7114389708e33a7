"""Which records are taken for one service: each case that a directory knows, by name."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from catalogue.dedupe import names
from catalogue.dedupe.compare import SUGGEST, SURE, compare
from catalogue.dedupe.facts import Facts, PlaceFacts, phone_number, web_page
from catalogue.dedupe.find import find_duplicates
from catalogue.dedupe.names import Likeness
from catalogue.dedupe.operations import merge, not_the_same
from catalogue.models import Address, DuplicateCandidate, DuplicateSearch, ImportRun, Organization, Phone, Service, ServiceAtLocation
from catalogue.tasks import find_all_duplicates, find_duplicates_of_import
from tests import factories
from tests.bench.bench_dedupe import quality
from tests.bench.doubles import Invented

from .importing import DATA, run

HALL = PlaceFacts(premises=frozenset({"place:1"}), postcode="PR1 2HE", x=354_000, y=429_000)
ELSEWHERE = PlaceFacts(premises=frozenset({"place:2"}), postcode="BB11 1AA", x=384_000, y=432_000)
CLUB = Facts(
    id=uuid4(), name="St John's Lunch Club", alternate_name="", source="First", organization_id=uuid4(),
    description="A hot meal and company on tuesdays for anybody over sixty.", organization="St John's Church",
    numbers=frozenset({("charity", "1234567")}), kind=uuid4(), ages=(60, None), phones=frozenset({"1772555010"}),
    email="lunch@stjohns.example", site="stjohns.example", page="stjohns.example/lunch", places=(HALL,), towns=frozenset({"preston"}),
)  # fmt: skip


def other(**values):
    """The club as another list has it, but for these values."""
    given = {"id": uuid4(), "organization_id": uuid4(), "source": "Second", "places": (replace(HALL, premises=frozenset({"place:9"})),)}
    return replace(CLUB, **(given | values))


def sibling(**values):
    """Another service of the same organisation, listed by the same publisher."""
    return replace(CLUB, **({"id": uuid4(), "page": "", "description": "", "kind": None} | values))


def score(one, two, *, sharing=2):
    return compare(one, two, lambda key: sharing).score


@pytest.mark.parametrize(
    ("case", "double"),
    [
        ("word for word", other()),
        ("abbreviated", other(name="Saint Johns Lunch Club Ltd.")),
        ("mistyped", other(name="St Jonh's Lucnh Club")),
        ("fewer details", other(phones=frozenset(), email="", page="", site="", kind=None, ages=(None, None), description="")),
        ("moved", other(places=(ELSEWHERE,), towns=frozenset({"burnley"}))),
        ("organisation spelt otherwise, without its number", other(organization="Saint Johns Church CIO", numbers=frozenset())),
    ],
)
@pytest.mark.req("R105")
def test_the_same_service_is_sure(case, double):
    assert score(CLUB, double) >= SURE, case


def test_a_new_name_behind_the_same_door_and_telephone_is_suggested_and_never_sure_alone():
    renamed = other(name="Kindred", email="", page="", description="", kind=None)
    assert SUGGEST <= score(CLUB, renamed) <= 1
    assert score(CLUB, replace(renamed, phones=frozenset(), site="", numbers=frozenset())) < SUGGEST


@pytest.mark.parametrize(
    ("case", "another"),
    [
        ("another service of the organisation, behind the same telephone and door", sibling(name="Knit and Natter")),
        ("the branch of another town", other(
            name="St John's Lunch Club Chorley", organization="St John's Chorley", numbers=frozenset({("charity", "7654321")}),
            phones=frozenset({"1257555010"}), places=(ELSEWHERE,), email="", page="", site="", towns=frozenset({"chorley"}))),
        ("one name, another body, another town", other(
            organization="Age Aid", numbers=frozenset({("charity", "7654321")}), phones=frozenset({"1282555010"}), places=(ELSEWHERE,),
            email="x@ageaid.example", site="ageaid.example", page="", description="", towns=frozenset({"burnley"}))),
        ("another group in the same building", other(
            name="Stroke Recovery", organization="Stroke Recovery Preston", numbers=frozenset(), phones=frozenset({"1772555999"}),
            email="s@stroke.example", site="stroke.example", page="", description="", kind=uuid4())),
    ],
)  # fmt: skip
def test_another_service_is_not_suggested(case, another):
    assert score(CLUB, another, sharing=6) < SUGGEST, case


def test_one_organisation_at_two_sites_is_two_services_unless_all_else_is_equal():
    two = other(organization_id=CLUB.organization_id, places=(ELSEWHERE,), phones=frozenset({"1282555010"}))
    assert score(CLUB, two) < SUGGEST
    assert score(CLUB, replace(two, phones=CLUB.phones)) >= SUGGEST


@pytest.mark.parametrize("services", [5, 25])
def test_the_services_of_one_organisation_are_no_doubles(services):
    offers = ["Befriending", "Knit and Natter", "Food Bank", "Debt Advice", "Young Carers"]
    many = [sibling(name=f"St John's {name}", email=CLUB.email) for name in offers]
    for index, one in enumerate(many):
        for two in many[index + 1 :]:
            assert score(one, two, sharing=services) < SUGGEST, (one.name, two.name)


def test_a_value_that_many_share_says_less():
    lean = other(numbers=frozenset(), organization="Church of St Jn", email="", page="", description="", ages=(None, None), kind=None)
    assert score(CLUB, lean, sharing=2) > score(CLUB, lean, sharing=200)


def test_each_weight_is_told_in_words():
    result = compare(CLUB, other(name="Kindred", phones=frozenset({"1282555010"})), lambda key: 2)
    told = {reason.words: reason.weight for reason in result.reasons}
    assert told["The names are different."] < 0 < told["The same e-mail address."]
    assert told["Different telephone numbers."] < 0


@pytest.mark.parametrize(
    ("one", "two", "likeness"),
    [
        ("St. Mary's Ctr", "Saint Marys Centre", Likeness.SAME),
        ("Preston Carers Assoc", "Preston Carers' Association Ltd", Likeness.SAME),
        ("Day care centre", "Daycare Centre", Likeness.SAME),
        ("Memory Café", "MEMORY CAFE", Likeness.SAME),
        ("Fir Grove", "Fir Grvoe", Likeness.SPELT),
        ("Tai Chi", "Tai Cih", Likeness.SPELT),
        ("Fir Grove", "Fir Grove Care Home", Likeness.CLOSE),
        ("Befriending", "Befriending Preston", Likeness.CLOSE),
        ("Fir Grove", "Fir Grove Willows Unit", Likeness.PART),
        ("Citizens Advice Preston", "Citizens Advice Chorley", Likeness.CONFLICT),
        ("Men's Shed", "Women's Shed", Likeness.CONFLICT),
        ("Carers Tuesday", "Carers Thursday", Likeness.CONFLICT),
        ("Ward 1", "Ward 2", Likeness.CONFLICT),
        ("Oak House", "Lunch Club", Likeness.DIFFERENT),
        ("", "Lunch Club", Likeness.DIFFERENT),
        ("🦄", "(…)", Likeness.DIFFERENT),
    ],
)
def test_names_are_compared_word_by_word(one, two, likeness):
    assert names.compare(one, two, known=frozenset({"preston", "chorley"} if "Advice" not in one else set())).likeness == likeness
    assert names.compare(two, one, known=frozenset({"preston", "chorley"} if "Advice" not in one else set())).likeness == likeness


def test_numbers_and_addresses_are_brought_to_one_form():
    assert {phone_number(text) for text in ("01772 555010", "+44 (0)1772 555 010", "0044 1772 555010 ext 4")} == {"1772555010"}
    assert phone_number("999") == ""
    assert web_page("https://www.Example.org/Help/") == ("example.org", "example.org/help")
    assert web_page("http://facebook.com/club") == ("", "facebook.com/club")
    assert web_page("http://[broken") == ("", "")


# --- in the catalogue


def listed(name="Tea and Talk", *, phone="01772 555010", postcode="PR1 2HE", **values):
    service = factories.ServiceFactory(name=name, care_type=None, **values)
    location = factories.LocationFactory()
    Address.objects.create(location=location, address_1="1 High Street", city="Preston", postal_code=postcode)
    ServiceAtLocation.objects.create(service=service, location=location)
    Phone.objects.create(service=service, number=phone)
    return service


def pairs():
    return {frozenset(pair) for pair in DuplicateCandidate.objects.values_list("one", "other")}


@pytest.fixture
def doubles(db):
    return listed(source="First"), listed("Tea & Talk", phone="+441772555010", source="Second")


def search(**options):
    return find_duplicates(at=timezone.now(), **options)


def test_a_search_writes_down_pairs_with_reasons_and_merges_nothing(doubles):
    listed("Knit and Natter", phone="01772 999999", postcode="PR1 9ZZ")
    result = search()
    assert pairs() == {frozenset(service.pk for service in doubles)}
    pair = DuplicateCandidate.objects.get()
    assert pair.score >= SUGGEST
    assert "The same telephone number." in {reason["text"] for reason in pair.reasons}
    assert (result.services, result.found, pair.decision) == (3, 1, "open")
    assert not Service.objects.exclude(merged_into=None).exists()


def test_what_was_decided_is_not_asked_again(doubles, curator):
    search()
    not_the_same(pair_id=DuplicateCandidate.objects.get().pk, by=curator, at=timezone.now())
    search()
    assert DuplicateCandidate.objects.get().decision == "different"


def test_a_pair_that_is_no_longer_alike_goes(doubles):
    search()
    two = doubles[1]
    Phone.objects.filter(service=two).update(number="01282 111111")
    Service.objects.filter(pk=two.pk).update(name="Stroke Recovery", modified_at=timezone.now())
    search()
    assert pairs() == set()


def test_a_merged_record_is_not_compared(doubles, curator):
    merge(kept_id=doubles[0].pk, gone_id=doubles[1].pk, by=curator, at=timezone.now())
    assert search().services == 1
    assert pairs() == set()


def test_who_was_merged_has_no_second_double_in_that_list(doubles, curator):
    """Once Tea and Talk has its double, another service of that list behind the same telephone and door is not thought to be one too."""
    first, second = doubles
    neighbour = listed("Kindred", source="Second", organization=second.organization, email="tea@talk.example")
    Service.objects.filter(pk=first.pk).update(email="tea@talk.example")
    Organization.objects.filter(services__in=doubles).update(charity_number="1234567")
    search()
    with_neighbour = frozenset((first.pk, neighbour.pk))
    assert with_neighbour not in pairs()
    merge(kept_id=first.pk, gone_id=second.pk, by=curator, at=timezone.now())
    search()
    assert with_neighbour not in pairs()
    DuplicateCandidate.objects.all().delete()  # nobody knows of it any more
    search()
    assert with_neighbour in pairs()


def test_only_what_changed_is_compared_again(doubles):
    began = timezone.now() + timedelta(hours=1)
    Service.objects.update(modified_at=began - timedelta(days=1))
    third = listed("Tea and Talk", source="Third")
    Service.objects.exclude(pk=third.pk).update(modified_at=began - timedelta(days=1))
    Service.objects.filter(pk=third.pk).update(modified_at=began)
    result = search(since=began)
    assert result.services == 1
    assert pairs() == {frozenset((third.pk, service.pk)) for service in doubles}


def test_the_command_looks_at_all_and_then_at_what_changed(doubles, capsys):
    call_command("find_duplicates")
    assert "2 services looked at" in capsys.readouterr().out
    call_command("find_duplicates")
    assert "0 services looked at" in capsys.readouterr().out
    call_command("find_duplicates", all=True)
    assert "2 services looked at" in capsys.readouterr().out
    assert DuplicateSearch.objects.exclude(finished_at=None).count() == 3


def comparisons_asked() -> int:
    """Jobs that compare what an import wrote, of the imports of this test."""
    runs = [str(pk) for pk in ImportRun.objects.values_list("pk", flat=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND args->>'run_id' = ANY(%s)",
            [find_duplicates_of_import.name, runs],
        )
        return cursor.fetchone()[0]


def test_an_import_has_what_it_wrote_compared(db):
    run("import_oruk", DATA / "feed.json")
    assert comparisons_asked() == 1
    first = Service.objects.get()
    listed(first.name, phone="01772 000000", source="Second")
    assert find_duplicates_of_import(run_id=str(ImportRun.objects.get().pk)) == 1
    assert find_all_duplicates(timestamp=0) == 1
    run("import_oruk", DATA / "feed.json")  # nothing new: nothing to compare
    assert comparisons_asked() == 1


def test_a_large_group_is_looked_at_by_words_of_the_name(db, monkeypatch):
    monkeypatch.setattr("catalogue.dedupe.blocking.LARGEST", 3)
    for offer in ("Food Bank", "Debt Advice", "Young Carers", "Book Club", "Tai Chi"):
        listed(offer, source="First")
    double = listed("Debt Advise", source="Second")
    assert search().pairs < 15  # not each with each
    assert pairs() == {frozenset((double.pk, Service.objects.get(name="Debt Advice").pk))}


@pytest.mark.req("R105")
@pytest.mark.parametrize("seed", [7])
def test_most_doubles_are_found_and_hardly_anything_else(db, seed):
    """Of 500 invented services with 75 doubles; the benchmark does it with 2,000 and other seeds."""
    truth = Invented(seed, count=500, doubles=75).write()
    search()
    found = quality(truth, SUGGEST)
    assert (found.precision >= 0.97, found.recall >= 0.88) == (True, True), found
