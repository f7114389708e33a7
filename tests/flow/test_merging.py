"""Two records of one person: suggested, joined field by field with all that hangs on them, and parted again exactly."""

import json
import threading
from datetime import timedelta

import pytest
from django.core import serializers
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import acting
from core.errors import Conflict, Invalid, NotFound
from flow import consents, operations
from flow.casework import operations as casework
from flow.casework.operations import write_note
from flow.letters.operations import write as write_letter
from flow.merging import candidates
from flow.merging import operations as merging
from flow.models import (
    Consent,
    Episode,
    EpisodeHold,
    FollowUp,
    GlassOpening,
    Letter,
    Note,
    NotOnePerson,
    Patient,
    PatientMerge,
    Referral,
    RelatedPerson,
    Relationship,
)
from flow.sharing import operations as sharing
from flow.sight import glass
from tests.factories import EpisodeFactory, OutcodeFactory, PatientFactory, PoolFactory, PostcodeFactory, SelfReferralFactory, UserFactory
from tests.factories.sharing import AgreementFactory, TeamFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db
SAME = {"given_name": "Ada", "family_name": "Byrom"}


@pytest.fixture
def at():
    return timezone.now()


@pytest.fixture
def two(referrer, at):
    """Two records of one person with a husband, a daughter, stays, referrals and agreements between them."""
    kept = PatientFactory(organization=referrer.organization, phone="01772 900100", **SAME)
    gone = PatientFactory(
        organization=referrer.organization,
        email="a@example.org",
        nhs_number="9434765919",
        access_needs=["bsl"],
        given_name="Ada",
        family_name="Byram",
    )
    husband = PatientFactory(organization=referrer.organization)
    EpisodeFactory(patient=kept, ended_at=at)
    EpisodeFactory(patient=gone)
    for person in (kept, gone):
        operations.keep_together(patient_id=person.pk, other=husband.pk, kind="couple", by=referrer, at=at)
        operations.add_related(patient_id=person.pk, by=referrer, at=at, person=husband.pk, relation="partner")
    operations.keep_together(patient_id=kept.pk, other=gone.pk, kind="family", by=referrer, at=at)
    operations.add_related(patient_id=gone.pk, by=referrer, at=at, name="Grace", relation="child", is_next_of_kin=True)
    operations.add_related(patient_id=gone.pk, by=referrer, at=at, person=kept.pk, relation="sibling")
    sent = send(referrer, [PoolFactory()], patient=gone)
    SelfReferralFactory(state="accepted", referral=sent)
    consents.keep(gone, purpose="text", decision="given", source="said", decided_on=timezone.localdate(), by=referrer, at=at)
    return kept, gone


def everything() -> str:
    """All rows that a merge may touch, apart from what counts or dates a change."""
    models = (Patient.with_merged, Episode.objects, Referral.objects, Consent.objects, RelatedPerson.objects, Relationship.objects)
    rows = [row for manager in models for row in json.loads(serializers.serialize("json", manager.order_by("pk")))]
    for row in rows:
        for name in ("version", "changed_at", "changed_by"):
            row["fields"].pop(name, None)
    return json.dumps(rows, sort_keys=True)


def test_a_merge_hands_on_everything_and_undoing_it_restores_everything(two, referrer, at):
    kept, gone = two
    before = everything()
    done = merging.merge(kept_id=kept.pk, gone_id=gone.pk, chosen=["nhs_number", "email", "access_needs"], by=referrer, at=at)
    kept.refresh_from_db()
    assert (kept.nhs_number, kept.email, kept.access_needs, kept.phone, kept.family_name) == (
        "9434765919", "a@example.org", ["bsl"], "01772 900100", "Byrom",
    )  # fmt: skip
    assert set(Patient.objects.visible_to(referrer).filter(pk__in=[kept.pk, gone.pk])) == {kept}
    assert (kept.episodes.count(), kept.referrals.count(), kept.consents.count()) == (2, 1, 2)
    assert kept.referrals.get().self_referral
    assert sorted(row.relation for row in kept.related_people.all()) == ["child", "partner"]
    assert Relationship.objects.of(kept).count() == 1
    for model, field in merging.pointing_at_people():
        assert not model._base_manager.filter(**{field: gone.pk}).exists()
    merging.undo_merge(merge_id=done.pk, by=referrer, at=at)
    assert everything() == before
    with pytest.raises(Conflict, match="already been undone"):
        merging.undo_merge(merge_id=done.pk, by=referrer, at=at)


def test_what_the_merging_side_may_not_read_goes_with_the_person_and_back(referrer, at):
    kept, gone = (PatientFactory(organization=referrer.organization, **SAME) for _ in range(2))
    pool = PoolFactory()
    task = send(referrer, [pool], patient=gone).tasks.get()
    provider = provider_of(pool)
    operations.accept(task_id=task.pk, by=provider, at=at)
    note = write_note(patient_id=gone.pk, words="Afraid of dogs", by=provider, at=at)
    with acting.for_user(referrer):
        assert not Note.objects.exists()
        done = merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=referrer, at=at)
    with acting.for_user(provider):
        assert Note.objects.visible_to(provider).get(patient=kept) == note
    assert not FollowUp.objects.filter(patient=gone.pk).exists()
    with acting.for_user(UserFactory()), pytest.raises(NotFound):
        merging.undo_merge(merge_id=done.pk, by=referrer, at=at)
    with acting.for_user(referrer):
        merging.undo_merge(merge_id=done.pk, by=referrer, at=at)
    assert Note.objects.get().patient_id == gone.pk


