"""Words of the vocabulary in the hands of curators: nothing that they do breaks a record."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from catalogue import terms, vocabulary
from catalogue.importers import own_words
from catalogue.lexicon import Lexicon
from catalogue.models import EligibilityCriterion, Service, Taxonomy, TaxonomyTerm, TermMerge
from catalogue.operations import edit_service
from catalogue.search import search_services
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from matching.models import PoolFact
from matching.operations import lines, match, why_not
from matching.profiles import need_of, profile_from
from tests import factories
from tests.factories import term

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def own(code: str, **fields) -> TaxonomyTerm:
    """A term of a list that came with a feed."""
    taxonomy, _ = Taxonomy.objects.get_or_create(slug="county", defaults={"name": "County list"})
    return TaxonomyTerm.objects.create(taxonomy=taxonomy, code=code, name=code.title(), **fields)


@pytest.mark.req("R096")
@pytest.mark.parametrize(("slug", "field"), [("need", "needs"), ("language", "languages"), ("funding", "funding")])
def test_ranking_decides_at_once_on_a_word_that_a_curator_adds(curator, referrer, slug, field):
    """In the SQL and in its words: who says yes is found and says so, who says no is not."""
    made = terms.add_term(taxonomy=slug, name="Sewing", synonyms=[" quilting ", "Quilting", ""], by=curator, at=AT)
    made.refresh_from_db()
    assert (made.code, made.bit, made.synonyms, made.edited_at) == ("sewing", vocabulary.OWN_BITS[slug][0], ["quilting"], AT)
    factories.OutcodeFactory()
    yes, no = factories.PoolFactory(), factories.PoolFactory()
    edit_service(service_id=yes.service_id, by=curator, at=AT, **{field: {"sewing": "accepts"}})
    edit_service(service_id=no.service_id, by=curator, at=AT, **{field: {"sewing": "excluded"}})
    asked = {"age": 80, "postcode": "PR1", "care_types": ["home-general-residential"], field: ["sewing"]}
    run = match(profile_from(asked, by=referrer), by=referrer, at=AT)
    [line] = lines(run)
    assert line.pool_id == yes.pk
    assert any("Sewing" in sentence for sentence in line.met)
    assert any("Sewing" in finding.sentence for finding in why_not(run, no.pk, at=AT).failed)


def test_a_bit_is_never_given_twice_and_room_is_not_endless(curator):
    first = terms.add_term(taxonomy="need", name="Sewing", by=curator, at=AT)
    TaxonomyTerm.objects.filter(pk=first.pk).delete()
    second = terms.add_term(taxonomy="need", name="Quilting", by=curator, at=AT)
    assert second.bit == first.bit + 1
    TaxonomyTerm.objects.filter(pk=second.pk).update(bit=2 * vocabulary.WORD - 1)
    with pytest.raises(Invalid, match="62 words of your own"):
        terms.add_term(taxonomy="need", name="Knitting", by=curator, at=AT)


def test_shipped_terms_stay_below_the_bits_of_curators():
    assert all(term.bit < bits.start for slug, bits in vocabulary.OWN_BITS.items() for term in vocabulary.TAXONOMIES[slug][2])


def test_a_new_kind_of_care_comes_with_a_new_version(curator):
    with pytest.raises(Invalid, match="Add a synonym"):
        terms.add_term(taxonomy="care-type", name="Spaceship", by=curator, at=AT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "}, {"name": "x" * 201}, {"code": "dementia"}, {"synonyms": ["x" * 101]}, {"synonyms": [str(n) for n in range(41)]},
        {"snomed_refset": "abc"}, {"snomed_refset": "1" * 19}, {"bit": 61}, {"group": "x" * 61},
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused(curator, wrong):
    before = TaxonomyTerm.objects.count()
    with pytest.raises(Invalid):
        terms.add_term(**{"taxonomy": "need", "name": "Sewing", "by": curator, "at": AT, **wrong})
    assert TaxonomyTerm.objects.count() == before


def test_only_keepers_of_the_directory_change_words(provider, referrer, manager):
    one, other = term("need", "music"), term("need", "crafts")
    for by in (provider, referrer, manager):
        for verb in (
            lambda by: terms.add_term(taxonomy="need", name="X", by=by, at=AT),
            lambda by: terms.edit_term(term_id=one.pk, name="X", by=by, at=AT),
            lambda by: terms.retire_term(term_id=one.pk, reason="x", by=by, at=AT),
            lambda by: terms.restore_term(term_id=one.pk, by=by, at=AT),
            lambda by: terms.merge_terms(gone_id=one.pk, kept_id=other.pk, by=by, at=AT),
        ):
            with pytest.raises(NotAllowed):
                verb(by)


def test_what_a_curator_wrote_outlives_a_new_version_and_every_change_is_on_record(curator):
    befriending = term("care-type", "befriending")
    terms.edit_term(term_id=befriending.pk, synonyms=["lonely", "tea and talk"], by=curator, at=AT)
    vocabulary.load()
    befriending.refresh_from_db()
    assert befriending.synonyms == ["lonely", "tea and talk"]
    assert [event.synonyms for event in befriending.events.order_by("pgh_id")][-1] == ["lonely", "tea and talk"]
    assert term("care-type", "debt-advice").synonyms == ["money", "bills"]


def test_records_with_a_retired_term_keep_working_and_forms_offer_it_no_more(curator):
    criterion = factories.CriterionFactory(term=term("need", "music"))
    terms.retire_term(term_id=criterion.term_id, reason="Nobody uses it", by=curator, at=AT)
    edit_service(service_id=criterion.service_id, by=curator, at=AT, description="Still here", needs={"music": "accepts"})
    assert EligibilityCriterion.objects.get().term.code == "music"
    assert "music" not in {each.code for each in terms.search(taxonomy="need", state="used")}
    vocabulary.load()
    music = term("need", "music")
    assert (music.retired_at, music.retired_reason) == (AT, "Nobody uses it")
    with pytest.raises(Conflict):
        terms.retire_term(term_id=music.pk, reason="again", by=curator, at=AT)
    terms.restore_term(term_id=music.pk, by=curator, at=AT)
    assert term("need", "music").retired_at is None


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_a_reason_is_needed(curator, reason):
    with pytest.raises(Invalid):
        terms.retire_term(term_id=term("need", "music").pk, reason=reason, by=curator, at=AT)


def given_two_terms() -> tuple[Service, Service, Service]:
    """A service with music, one with crafts, one with both, where crafts are excluded."""
    one, other, both = factories.ServiceFactory.create_batch(3)
    factories.CriterionFactory(service=one, term=term("need", "music"))
    factories.CriterionFactory(service=other, term=term("need", "crafts"))
    factories.CriterionFactory(service=both, term=term("need", "music"))
    factories.CriterionFactory(service=both, term=term("need", "crafts"), rule=EligibilityCriterion.Rule.EXCLUDED)
    return one, other, both


def criteria() -> set[tuple]:
    return set(EligibilityCriterion.objects.values_list("service", "term__code", "rule"))


@pytest.mark.req("R096")
def test_merged_terms_are_one_and_the_old_code_is_another_name_for_it(curator):
    one, other, both = given_two_terms()
    bits = {code: term("need", code).bit for code in ("music", "crafts")}
    terms.merge_terms(gone_id=term("need", "music").pk, kept_id=term("need", "crafts").pk, by=curator, at=AT)
    assert criteria() == {(one.pk, "crafts", "accepts"), (other.pk, "crafts", "accepts"), (both.pk, "crafts", "excluded")}
    gone, kept = term("need", "music"), term("need", "crafts")
    assert (gone.replaced_by, gone.retired_at, gone.bit, kept.bit) == (kept, AT, bits["music"], bits["crafts"])
    assert "Music and singing" in kept.synonyms
    # Whoever still uses the old code is understood at once: who writes an entry, who searches, who asks for a place, and feeds.
    edit_service(service_id=one.pk, by=curator, at=AT, needs={"music": "required"})
    edit_service(service_id=other.pk, by=curator, at=AT, needs={"music": "accepts", "crafts": "preferred"})
    assert {(one.pk, "crafts", "required"), (other.pk, "crafts", "preferred")} < criteria()
    assert set(search_services(curator, needs=["music"])) == {one, other}
    assert own_words.vocabulary()[gone.pk] == kept
    assert "music" not in {word.code for word in Lexicon.read().offered("need")}
    assert Lexicon.read().mask("need", ["music"]) == 1 << bits["crafts"]
    assert Lexicon.read().mask("need", ["music", "dementia"]) == 1 << bits["crafts"] | 1


def test_a_merge_is_undone_whole(curator):
    given_two_terms()
    child = own("child")
    before = criteria(), term("need", "crafts").synonyms
    merge = terms.merge_terms(gone_id=term("need", "music").pk, kept_id=term("need", "crafts").pk, by=curator, at=AT)
    terms.undo_merge(merge_id=merge.pk, by=curator, at=AT)
    assert (criteria(), term("need", "crafts").synonyms) == before
    music = term("need", "music")
    assert (music.replaced_by, music.retired_at, music.retired_reason) == (None, None, "")
    assert Lexicon.read().mask("need", ["music"]) == 1 << music.bit
    with pytest.raises(Conflict):
        terms.undo_merge(merge_id=merge.pk, by=curator, at=AT)
    child.refresh_from_db()
    assert child.parent is None


def test_what_somebody_changed_after_a_merge_is_left_alone_by_its_undoing(curator):
    one, _, both = given_two_terms()
    merge = terms.merge_terms(gone_id=term("need", "music").pk, kept_id=term("need", "crafts").pk, by=curator, at=AT)
    EligibilityCriterion.objects.filter(service=one).delete()
    both.delete()
    terms.undo_merge(merge_id=merge.pk, by=curator, at=AT)
    assert {code for _, code, _ in criteria()} == {"crafts"}


@pytest.mark.parametrize("undone", [False, True])
def test_ranking_learns_of_a_merge_at_once_and_an_old_need_still_finds(curator, referrer, undone):
    pool = factories.PoolFactory()
    factories.CriterionFactory(service=pool.service, term=term("need", "music"))
    profile = factories.NeedProfileFactory(organization=referrer.organization, must_haves=["music"])
    merge = terms.merge_terms(gone_id=term("need", "music").pk, kept_id=term("need", "crafts").pk, by=curator, at=AT)
    if undone:
        terms.undo_merge(merge_id=merge.pk, by=curator, at=AT)
    bit = term("need", "music" if undone else "crafts").bit
    assert need_of(profile, at=AT).must_haves == 1 << bit
    assert PoolFact.objects.get(pk=pool.pk).accepts == 1 << bit
    run = match(profile, by=referrer, at=AT)
    assert run.candidates.filter(pool=pool).exists()


def test_terms_of_feeds_parents_and_earlier_merges_follow(curator):
    oldest, old, new, child = own("oldest"), own("old"), own("new"), own("child")
    TaxonomyTerm.objects.filter(pk=child.pk).update(parent=old)
    a, b = factories.ServiceFactory.create_batch(2)
    a.taxonomy_terms.add(oldest, old)
    b.taxonomy_terms.add(old, new)
    terms.merge_terms(gone_id=oldest.pk, kept_id=old.pk, by=curator, at=AT)
    merge = terms.merge_terms(gone_id=old.pk, kept_id=new.pk, by=curator, at=AT)
    oldest.refresh_from_db(), child.refresh_from_db()
    assert (oldest.replaced_by, child.parent) == (new, new)
    assert list(a.taxonomy_terms.all()) == list(b.taxonomy_terms.all()) == [new]
    terms.undo_merge(merge_id=merge.pk, by=curator, at=AT)
    oldest.refresh_from_db(), child.refresh_from_db()
    assert (oldest.replaced_by, child.parent) == (old, old)
    assert set(b.taxonomy_terms.all()) == {old, new}


def test_a_feed_that_brings_a_merged_term_again_is_followed(curator):
    old, new = own("old"), own("new")
    terms.merge_terms(gone_id=old.pk, kept_id=new.pk, by=curator, at=AT)
    service = factories.ServiceFactory()
    service.taxonomy_terms.add(old)
    assert terms.follow_merges() == 1
    assert list(service.taxonomy_terms.all()) == [new]
    assert terms.follow_merges() == 0
    terms.undo_merge(merge_id=TermMerge.objects.get().pk, by=curator, at=AT)
    assert list(service.taxonomy_terms.all()) == [old]


def test_what_cannot_be_merged_is_said(curator):
    music, crafts, befriending = term("need", "music"), term("need", "crafts"), term("care-type", "befriending")
    for gone, kept in ((music, music), (music, befriending)):
        with pytest.raises(Invalid):
            terms.merge_terms(gone_id=gone.pk, kept_id=kept.pk, by=curator, at=AT)
    with pytest.raises(NotFound):
        terms.merge_terms(gone_id=music.pk, kept_id=factories.ServiceFactory().pk, by=curator, at=AT)
    terms.merge_terms(gone_id=music.pk, kept_id=crafts.pk, by=curator, at=AT)
    with pytest.raises(Conflict):
        terms.merge_terms(gone_id=music.pk, kept_id=term("need", "garden").pk, by=curator, at=AT)
    with pytest.raises(Invalid):
        terms.merge_terms(gone_id=term("need", "garden").pk, kept_id=music.pk, by=curator, at=AT)
    with pytest.raises(Conflict):
        terms.restore_term(term_id=music.pk, by=curator, at=AT)


def test_an_old_code_of_a_kind_of_care_is_taken_as_the_new_one(curator):
    terms.merge_terms(gone_id=term("care-type", "welfare-benefits").pk, kept_id=term("care-type", "debt-advice").pk, by=curator, at=AT)
    service = factories.ServiceFactory()
    edit_service(service_id=service.pk, by=curator, at=AT, care_type="welfare-benefits")
    assert Service.objects.get().care_type.code == "debt-advice"


def test_used_by_counts_each_service_once():
    service = factories.ServiceFactory(care_type=term("care-type", "befriending"))
    factories.CriterionFactory(service=service, term=term("need", "music"))
    service.taxonomy_terms.add(term("need", "music"))
    assert (terms.used_by(term("care-type", "befriending")), terms.used_by(term("need", "music"))) == (1, 1)
    assert terms.used_by(term("need", "garden")) == 0


@pytest.mark.req("R124")
def test_the_local_offer_and_apps_are_ordinary_kinds():
    assert {"send-local-offer", "digital-service"} <= set(TaxonomyTerm.objects.of("care-type").values_list("code", flat=True))


def test_a_process_remembers_the_lists_and_forgets_them_with_any_change(curator):
    """Also with the second change of one transaction, and with one that is undone."""
    first = Lexicon.read()
    assert Lexicon.read() is first
    names = []
    for name in ("Singing", "Singing together"):
        TaxonomyTerm.objects.filter(code="music").update(name=name)
        names.append(dict(Lexicon.read().choices("need"))["music"])
    with transaction.atomic():
        TaxonomyTerm.objects.filter(code="music").update(name="Undone")
        names.append(dict(Lexicon.read().choices("need"))["music"])
        transaction.set_rollback(True)
    names.append(dict(Lexicon.read().choices("need"))["music"])
    assert names == ["Singing", "Singing together", "Undone", "Singing together"]
    made = terms.add_term(taxonomy="need", name="Sewing", synonyms=[], by=curator, at=AT)
    assert Lexicon.read().knows("need", made.code)
