"""Searching: the answer is ranked, said in words, stored, and can be had again."""

import random
from datetime import date, time, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from capacity.models import ServiceCapacity
from catalogue.currency import ASSURANCE_LASTS
from catalogue.models import Practice, QualityMark, RegistrationCriterion, Schedule, Service
from core.errors import Invalid, NotAllowed
from matching import operations, profiles, reference
from matching.engine import ENGINE_VERSION
from matching.engine.problem import Need
from matching.models import MatchCandidate, MatchRun, NeedProfile, UnmetNeed, WeightSet
from tests.factories import (
    CriterionFactory,
    EligibilityFactory,
    LocationFactory,
    NeedProfileFactory,
    OrganizationFactory,
    OutcodeFactory,
    PoolFactory,
    PostcodeFactory,
    UserFactory,
    near,
    term,
)
from tests.matching import worlds

pytestmark = pytest.mark.django_db


def pool_at(metres: float, **fields) -> ServiceCapacity:
    return PoolFactory(location=LocationFactory(point=near(metres)), **fields)


def search(profile: NeedProfile | None = None, **fields) -> MatchRun:
    return operations.match(profile or NeedProfileFactory(**fields), by=None, at=timezone.now())


@pytest.mark.req("R001")
@pytest.mark.req("R014")
def test_a_need_is_ranked_against_the_live_catalogue():
    """Clinical need, place and means to pay, in one ordered list: the far one last, the full, the dear and the unfit not at all."""
    far, close = pool_at(9_000), pool_at(1_000)
    CriterionFactory(service=pool_at(500).service, rule="excluded")
    pool_at(100, full=True)
    dear = pool_at(100)
    Service.objects.filter(pk=dear.service_id).update(price_week=1500)
    run = search(needs=["dementia"], budget_week=900)
    assert [line.pool_id for line in operations.lines(run)] == [close.pk, far.pk]
    assert run.considered == 5


@pytest.mark.req("R002")
def test_the_best_fit_comes_first_though_another_is_nearer():
    nearest, best = pool_at(500), pool_at(2_000)
    CriterionFactory(service=best.service)
    EligibilityFactory(service=best.service, minimum_age=65)
    lines = operations.lines(search(needs=["dementia"]))
    assert [line.pool_id for line in lines] == [best.pk, nearest.pk]
    assert lines[1].unknown == ["Not known: ask about age (84).", "Not known: ask about Dementia."]
    assert "Says that it can meet: Dementia." in lines[0].met


@pytest.mark.req("R010")
def test_every_line_says_what_is_free_and_how_old_that_figure_is():
    pool_at(1_000, reported_at=timezone.now() - timedelta(hours=3))
    pool_at(2_000, unknown=True)
    told, never = operations.lines(search())
    assert (told.places, told.free, told.miles) == ("3 places free, told 3 hours ago.", 3, 0.6)
    assert (never.free, never.told_s) == (None, None)
    assert "nobody has told us" in never.places
    assert never.better == "Up to 200 points more once it says whether a place is free."
    assert sum(t.points for t in told.terms) == told.score <= told.out_of
    assert told.terms[0].words == "+95 for distance: 0.6 miles"


