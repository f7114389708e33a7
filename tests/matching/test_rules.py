"""Each rule alone: met, failed, not known, and what it says of each."""

from dataclasses import replace

import pytest

from matching.engine import check
from matching.engine.problem import ANY_SEX, FEMALE, FEMALE_ONLY, MALE, MALE_ONLY, NOBODY, SEX_OTHER, Need, PoolFacts
from matching.engine.rules import RULES, Verdict
from tests.matching.worlds import WORDS

MET, FAILED, UNKNOWN, NOT_ASKED = Verdict.MET, Verdict.FAILED, Verdict.UNKNOWN, Verdict.NOT_ASKED
DEMENTIA, OXYGEN, VETERAN = 1 << 0, 1 << 6, 1 << 33

NEED = Need(age=84, sex=FEMALE, x=0, y=0, care_types=1, max_distance_m=5_000)
#: Fits in everything; says nothing that it need not say.
FACTS = PoolFacts(pool_id="a", service_id="s", care_type=0, x=3_000, y=4_000, free=2, maximum=5, age_s=7_200)


def need(**changes) -> Need:
    return replace(NEED, **changes)


def facts(**changes) -> PoolFacts:
    return FACTS._replace(**changes)


NAMED = WORDS.with_codes({"t2": "Type 2 diabetes", "copd": "COPD", "pcn|U1": "Lune Valley PCN"})
DIABETIC = need(conditions=(("t2", "ng28", "diabetes"),))
MAYBE = need(conditions=(("diabetes",),), conditions_under=("ng28", "t2"))
#: On foot 20 minutes a kilometre; by car 5 minutes and 2 a kilometre; by public transport 10 and 4. The place is 5 km away.
PACES = ((0, 1200), (300, 120), (600, 240))
DRIVER, RIDER, MAYBE_DRIVES = (need(paces=PACES, mode=mode, max_minutes=20) for mode in (1, 2, 0))
PATIENT = need(registered=("practice|P1", "pcn|U1"))