def test_whom_a_team_keeps_to_itself_is_not_merged_into_the_open(referrer, at):
    team = TeamFactory(organization=referrer.organization, private=True, people=[referrer])
    hidden, other = (PatientFactory(organization=referrer.organization, team=team, **SAME) for _ in range(2))
    shown = PatientFactory(organization=referrer.organization, **SAME)
    for kept, gone in ((hidden, shown), (shown, hidden)):
        with pytest.raises(Conflict) as refused:
            merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=referrer, at=at)
        assert refused.value.code == "private-team"
    merging.merge(kept_id=hidden.pk, gone_id=other.pk, by=referrer, at=at)


def test_locks_are_taken_in_the_order_of_the_steps_and_leave_keys_alone_until_requests_are_locked(two, referrer, at):
    kept, gone = two
    with CaptureQueriesContext(connection) as asked:
        done = merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=referrer, at=at)
    locks = [query["sql"] for query in asked if " FOR " in query["sql"]]
    assert [(lock.split('FROM "')[1].split('"')[0], "FOR NO KEY UPDATE" in lock) for lock in locks] == [
        ("flow_patient", True), ("flow_referral", True), ("flow_referraltask", True), ("flow_patient", False),
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as asked:
        merging.undo_merge(merge_id=done.pk, by=referrer, at=at)
    assert not [query for query in asked if 'FROM "flow_patient"' in query["sql"] and "FOR UPDATE" in query["sql"]]


#: What somebody does at the same time with the record of a person: refused once it is none any more. And what names another record – a
#: stay, a referral, a number – and is done to the one person.
TO_THE_RECORD = ["note", "document", "follow-up", "stay", "consent", "kin", "kin of", "together", "request", "grant"]
TO_WHAT_IS_THEIRS = ["hold", "end", "yes", "letter", "emergency"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", [*TO_THE_RECORD, *TO_WHAT_IS_THEIRS])
def test_nothing_is_written_to_a_record_that_is_being_merged_where_nobody_would_look(at, monkeypatch, settings, tmp_path, what):
    settings.DOCUMENTS_ROOT = str(tmp_path)
    referrer, pool, colleagues = UserFactory(), PoolFactory(), UserFactory()
    kept, gone, friend = (PatientFactory(organization=referrer.organization, nhs_number="", **SAME) for _ in range(3))
    Patient.objects.filter(pk=gone.pk).update(nhs_number="9434765919")
    referral, stay = send(referrer, [pool], patient=gone, in_order=True), EpisodeFactory(patient=gone, kind="hospital")
    about = {"patient_id": gone.pk, "by": referrer, "at": at}
    agreement = AgreementFactory(organization=referrer.organization, with_organization=colleagues.organization)
    said = {"purpose": Consent.Purpose.CARE, "decision": "given", "source": "said", "decided_on": timezone.localdate()}
    known = {"nhs_number": "9434765919", "birth_date": gone.birth_date, "reason": "danger", "words": "They cannot say who they are"}
    write = {
        "note": lambda: write_note(words="Afraid of dogs", **about),
        "document": lambda: casework.add_document(title="A scan", file=ContentFile(b"%PDF-1.4\n%%EOF", name="a.pdf"), **about),
        "follow-up": lambda: casework.follow_up(words="Ring them", due_on=timezone.localdate(), **about),
        "stay": lambda: operations.start_episode(kind="community", discharge_pathway="P1", **about),
        "consent": lambda: operations.record_consent(**said, **about),
        "kin": lambda: operations.add_related(name="Their son", relation="child", **about),
        "kin of": lambda: operations.add_related(person=gone.pk, relation="partner", **(about | {"patient_id": friend.pk})),
        "together": lambda: operations.keep_together(other=friend.pk, kind="couple", **about),
        "hold": lambda: operations.hold_place(episode_id=stay.pk, pool_id=PoolFactory().pk, by=referrer, at=at),
        "request": lambda: send(referrer, [PoolFactory()], patient=gone, at=at),
        "grant": lambda: sharing.share(agreement_id=agreement.pk, ends_at=at + timedelta(days=9), consent=True, **about),
        "end": lambda: operations.end_episode(episode_id=stay.pk, by=referrer, at=at),
        "yes": lambda: operations.accept(task_id=referral.tasks.get().pk, by=provider_of(pool), at=at),
        "letter": lambda: write_letter(referral_id=referral.pk, language="en", call="The ward", by=referrer, at=at),
        "emergency": lambda: glass.open_record(by=colleagues, at=at, **known),
    }[what]
    refused, usual = [], merging._tell

    def colleague() -> None:
        try:
            write()
        except NotFound as error:
            refused.append(error)
        except BaseException as error:
            refused.extend([error, "broken"])
        finally:
            connection.close()

    def before_it_holds(*told) -> None:
        """While the merge is not committed, a colleague writes, and waits for it."""
        thread.start()
        for _ in range(2_000):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
                if cursor.fetchone()[0] or not thread.is_alive():
                    break
        usual(*told)

    thread = threading.Thread(target=colleague)
    monkeypatch.setattr(merging, "_tell", before_it_holds)
    merging.merge(kept_id=kept.pk, gone_id=gone.pk, chosen=["nhs_number"], by=referrer, at=at)
    thread.join()
    assert len(refused) == (what in TO_THE_RECORD), refused
    if what in TO_WHAT_IS_THEIRS:
        done = {
            "hold": EpisodeHold.objects.filter(episode__patient=kept),
            "end": Episode.objects.filter(patient=kept, ended_at=at),
            "yes": referral.tasks.filter(status="accepted", referral__patient=kept),
            "letter": Letter.objects.filter(patient=kept),
            "emergency": GlassOpening.objects.filter(patient=kept),
        }[what]
        assert done.count() == 1
    pointing = [*merging.pointing_at_people(), (Relationship, "patient"), (Relationship, "other"), (RelatedPerson, "patient")]
    for model, field in [*pointing, (RelatedPerson, "person")]:
        assert not model._base_manager.filter(**{field: gone}).exists(), f"a {model._meta.verbose_name} where nobody looks"


def test_undoing_leaves_what_was_changed_or_came_since(two, referrer, at):
    kept, gone = two
    done = merging.merge(kept_id=kept.pk, gone_id=gone.pk, chosen=["email", "access_needs"], by=referrer, at=at)
    kept.refresh_from_db()
    operations.edit_patient(patient_id=kept.pk, version=kept.version, by=referrer, at=at, email="b@example.org")
    later = send(referrer, [PoolFactory()], patient=kept)
    merging.undo_merge(merge_id=done.pk, by=referrer, at=at)
    kept.refresh_from_db()
    later.refresh_from_db()
    assert (kept.email, kept.access_needs, later.patient_id) == ("b@example.org", [], kept.pk)
    assert Patient.objects.get(pk=gone.pk).referrals.count() == 1


def test_what_cannot_be_joined_is_refused_and_nothing_changes(two, referrer, at):
    kept, gone = two
    stranger = PatientFactory()
    before = everything()
    for ids, error in (((kept.pk, kept.pk), Invalid), ((kept.pk, stranger.pk), NotFound)):
        with pytest.raises(error):
            merging.merge(kept_id=ids[0], gone_id=ids[1], by=referrer, at=at)
    with pytest.raises(NotFound):
        merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=UserFactory(), at=at)
    with pytest.raises(Invalid, match="no field called"):
        merging.merge(kept_id=kept.pk, gone_id=gone.pk, chosen=["organization"], by=referrer, at=at)
    stay = EpisodeFactory(patient=kept)
    with pytest.raises(Conflict) as both:
        merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=referrer, at=at)
    assert both.value.code == "both-open"
    stay.delete()
    assert everything() == before
    assert not PatientMerge.objects.exists()