@pytest.mark.req("R071")
def test_a_profile_holds_needs_interests_home_and_whether_the_person_drives():
    PostcodeFactory()
    by = UserFactory()
    given = {
        "age": "72", "postcode": "pr12he", "care_types": ["befriending"], "needs": ["lives-alone"], "preferences": ["gardening", "music"],
        "drives": False, "max_miles": 5, "languages": ["ur"], "budget_week": "20", "needed_by": "2026-12-31",
        "max_minutes": "45", "times": ["SA", "afternoon"], "pathway": "social-prescribing",
    }  # fmt: skip
    profile = operations.profile_from(given, by=by)
    profile.refresh_from_db()
    assert (profile.outcode, profile.drives, profile.max_distance_m) == ("PR1", False, 8_047)
    assert (profile.preferences, profile.organization_id, profile.place_is_approximate) == (
        ["gardening", "music"],
        by.organization_id,
        False,
    )
    assert (profile.max_minutes, profile.times, profile.pathway) == (45, ["SA", "afternoon"], "social-prescribing")
    gardeners = PoolFactory(service__care_type=term("care-type", "befriending"))
    others = pool_at(-100, service__care_type=term("care-type", "befriending"))
    CriterionFactory(service=gardeners.service, term=term("need", "gardening"))
    assert [line.pool_id for line in operations.lines(search(profile))] == [gardeners.pk, others.pk]


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"conditions": ["snomed|1"]}, "conditions", "“snomed|1” is not a diagnosis"),
        ({"conditions": "snomed|44054006"}, "conditions", "Send a list"),
        ({"marks": ["five stars"]}, "marks", "“five stars” is not a mark of quality"),
        ({"practice": "P99999"}, "practice", "We do not know the practice “P99999”"),
        ({"age": "old"}, "age", "whole years"),
        ({"age": 126}, "age", "from 0 to 125"),
        ({"care_types": []}, "care_types", "at least one kind"),
        ({"care_types": "befriending"}, "care_types", "Send a list"),
        ({"needs": ["flying"]}, "needs", "“flying” is not a need that we know"),
        ({"referral_source": "aunt"}, "referral_source", "“aunt” is not a source"),
        ({"sex": "x"}, "sex", "Use one of: female"),
        ({"budget_week": "lots"}, "budget_week", "in pounds"),
        ({"budget_week": -1}, "budget_week", "in pounds"),
        ({"max_miles": 0}, "max_miles", "in miles"),
        ({"max_miles": "far"}, "max_miles", "in miles"),
        ({"max_minutes": 0}, "max_minutes", "from 1 to 300"),
        ({"max_minutes": "soon"}, "max_minutes", "whole minutes"),
        ({"times": ["noon"]}, "times", "“noon” is not a time that we know"),
        ({"times": "MO"}, "times", "Send a list"),
        ({"pathway": "P9"}, "pathway", "Use one of: P0"),
        ({"needed_by": "soon"}, "needed_by", "like 2026-12-31"),
    ],
)
def test_what_is_not_understood_is_refused_in_plain_words(change, field, says):
    OutcodeFactory()
    with pytest.raises(Invalid, match=says) as caught:
        operations.profile_from({"age": 80, "postcode": "PR1", "care_types": ["befriending"]} | change, by=UserFactory())
    assert caught.value.details["field"] == field
    assert not NeedProfile.objects.exists()


def test_only_referrers_search():
    with pytest.raises(NotAllowed):
        operations.profile_from({}, by=UserFactory(provider=True))


def test_a_date_close_by_leaves_waiting_lists_out():
    at = timezone.now()
    for days, joins in ((14, False), (15, True)):
        profile = NeedProfileFactory(needed_by=at.date() + timedelta(days=days))
        assert profiles.need_of(profile, at=at).joins_lists is joins
    assert profiles.need_of(NeedProfileFactory(), at=at).joins_lists


@pytest.mark.parametrize("seed", range(3))
def test_a_stored_run_replays_to_the_same_answer_though_the_world_moves_on(seed):
    worlds.build(random.Random(seed), 70)
    run = operations.match(NeedProfileFactory(care_types=list(worlds.KINDS), needs=["dementia"]), by=None, at=worlds.AT)
    first = operations.lines(run)
    assert len(first) > 5
    ServiceCapacity.objects.update(available=None, held=0)
    Service.objects.update(status="inactive")
    run = MatchRun.objects.get(pk=run.pk)
    assert operations.replay(run) == operations.lines(run) == first


def test_a_run_keeps_what_it_was_judged_by():
    pool_at(1_000)
    run = MatchRun.objects.get(pk=search().pk)
    newest = WeightSet.objects.first()
    assert (run.weights_version, run.weights, run.engine_version) == (newest.version, newest.weights, ENGINE_VERSION)
    candidate = MatchCandidate.objects.get(run=run)
    assert sum(candidate.terms.values()) == candidate.score
    assert (candidate.facts["free"], candidate.distance_m) == (3, 1_000)


@pytest.mark.req("R025")
def test_why_not_names_the_rule_and_what_would_change_it():
    listed, young = pool_at(1_000), pool_at(100)
    EligibilityFactory(service=young.service, maximum_age=64)
    run = search()
    why = operations.why_not(run, young.pk)
    assert (why.rank, why.summary, [f.code for f in why.failed]) == (None, "It does not fit: age.", ["age"])
    assert why.failed[0].change == "It would fit at 64; this person is 84."
    assert why.terms == []
    there = operations.why_not(run, listed.pk)
    assert (there.rank, there.summary, there.failed) == (1, "It is number 1 in the list.", [])
    with pytest.raises(ServiceCapacity.DoesNotExist):
        operations.why_not(run, uuid4())