CASES = [
    ("travel", need(max_minutes=5), FACTS, NOT_ASKED, "", ""),
    ("travel", DRIVER, FACTS, MET, "About 15 minutes by car as reckoned from the distance, within 20.", ""),
    (
        "travel",
        RIDER,
        FACTS,
        FAILED,
        "It is about 30 minutes by public transport as reckoned",
        "if somebody drove the person: about 15 minutes by car.",
    ),
    (
        "travel",
        replace(DRIVER, max_minutes=14),
        FACTS,
        FAILED,
        "It is about 15 minutes by car as reckoned",
        "It would fit if 15 minutes were not too long.",
    ),
    ("travel", MAYBE_DRIVES, FACTS, UNKNOWN, "Not known: about 15 minutes by car, but about 30 minutes by public transport, and", ""),
    ("travel", MAYBE_DRIVES, facts(x=900, y=0), MET, "About 7 minutes by car as reckoned", ""),
    ("travel", RIDER, facts(x=500, y=0), MET, "About 10 minutes on foot as reckoned", ""),
    ("travel", RIDER, facts(x=None, y=None, area_ids=(1,)), UNKNOWN, "Not known: it has not said where it is", ""),
    ("travel", RIDER, facts(online=True, x=None, y=None), MET, "No journey for the person.", ""),
    ("travel", replace(RIDER, comes=1), FACTS, MET, "No journey for the person.", ""),
    ("travel", replace(RIDER, visits=OXYGEN), facts(accepts=OXYGEN), MET, "No journey for the person.", ""),
    ("care-type", NEED, FACTS, MET, "Care home: general residential.", ""),
    ("care-type", NEED, facts(care_type=33), FAILED, "It is another kind of service: Befriending.", "searched for “Befriending”"),
    ("open", NEED, FACTS, MET, "Open.", ""),
    ("open", NEED, facts(is_open=False), FAILED, "It is closed, or not in use now.", "opens these places again"),
    ("open", NEED, facts(starts_in_s=1), MET, "Open.", ""),
    ("open", NEED, facts(starts_in_s=0), FAILED, "This session has begun.", "Another session"),
    ("age", NEED, FACTS, UNKNOWN, "Not known: ask about age (84).", ""),
    ("age", NEED, facts(min_age=84), MET, "Takes people aged 84 and over.", ""),
    ("age", NEED, facts(min_age=0), MET, "Takes people of any age.", ""),
    ("age", NEED, facts(max_age=84), MET, "Takes people aged up to 84.", ""),
    ("age", NEED, facts(min_age=85), FAILED, "It takes people aged 85 and over; this person is 84.", "would fit at 85"),
    ("age", NEED, facts(min_age=18, max_age=64), FAILED, "It takes people aged 18 to 64; this person is 84.", "would fit at 64"),
    ("sex", NEED, FACTS, NOT_ASKED, "", ""),
    ("sex", NEED, facts(sex=ANY_SEX), MET, "It takes people of any sex.", ""),
    ("sex", NEED, facts(sex=FEMALE_ONLY), MET, "It takes women only.", ""),
    ("sex", need(sex=MALE), facts(sex=FEMALE_ONLY), FAILED, "It takes women only.", "for women"),
    ("sex", NEED, facts(sex=MALE_ONLY), FAILED, "It takes men only.", "for men"),
    ("sex", need(sex=SEX_OTHER), facts(sex=MALE_ONLY), UNKNOWN, "Not known: it takes men only; ask before you refer.", ""),
    ("sex", NEED, facts(sex=NOBODY), FAILED, "It says women only in one place and men only in another", "put its entry right"),
    ("sex", need(sex=SEX_OTHER), facts(sex=NOBODY), UNKNOWN, "It says women only in one place", ""),
    ("required", NEED, FACTS, NOT_ASKED, "", ""),
    ("required", need(needs=VETERAN), facts(requires=VETERAN), MET, "It is for people with: Served in the forces.", ""),
    ("required", NEED, facts(requires=VETERAN), FAILED, "It takes only people with: Served in the forces.", "Served in the forces"),
    ("excluded", need(needs=OXYGEN), facts(excludes=DEMENTIA), MET, "It has ruled out nothing that you asked for.", ""),
    ("excluded", need(needs=OXYGEN), facts(excludes=OXYGEN), FAILED, "It cannot take people with: Oxygen.", "fit without: Oxygen"),
    ("excluded", need(must_haves=OXYGEN), facts(excludes=OXYGEN), FAILED, "It cannot take people with: Oxygen.", "without: Oxygen"),
    ("excluded", NEED, facts(excludes=OXYGEN), NOT_ASKED, "", ""),
    ("must-have", NEED, FACTS, NOT_ASKED, "", ""),
    ("must-have", need(must_haves=OXYGEN), facts(accepts=OXYGEN), MET, "Says that it can meet what you must have: Oxygen.", ""),
    ("must-have", need(must_haves=OXYGEN), FACTS, FAILED, "It has not said that it can meet: Oxygen.", "not a must-have: Oxygen"),
    ("needs", NEED, FACTS, NOT_ASKED, "", ""),
    ("needs", need(needs=OXYGEN), FACTS, UNKNOWN, "Not known: ask about Oxygen.", ""),
    ("needs", need(needs=OXYGEN), facts(accepts=OXYGEN), MET, "Says that it can meet: Oxygen.", ""),
    (
        "needs",
        need(needs=OXYGEN | DEMENTIA),
        facts(accepts=DEMENTIA),
        UNKNOWN,
        "Not known: ask about Oxygen. It says that it can meet: Dementia.",
        "",
    ),
    ("funding", NEED, facts(funding=1), NOT_ASKED, "", ""),
    ("funding", need(funding=6), FACTS, UNKNOWN, "Not known: ask how it can be paid for", ""),
    ("funding", need(funding=6), facts(funding=4), MET, "Takes this funding: NHS funded", ""),
    ("funding", need(funding=2), facts(funding=1), FAILED, "It takes only this funding: Council funded.", "paid for by: Council"),
    ("budget", NEED, facts(price_pence=1), NOT_ASKED, "", ""),
    ("budget", need(budget_pence=95_000), FACTS, UNKNOWN, "Not known: ask what it costs.", ""),
    ("budget", need(budget_pence=95_000), facts(price_pence=95_000), MET, "Usually £950 a week, within the budget of £950.", ""),
    ("budget", need(budget_pence=0), facts(price_pence=0), MET, "Free.", ""),
    (
        "budget",
        need(budget_pence=95_000),
        facts(price_pence=95_050),
        FAILED,
        "Usually £950.50 a week, more than the budget of £950.",
        "with £0.50 more a week",
    ),
    ("language", NEED, facts(languages=1), NOT_ASKED, "", ""),
    ("language", need(languages=2), FACTS, UNKNOWN, "Not known: ask which languages it works in (Urdu).", ""),
    ("language", need(languages=3), facts(languages=2), MET, "Speaks: Urdu.", ""),
    ("language", need(languages=2), facts(languages=1), FAILED, "It works only in: English.", "who speaks: English"),
    ("referral-source", need(source=1), FACTS, UNKNOWN, "Not known: ask whether it takes referrals from you", ""),
    ("referral-source", need(source=1), facts(sources=3), MET, "Takes referrals from: Hospital discharge team.", ""),
    ("referral-source", need(source=1), facts(sources=2), FAILED, "It takes referrals only from: General practice.", "came from"),
    ("funding", need(funding=2), facts(funding_out=2), FAILED, "It does not take this funding: NHS cont", "paid for by somebody else"),
    ("funding", need(funding=2), facts(funding=1, funding_out=2), FAILED, "It does not take this funding: NHS cont", "by: Council"),
    ("funding", need(funding=6), facts(funding_out=2), UNKNOWN, "Not known: ask how it can be paid for", ""),
    ("language", need(languages=2), facts(languages_out=2), FAILED, "It cannot work in: Urdu.", "who speaks another language"),
    (
        "referral-source",
        need(source=128),
        facts(sources_out=128),
        FAILED,
        "It takes no referrals from: The per",
        "came from somebody else",
    ),
    ("condition-required", NEED, FACTS, NOT_ASKED, "", ""),
    (
        "condition-required",
        NEED,
        facts(conditions_in=("t2",)),
        UNKNOWN,
        "Not known: it takes only people with one of these",
        "",
    ),
    ("condition-required", DIABETIC, facts(conditions_in=("copd", "t2")), MET, "It is for people with: Type 2 diabetes.", ""),
    ("condition-required", DIABETIC, facts(conditions_in=("ng28",)), MET, "It is for people with: ng28.", ""),
    ("condition-required", MAYBE, facts(conditions_in=("t2",)), UNKNOWN, "Not known: it takes only people with one of these", ""),
    ("condition-required", DIABETIC, facts(conditions_in=("copd",)), FAILED, "It takes only people with one of: COPD.", "one of: COPD"),
    ("condition-excluded", NEED, facts(conditions_out=("t2",)), NOT_ASKED, "", ""),
    ("condition-excluded", DIABETIC, facts(conditions_out=("copd",)), MET, "It has ruled out none of the diagnoses", ""),
    ("condition-excluded", DIABETIC, facts(conditions_out=("ng28",)), FAILED, "It cannot take people with: ng28.", "without: ng28"),
    (
        "condition-excluded",
        MAYBE,
        facts(conditions_out=("t2",)),
        UNKNOWN,
        "Not known: it cannot take people with these",
        "",
    ),
    ("conditions", NEED, facts(conditions_ok=("t2",)), NOT_ASKED, "", ""),
    ("conditions", DIABETIC, facts(conditions_ok=("ng28",)), MET, "It says that it takes people with: ng28.", ""),
    ("conditions", DIABETIC, facts(conditions_out=("ng28",)), MET, "", ""),
    ("conditions", DIABETIC, facts(conditions_in=("ng28",), conditions_ok=("ng28",)), MET, "", ""),
    ("conditions", DIABETIC, FACTS, UNKNOWN, "Not known: ask about Type 2 diabetes.", ""),
    (
        "conditions",
        need(conditions=(("t2", "ng28"), ("copd",))),
        facts(conditions_ok=("copd",)),
        UNKNOWN,
        "Not known: ask about Type 2 diabetes. It says that it takes people with: COPD.",
        "",
    ),
    ("registration", PATIENT, FACTS, NOT_ASKED, "", ""),
    ("registration", PATIENT, facts(registered_in=("pcn|U1", "pcn|U2")), MET, "Takes people registered with Lune Valley PCN.", ""),
    ("registration", PATIENT, facts(registered_in=("pcn|U2",)), FAILED, "It takes only people registered with pcn|U2.", "elsewhere"),
    ("registration", NEED, facts(registered_in=("pcn|U2",)), UNKNOWN, "Not known: it takes only people registered with pcn|U2; ask", ""),
    ("registration", PATIENT, facts(registered_in=("icb|QE1",)), UNKNOWN, "Not known: it takes only people registered with icb|QE1", ""),
    ("registration", PATIENT, facts(registered_out=("pcn|U1",)), FAILED, "It takes nobody registered with Lune Valley PCN.", "elsewhere"),
    ("registration", PATIENT, facts(registered_out=("pcn|U2",)), MET, "It has not ruled out where the person is registered.", ""),
    ("registration", NEED, facts(registered_out=("pcn|U2",)), UNKNOWN, "Not known: it takes nobody registered with pcn|U2; ask", ""),
    ("area", NEED, FACTS, NOT_ASKED, "", ""),
    ("area", need(areas=(4, 5)), facts(area_ids=(5, 6)), MET, "Serves the area where the person lives.", ""),
    ("area", NEED, facts(has_extent=True, in_extent=True), MET, "Serves the area", ""),
    ("area", NEED, facts(area_ids=(6,), has_extent=True, in_extent=True), MET, "Serves the area", ""),
    ("area", need(areas=(4,)), facts(area_ids=(5,)), FAILED, "It takes only people who live in certain areas", "widened its area"),
    ("area", need(areas=(4,)), facts(areas_out=(5,)), MET, "It has not ruled out where the person lives.", ""),
    ("area", need(areas=(4, 5)), facts(areas_out=(5,)), FAILED, "It takes nobody who lives where this person does.", "widened its area"),
    ("area", need(areas=(4, 5)), facts(area_ids=(4,), areas_out=(5,)), FAILED, "It takes nobody who lives where", "widened its area"),
    ("area", NEED, facts(drawn_out=False), MET, "It has not ruled out where the person lives.", ""),
    ("area", NEED, facts(drawn_out=True), FAILED, "It takes nobody who lives where this person does.", "widened its area"),
    ("area", need(areas=(4,)), facts(areas_first=(5,)), NOT_ASKED, "", ""),
    (
        "funding",
        NEED,
        facts(funding=1, funding_must=1),
        UNKNOWN,
        "Not known: it takes only people paid for by Council funded; find out.",
        "",
    ),
    ("funding", need(funding=1), facts(funding=3, funding_must=1), MET, "Takes this funding: Council funded.", ""),
    ("funding", need(funding=2), facts(funding=3, funding_must=1), FAILED, "It takes only this funding: Council funded.", "by: Council"),
    ("language", NEED, facts(languages=2, languages_must=2), UNKNOWN, "Not known: it takes only people who speak Urdu; find out.", ""),
    ("language", need(languages=1), facts(languages=3, languages_must=2), FAILED, "It works only in: Urdu.", "who speaks: Urdu"),
    (
        "referral-source",
        need(source=2),
        facts(sources=3, sources_must=1),
        FAILED,
        "It takes referrals only from: Hospital",
        "came from: Hospital",
    ),
    ("area", NEED, facts(has_extent=True), FAILED, "It takes only people who live in certain areas", "widened its area"),
    ("catchment", NEED, FACTS, NOT_ASKED, "", ""),
    ("catchment", NEED, facts(catchment_m=5_000), MET, "Reaches people within 3.1 miles.", ""),
    ("catchment", NEED, facts(catchment_m=4_999, x=None, y=None), UNKNOWN, "Not known: it reaches people within 3.1 miles", ""),
    ("catchment", NEED, facts(catchment_m=3_000), FAILED, "It reaches only people within 1.9 miles", "reached 1.2 miles further"),
    ("distance", NEED, FACTS, MET, "3.1 miles away, within 3.1 miles.", ""),
    ("distance", NEED, facts(x=None, y=None, online=True), MET, "Online or by phone: no journey.", ""),
    ("distance", NEED, facts(x=None, y=None, area_ids=(1,)), UNKNOWN, "Not known: it has not said where it is.", ""),
    ("distance", NEED, facts(x=None, y=None), FAILED, "It has not said where it is or which area it serves.", "says where it is"),
    ("distance", need(max_distance_m=4_999), FACTS, FAILED, "It is 3.1 miles away", "if 3.1 miles were not too far"),
    ("place", NEED, FACTS, MET, "2 places free, told 2 hours ago.", ""),
    ("place", NEED, facts(age_s=86_400), MET, "2 places free, told 1 day ago: the figure is getting old, check first.", ""),
    ("place", NEED, facts(status=3), MET, "2 places free, told 2 hours ago; the service assesses people", ""),
    ("place", NEED, facts(age_s=None, free=None), UNKNOWN, "Not known: nobody has told us", ""),
    ("place", NEED, facts(age_s=259_200, free=0), UNKNOWN, "Not known: the last figure cannot be relied on", ""),
    ("place", NEED, facts(age_s=-301), UNKNOWN, "Not known: the figure carries a time that has not come yet.", ""),
    ("place", NEED, facts(free=0), FAILED, "No place is free, told 2 hours ago.", "says that a place is free"),
    ("place", NEED, facts(status=1), FAILED, "It says that it takes nobody now", "says that a place is free"),
    ("place", NEED, facts(status=2, free=0), MET, "Has a waiting list that can be joined", ""),
    ("place", need(joins_lists=False), facts(status=2), FAILED, "It has only a waiting list", "if the person could wait"),
    (
        "place",
        need(days=3, today=739_787),
        facts(status=2, wait_days=5),
        FAILED,
        "It has only a waiting list of about 5 days",
        "a place is free on Thursday: it would",
    ),
    (
        "place",
        need(days=3, today=739_787),
        facts(status=2, wait_days=45),
        FAILED,
        "It has only a waiting list of about 6 weeks",
        "free on Tuesday 4 August: it",
    ),
    (
        "place",
        need(days=3),
        facts(status=2, wait_days=400),
        FAILED,
        "It has only a waiting list of about 13 months",
        "is free in 13 months: it would",
    ),
    ("place", NEED, facts(status=2, wait_days=21), MET, "Has a waiting list of about 3 weeks that can be joined", ""),
    ("place", need(joins_lists=False, days=9), facts(status=2, wait_days=9), MET, "Has a waiting list of about 9 days", ""),
    (
        "place",
        need(days=60),
        facts(status=2, wait_days=61),
        FAILED,
        "It has only a waiting list of about 9 weeks",
        "a place is free in 9 weeks: it would fit",
    ),
    ("place", NEED, facts(is_open=False), NOT_ASKED, "", ""),
    ("place", NEED, facts(starts_in_s=0), NOT_ASKED, "", ""),
]


@pytest.mark.req("R001")
@pytest.mark.parametrize(("code", "need_", "facts_", "verdict", "says", "change"), CASES)
def test_rule(code, need_, facts_, verdict, says, change):
    rule = next(rule for rule in RULES if rule.code == code)
    assert rule.verdict(need_, facts_) is verdict
    sentence = rule.sentence(need_, facts_, NAMED)
    assert sentence.startswith(says)
    assert bool(sentence) == bool(says)
    if verdict is FAILED:
        assert change
        assert change in rule.change(need_, facts_, NAMED)
        assert code in check.failed(need_, facts_)
    else:
        assert code not in check.failed(need_, facts_)


def test_every_rule_is_tested_for_every_verdict_that_it_can_give():
    assert {code for code, *_ in CASES} == {rule.code for rule in RULES}
    met = {code for code, _, _, verdict, *_ in CASES if verdict is MET}
    assert met == {rule.code for rule in RULES}
    failed = {code for code, _, _, verdict, *_ in CASES if verdict is FAILED}
    assert failed == {rule.code for rule in RULES} - {"needs", "conditions"}
