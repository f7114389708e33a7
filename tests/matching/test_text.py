"""What a service's sentences say and what the engine decides on are the same, whatever the criteria."""

import random
import re

import pytest
from django.db.models import F

from catalogue import vocabulary
from catalogue.eligibility_text import _in_a_sentence, eligibility_sentences
from catalogue.models import Eligibility, EligibilityCriterion, RegistrationCriterion, ServiceArea, TaxonomyTerm
from matching import queries
from matching.engine.problem import ANY_SEX, FEMALE_ONLY, MALE_ONLY, NO_LIMIT, Need, PoolFacts
from tests.factories import AreaFactory, CriterionFactory, EligibilityFactory, PoolFactory, term
from tests.matching.worlds import AT, WORDS

pytestmark = pytest.mark.django_db

NEED = Need(age=80, sex=0, x=0, y=0, care_types=1)
#: How a sentence begins, and what the engine decides by: the taxonomy and a mask of its facts.
MASKS = {
    "Only takes people with these needs": ("need", lambda f: f.requires),
    "Can meet": ("need", lambda f: f.accepts & ~f.requires & ~f.prefers),
    "Takes first people with these needs": ("need", lambda f: f.prefers),
    "Cannot take people with these needs": ("need", lambda f: f.excludes),
    "Only takes people paid for by": ("funding", lambda f: f.funding_must),
    "Paid for by": ("funding", lambda f: f.funding if f.funding != f.funding_must else 0),
    "Takes first those paid for by": ("funding", lambda f: f.funding_first),
    "Not paid for by": ("funding", lambda f: f.funding_out),
    "Only takes people who speak": ("language", lambda f: f.languages_must),
    "Languages": ("language", lambda f: f.languages if f.languages != f.languages_must else 0),
    "Takes first those who speak": ("language", lambda f: f.languages_first),
    "Cannot work in": ("language", lambda f: f.languages_out),
    "Only takes people referred by": ("referral-source", lambda f: f.sources_must),
    "Takes referrals from": ("referral-source", lambda f: f.sources if f.sources != f.sources_must else 0),
    "Takes first referrals from": ("referral-source", lambda f: f.sources_first),
    "Takes no referrals from": ("referral-source", lambda f: f.sources_out),
}
CODES = {
    "Only takes people with at least one of these diagnoses or guidelines": lambda f: f.conditions_in,
    "Takes people with these diagnoses or guidelines": lambda f: (
        {*(f.conditions_ok or ())} - {*(f.conditions_in or ())} - {*(f.conditions_first or ())}
    ),
    "Takes first people with these diagnoses or guidelines": lambda f: f.conditions_first,
    "Cannot take people with these diagnoses or guidelines": lambda f: f.conditions_out,
    "Only takes people registered with": lambda f: f.registered_in,
    "Takes first people registered with": lambda f: f.registered_first,
    "Cannot take people registered with": lambda f: f.registered_out,
}
AGES = re.compile(r"(?:Ages (\d+) (?:to (\d+)|and over)|Ages up to (\d+))\.|All ages\.")


def from_the_engine(facts: PoolFacts) -> dict[str, set[str]]:
    """What the engine decides on, by the beginning of the sentence that must say so."""
    said: dict[str, set[str]] = {}
    for begins, (taxonomy, mask) in MASKS.items():
        if mask(facts):
            said[begins] = {_in_a_sentence(WORDS.name(taxonomy, bit)) for bit in range(62) if mask(facts) >> bit & 1}
    for begins, codes in CODES.items():
        if codes(facts):
            said[begins] = {code.split("|")[1] for code in codes(facts)}
    return said


def from_the_text(sentences: list[str]) -> dict[str, set[str]]:
    """Of each sentence its beginning and its names."""
    pairs = (sentence.removesuffix(".").split(": ", 1) for sentence in sentences if ": " in sentence)
    return {begins: set(names.split(", ")) for begins, names in pairs if begins in MASKS or begins in CODES}


def shorter_names() -> None:
    """Names without commas, so that a test can take a sentence apart; those of codes are the code."""
    TaxonomyTerm.objects.filter(taxonomy__slug="condition").update(name=F("code"), unconfirmed=False)
    for row in TaxonomyTerm.objects.filter(taxonomy__slug="condition"):
        TaxonomyTerm.objects.filter(pk=row.pk).update(name=row.code.split("|")[1])