def test_why_not_says_when_it_would_fit_now():
    pool = pool_at(100, full=True)
    run = search()
    ServiceCapacity.objects.filter(pk=pool.pk).update(available=1)
    assert operations.why_not(run, pool.pk).summary.startswith("It fits now. It has changed since")


def test_nobody_fits_names_the_nearest_misses_and_the_change_that_opens_most():
    full, far, also_far = pool_at(100, full=True), pool_at(30_000), pool_at(31_000)
    run = search(needs=["dementia"])
    assert operations.lines(run) == []
    misses = operations.nearest_misses(run)
    assert [line.pool_id for line in misses.lines] == [full.pk, far.pk, also_far.pk]
    assert [(o.code, o.opens) for o in misses.openings] == [("distance", 2), ("place", 1)]
    assert misses.lines[1].failed[0].change == "It would fit if 18.6 miles were not too far."
    unmet = UnmetNeed.objects.get()
    assert (unmet.reason, unmet.outcode, unmet.needs) == ("distance", "PR1", ["dementia"])


def test_no_service_of_the_kind_at_all_is_an_unmet_need():
    run = search()
    assert (run.considered, operations.nearest_misses(run).lines) == (0, [])
    assert UnmetNeed.objects.get().reason == "no-service"


def test_next_best_is_what_is_free_now_without_those_already_tried():
    first, second, third = pool_at(100), pool_at(200), pool_at(300)
    run = search()
    ServiceCapacity.objects.filter(pk=second.pk).update(available=0)
    found = operations.next_best(run, exclude_pools=[first.pk], at=timezone.now())
    assert [(line.rank, line.pool_id) for line in found] == [(1, third.pk)]
    assert MatchRun.objects.count() == 1


def test_an_inactive_service_is_never_offered_and_a_confidential_one_is():
    gone, hidden = pool_at(100), pool_at(200)
    Service.objects.filter(pk=gone.service_id).update(status="inactive")
    Service.objects.filter(pk=hidden.service_id).update(is_confidential=True)
    assert [(line.pool_id, line.is_confidential) for line in operations.lines(search())] == [(hidden.pk, True)]


def test_a_merged_service_is_neither_ranked_nor_nearly_right():
    kept, double = pool_at(200), pool_at(100)
    Service.objects.filter(pk=double.service_id).update(merged_into=kept.service)
    assert [line.pool_id for line in operations.lines(search())] == [kept.pk]
    ServiceCapacity.objects.update(available=0)
    nobody = search()
    assert [line.pool_id for line in operations.nearest_misses(nobody).lines] == [kept.pk]
    assert operations.next_best(nobody, exclude_pools=[], at=timezone.now()) == []
    assert "no kind of service that can be matched" in operations.why_not(nobody, double.pk).summary


def test_an_overdue_record_ranks_lower_and_says_why():
    overdue, checked = pool_at(1_000), pool_at(3_000)
    Service.objects.filter(pk=overdue.service_id).update(assured_date=date(2026, 3, 3))
    Service.objects.filter(pk=checked.service_id).update(assured_date=date(2026, 9, 30))
    run = operations.match(NeedProfileFactory(), by=None, at=worlds.AT)
    first, second = operations.lines(run)
    assert (first.pool_id, second.pool_id) == (checked.pk, overdue.pk)
    assert (first.overdue, second.overdue) == ("", "Its record was last checked on 3 March, so it is overdue.")
    assert (
        next(term for term in second.terms if term.code == "currency").words
        == "+0 for an up-to-date record: its record was last checked on 3 March, so it is overdue"
    )
    Service.objects.filter(pk=overdue.service_id).update(assured_date=worlds.AT.date() - ASSURANCE_LASTS)
    run = operations.match(NeedProfileFactory(), by=None, at=worlds.AT)
    assert [line.pool_id for line in operations.lines(run)] == [overdue.pk, checked.pk]