def test_the_number_of_a_record_that_went_leads_to_the_one_that_stayed(two, referrer, at):
    kept, gone = two
    OutcodeFactory()
    PostcodeFactory()
    merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=referrer, at=at)
    with pytest.raises(Conflict) as known:
        operations.add_patient(
            by=referrer, at=at, given_name="A", family_name="B", birth_date=kept.birth_date, postcode="PR1 2HE", nhs_number=gone.nhs_number
        )
    assert known.value.details["patients"] == [str(kept.pk)]


def test_pairs_are_suggested_by_day_name_and_home_and_never_across_organisations(referrer, at):
    def person(**fields):
        return PatientFactory(organization=referrer.organization, **(SAME | fields))

    first = person(nhs_number="9434765919", nhs_status="verified", nhs_checked_how="traced", nhs_checked_at=at)
    slip = person(family_name="Byram")
    turned = person(given_name="Byrom", family_name="Ada", postcode="BB1 1AA", point=None)
    checked = person(nhs_number="9990000018", nhs_status="verified", nhs_checked_how="document", nhs_checked_at=at)
    person(birth_date=first.birth_date + timedelta(days=1))
    person(given_name="Zebedee", family_name="Quillfeather")
    PatientFactory(**SAME)
    found = {frozenset({pair.one.pk, pair.other.pk}) for pair in candidates.suggested(referrer)}
    of_first = {pair for pair in found if first.pk in pair}
    assert of_first == {frozenset({first.pk, slip.pk}), frozenset({first.pk, turned.pk})}, "not with the other checked number"
    assert frozenset({checked.pk, slip.pk}) in found
    row = merging.not_one(one_id=slip.pk, other_id=first.pk, by=referrer, at=at)
    assert frozenset({first.pk, slip.pk}) not in {frozenset(pair.key) for pair in candidates.suggested(referrer)}
    with pytest.raises(NotFound):
        merging.look_again(pair_id=row.pk, by=UserFactory())
    merging.look_again(pair_id=row.pk, by=referrer)
    assert not NotOnePerson.objects.exists()