@pytest.mark.parametrize("seed", range(6))
def test_sentences_name_exactly_what_the_engine_decides_on(seed):
    shorter_names()
    chance = random.Random(seed)
    terms = [t for t in TaxonomyTerm.objects.exclude(taxonomy__slug="care-type").order_by("pk") if "," not in t.name]
    rules = EligibilityCriterion.Rule.values
    for _ in range(8):
        pool = PoolFactory()
        for chosen in chance.sample(terms, chance.randint(0, 14)):
            CriterionFactory(service=pool.service, term=chosen, rule=chance.choice(rules))
        for code in chance.sample(["U11111", "U22222", "P81001"], chance.randint(0, 3)):
            rule = chance.choice(RegistrationCriterion.Rule.values)
            RegistrationCriterion.objects.create(service=pool.service, kind="pcn", code=code, name=code, rule=rule)
        facts = queries.facts_of(NEED, [pool.pk], at=AT)[pool.pk]
        assert from_the_text(eligibility_sentences(pool.service)) == from_the_engine(facts)


@pytest.mark.parametrize("seed", range(3))
def test_ages_sex_reach_and_price_are_those_of_the_engine(seed):
    chance = random.Random(seed)
    area = AreaFactory(name="Ribble Valley")
    for _ in range(8):
        pool = PoolFactory()
        low, high = chance.choice([(None, None), (0, None), (18, None), (None, 64), (65, 84)])
        EligibilityFactory(service=pool.service, minimum_age=low, maximum_age=high, sex=chance.choice(["", "any", "female", "male"]))
        service = pool.service
        service.catchment_m, service.price_week = chance.choice([None, 16_093]), chance.choice([None, 0, "950.50"])
        service.save()
        rule = chance.choice([None, *ServiceArea.Rule.values])
        if rule:
            ServiceArea.objects.create(service=service, area=area, rule=rule)
        service.refresh_from_db()
        facts = queries.facts_of(NEED, [pool.pk], at=AT)[pool.pk]
        text = eligibility_sentences(service)
        ages = next((found for sentence in text if (found := AGES.fullmatch(sentence))), None)
        assert (facts.min_age is None and facts.max_age is None) == (ages is None) == ("Not said: ages" in text[-1])
        if ages:
            assert {int(number) for number in ages.groups() if number} == {age for age in (facts.min_age, facts.max_age) if age}
        said = {"Women only.": FEMALE_ONLY, "Men only.": MALE_ONLY, "People of any sex.": ANY_SEX}
        assert facts.sex == next((said[sentence] for sentence in text if sentence in said), 0)
        for words, ids in (("Only takes", facts.area_ids), ("Cannot take", facts.areas_out), ("Takes first", facts.areas_first)):
            assert (f"{words} people who live in: Ribble Valley." in text) == (ids == (area.pk,))
        assert ("Only takes people who live within 10.0 miles." in text) == (facts.catchment_m != NO_LIMIT)
        assert ("Usually £950.50 a week." in text, "Free." in text) == (facts.price_pence == 95_050, facts.price_pence == 0)


def test_a_limit_to_women_or_men_says_why_the_law_allows_it():
    pool = PoolFactory()
    EligibilityFactory(service=pool.service, sex="female", sex_reason=Eligibility.SexReason.SHARED)
    assert "Women only: people share rooms or bathrooms." in eligibility_sentences(pool.service)


def test_refusals_alone_leave_the_rest_unsaid():
    """Who says only what it does not do has not said what it does."""
    pool = PoolFactory()
    CriterionFactory(service=pool.service, term=term("funding", "council"), rule="excluded")
    assert eligibility_sentences(pool.service)[-2:] == [
        "Not paid for by: council funded.",
        "Not said: ages, which needs it can meet, who pays, languages, who may refer.",
    ]


def test_bits_are_never_moved_and_all_fit():
    for terms in vocabulary.TAXONOMIES.values():
        bits = [one.bit for one in terms[2]]
        assert bits == list(range(len(bits)))
        assert bits[-1] <= 61


def test_a_word_that_is_no_longer_used_and_a_code_that_nobody_checked_say_so():
    pool = PoolFactory()
    CriterionFactory(service=pool.service, term=term("need", "music"))
    CriterionFactory(service=pool.service, term=term("condition", "snomed|75544000"))
    TaxonomyTerm.objects.filter(code="music").update(retired_at=AT)
    text = eligibility_sentences(pool.service)
    assert "Can meet: music and singing (a word that is no longer used)." in text
    assert "Takes people with these diagnoses or guidelines: Opioid dependence (code not yet checked by a clinician)." in text