def test_a_run_from_before_a_factor_came_gives_its_old_answer():
    pool_at(1_000)
    run = search()
    for stored, later in ((run.weights, "currency"), (run.problem, "today"), (run.weights, "marks"), (run.problem, "paces")):
        del stored[later]
    later = ("journey", "travel", "interests", "times")
    for name in later:
        del run.weights[name]
    run.save()
    candidate = run.candidates.get()
    candidate.score -= sum(candidate.terms.pop(later) for later in ("currency", "marks", *later))
    for name in ("marks", "registered_in", "funding_out", "times"):
        candidate.facts.pop(name, None)
    candidate.save()
    run = MatchRun.objects.get(pk=run.pk)
    assert operations.replay(run) == operations.lines(run)
    assert (operations.lines(run)[0].out_of, operations.lines(run)[0].overdue) == (800, "")


def test_shipped_weights_never_displace_an_operators_own():
    WeightSet.objects.filter(version__gt=1).delete()
    own = WeightSet.objects.create(version=2, weights=WeightSet.objects.get(version=1).weights)
    reference.load()
    assert list(WeightSet.objects.values_list("pk", flat=True)) == [own.pk, WeightSet.objects.get(version=1).pk]
    own.delete()
    reference.load()
    assert sorted(WeightSet.objects.values_list("version", flat=True)) == sorted(reference.SHIPPED)


@pytest.mark.req("R013")
def test_diagnoses_and_guidelines_decide_with_what_falls_under_them():
    """Type 2 diabetes falls under NICE NG28, and that under diabetes."""
    guideline, ruled_out, other, silent = (pool_at(metres) for metres in (400, 300, 200, 100))
    say = partial(CriterionFactory, rule="required")
    say(service=guideline.service, term=term("condition", "nice|NG28"))
    say(service=other.service, term=term("condition", "nice|NG115"))
    CriterionFactory(service=ruled_out.service, term=term("condition", "snomed|73211009"), rule="excluded")
    run = search(conditions=["snomed|44054006"])
    first, second = operations.lines(run)
    assert (first.pool_id, second.pool_id) == (guideline.pk, silent.pk)
    assert "It is for people with: Type 2 diabetes (NICE NG28)." in first.met
    assert "Not known: ask about Type 2 diabetes." in second.unknown
    why = operations.why_not(run, ruled_out.pk)
    assert (why.failed[0].code, why.failed[0].sentence) == ("condition-excluded", "It cannot take people with: Diabetes.")
    assert operations.why_not(run, other.pk).failed[0].sentence == "It takes only people with one of: COPD (NICE NG115)."
    wider = {line.pool_id: line for line in operations.lines(search(conditions=["snomed|73211009"]))}
    assert set(wider) == {guideline.pk, silent.pk}
    assert "Not known: it takes only people with one of these; find out: Type 2 diabetes (NICE NG28)." in wider[guideline.pk].unknown
    assert operations.replay(run) == operations.lines(run)


def test_where_somebody_is_registered_decides():
    practice = Practice.objects.create(
        organization=OrganizationFactory(practice=True, ods_code="P81001"), pcn_code="U11111", pcn_name="Lune Valley"
    )
    network, elsewhere = pool_at(200), pool_at(100)
    for pool, code, name in ((network, "U11111", "Lune Valley"), (elsewhere, "U22222", "Fylde Coast")):
        RegistrationCriterion.objects.create(service=pool.service, kind="pcn", code=code, name=name)
    run = search(practice=practice.organization.ods_code)
    (line,) = operations.lines(run)
    assert line.pool_id == network.pk
    assert "Takes people registered with Lune Valley." in line.met
    why = operations.why_not(run, elsewhere.pk)
    assert why.failed[0].sentence == "It takes only people registered with Fylde Coast."
    unknown = operations.lines(search())
    assert [line.pool_id for line in unknown] == [elsewhere.pk, network.pk]
    assert "Not known: it takes only people registered with Fylde Coast; ask where the person is registered." in unknown[0].unknown


@pytest.mark.req("R221")
@pytest.mark.req("R223")
def test_a_mark_of_quality_may_be_preferred_and_its_absence_never_leaves_a_service_out():
    small, marked, late = pool_at(100), pool_at(300), pool_at(400)
    today = timezone.localdate()
    QualityMark.objects.create(organization=marked.service.organization, scheme="ncvo", name="Level 1", expires_on=today)
    QualityMark.objects.create(service=late.service, scheme="ncvo", name="Level 2", expires_on=today - timedelta(days=1))
    assert [line.pool_id for line in operations.lines(search())] == [small.pk, marked.pk, late.pk]
    lines = operations.lines(search(marks=["ncvo"]))
    assert [line.pool_id for line in lines] == [marked.pk, small.pk, late.pk]
    points = [next(term for term in line.terms if term.code == "marks") for line in lines]
    assert points[0].words == "+20 for marks of quality: NCVO Trusted Charity"
    assert points[1].words == "+0 for marks of quality: none of those wished for"


@pytest.mark.req("R134")
@pytest.mark.parametrize(
    ("age", "offers"), [(49, ["everybody"]), (50, ["fifty", "everybody"]), (64, ["fifty", "everybody"]), (65, ["everybody"])]
)
def test_an_offer_for_a_band_of_ages_is_made_to_them_alone(age, offers):
    """Social prescribing for people over fifty and not yet 65, beside what is for everybody."""
    kind = term("care-type", "physical-activity")
    fifty, everybody = (
        pool_at(metres, service__care_type=kind, service__name=name) for metres, name in ((100, "fifty"), (200, "everybody"))
    )
    EligibilityFactory(service=fifty.service, minimum_age=50, maximum_age=64)
    EligibilityFactory(service=everybody.service, minimum_age=0)
    assert [line.service_name for line in operations.lines(search(age=age, care_types=["physical-activity"]))] == offers


def test_somebody_who_cannot_drive_is_offered_first_what_comes_or_fetches():
    kind = term("care-type", "befriending")
    near_by, visits = pool_at(100, service__care_type=kind), pool_at(3_000, service__care_type=kind)
    CriterionFactory(service=visits.service, term=term("need", "home-visit"))
    for drives, first in ((True, near_by), (None, near_by), (False, visits)):
        assert operations.lines(search(care_types=["befriending"], drives=drives))[0].pool_id == first.pk
    home = pool_at(100)
    terms = operations.lines(search(drives=False))[0].terms
    assert next(term.words for term in terms if term.code == "journey") == "+40 for getting there: no journeys to make"
    assert home.is_open


def test_a_search_takes_a_fixed_number_of_statements(django_assert_num_queries):
    """The ranking statement runs on the driver's own cursor and is not counted; nothing else grows with the list."""
    for metres in range(100, 1_100, 100):
        pool_at(metres)
    profile, at = NeedProfileFactory(), timezone.now()
    with django_assert_num_queries(8):  # savepoint, weights, merged words, areas, ledger, run, candidates, release
        run = operations.match(profile, by=None, at=at)
    read = MatchRun.objects.get(pk=run.pk)
    with django_assert_num_queries(2):  # the words of the directory, the names of codes
        ranked = operations.lines(run)
    with django_assert_num_queries(3):  # of a run that was read, its lines too
        assert operations.lines(read) == ranked
    assert len(ranked) == 10


def test_the_ranking_statement_uses_its_index():
    from matching import queries
    from matching.engine.problem import Weights

    need = profiles.need_of(NeedProfileFactory(), at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + queries.RANK, queries.parameters(need, Weights(), at=timezone.now(), limit=50))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "matching_poolfact_reach" in plan
    assert "matching_poolfact_placeless" in plan


@pytest.mark.req("R071")
def test_interests_and_times_that_suit_move_a_service_up_and_are_said():
    """By the words of the vocabulary and by those that curators add to the interests; a wish for a garden stays a preference."""
    kind = term("care-type", "arts-and-nature")
    plain, singing = (PoolFactory(service__care_type=kind, location=LocationFactory(point=near(metres))) for metres in (100, 2_000))
    CriterionFactory(service=singing.service, term=term("need", "music"))
    Schedule.objects.create(service=singing.service, byday="TU", opens_at=time(14), closes_at=time(16))
    Schedule.objects.create(service=plain.service, byday="MO", opens_at=time(9), closes_at=time(11))
    run = search(care_types=["arts-and-nature"], preferences=["music", "garden"], times=["TU", "TH", "afternoon"], drives=True)
    need = Need.from_json(run.problem)
    assert (need.interests, need.preferences) == (1 << 42, 1 << 40)
    first, second = operations.lines(run)
    assert (first.pool_id, second.pool_id) == (singing.pk, plain.pk)
    words = {term.code: term.words for term in first.terms}
    assert words["interests"] == "+40 for interests: Music and singing"
    assert words["times"] == "+40 for times that suit: Tuesday afternoon"
    assert words["preferences"] == "+0 for preferences: none that it has spoken of"
    assert next(term.words for term in second.terms if term.code == "times") == "+0 for times that suit: open at none of them"
    assert operations.replay(run) == operations.lines(run)
