"""Around one person: follow-ups, notes, messages. Who may do and read what, and that nothing is overwritten."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from catalogue.models import User
from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from flow import operations as steps
from flow.casework import operations, queries
from flow.models import FollowUp, Message, Note, NoteVersion, Team
from flow.workflow import Status
from tests.factories import PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import PathwayFactory
from tests.flow.helpers import asked, provider_of, send

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate()
NAME = "Canary Quillfeather"


def events(type: str) -> list[Event]:
    return list(Event.objects.filter(type=type).order_by("pk"))


def accepted():
    task = asked(Status.ACCEPTED)
    return task, task.sender, task.answerer


# --- follow-ups


@pytest.mark.req("R161")
def test_a_yes_makes_a_call_for_whoever_sent_the_referral_once():
    sender = UserFactory()
    pools = PoolFactory.create_batch(2)
    referral = send(sender, pools)
    task = referral.tasks.get(pool=pools[0])
    steps.accept(task_id=task.pk, by=provider_of(pools[0]), at=NOW)
    call = FollowUp.objects.get()
    assert (call.referral, call.assigned_to, call.kind, call.due_on) == (referral, sender, "accepted", TODAY + timedelta(days=7))
    assert operations.call_after_yes(task=task, at=NOW) is None
    (told,) = events("followup.assigned")
    assert told.data["to"] == [str(sender.pk)]
    assert told.audience == [sender.organization_id]


def test_a_site_may_want_no_calls(settings):
    settings.FOLLOW_UP_DAYS = 0
    task = asked()
    steps.accept(task_id=task.pk, by=task.answerer, at=NOW)
    assert not FollowUp.objects.exists()


def make(by, **fields):
    patient = fields.pop("patient", None) or PatientFactory(organization=by.organization)
    return operations.follow_up(patient_id=patient.pk, words="Ring them", due_on=TODAY, by=by, at=NOW, **fields)


@pytest.mark.req("R077")
def test_a_follow_up_is_given_postponed_and_done_and_each_step_stays(referrer):
    one = make(referrer)
    colleague = UserFactory(organization=referrer.organization)
    operations.assign(follow_up_id=one.pk, user_id=colleague.pk, by=referrer, at=NOW)
    operations.tell_due(at=NOW)
    later = TODAY + timedelta(days=3)
    operations.postpone(follow_up_id=one.pk, due_on=later, reason="Nobody at home", by=colleague, at=NOW, expected_version=2)
    with pytest.raises(Conflict, match="changed this follow-up") as stale:
        operations.finish(follow_up_id=one.pk, outcome="All well", by=referrer, at=NOW, expected_version=2)
    assert stale.value.code == "stale-version"
    done = operations.finish(follow_up_id=one.pk, outcome="All well", by=referrer, at=NOW, expected_version=3)
    assert (done.state, done.due_on, done.told_at, done.outcome) == ("done", later, None, "All well")
    assert [(step.action, step.words) for step in done.steps.all()] == [
        ("made", ""), ("assigned", ""), ("postponed", "Nobody at home"), ("done", "All well"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="has ended"):
        operations.postpone(follow_up_id=one.pk, due_on=later, reason="Again", by=referrer, at=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        done.steps.update(words="Another thing")


def test_that_its_day_has_come_is_told_once_and_again_only_when_it_was_postponed(referrer):
    one = make(referrer, user_id=referrer.pk)
    make(referrer, patient=one.patient)
    FollowUp.objects.exclude(pk=one.pk).update(due_on=TODAY + timedelta(days=1))
    assert [operations.tell_due(at=NOW), operations.tell_due(at=NOW)] == [1, 0]
    operations.postpone(follow_up_id=one.pk, due_on=TODAY + timedelta(days=2), reason="Not now", by=referrer, at=NOW)
    assert operations.tell_due(at=NOW + timedelta(days=2)) == 2
    first, *again = [told.data.get("to") for told in events("followup.due")]
    assert first == [str(referrer.pk)]
    assert sorted(again, key=bool) == [None, [str(referrer.pk)]]


def test_lune_makes_one_for_an_organisation_that_knows_the_person_alone(referrer):
    patient = PatientFactory(organization=referrer.organization)
    made = operations.follow_up(patient_id=patient.pk, words="Missed twice", due_on=TODAY, by=None, at=NOW, kind="missed")
    assert (made.organization, made.created_by) == (referrer.organization, None)
    with pytest.raises(NotFound):
        operations.follow_up(patient_id=patient.pk, words="x", due_on=TODAY, by=None, at=NOW, organization_id=UserFactory().organization_id)
    team = Team.objects.create(organization=referrer.organization, name="Discharge", created_at=NOW)
    assert operations.follow_up(patient_id=patient.pk, words="x", due_on=TODAY, by=None, at=NOW, team_id=team.pk).team == team


def test_what_is_to_be_done_is_no_business_of_others_and_given_to_no_stranger(referrer, provider, manager):
    one = make(referrer)
    stranger = UserFactory()
    for user in (stranger, provider, manager, UserFactory(manager=True, organization=referrer.organization)):
        assert not FollowUp.objects.visible_to(user).exists()
    with pytest.raises(NotFound):
        operations.finish(follow_up_id=one.pk, outcome="x", by=stranger, at=NOW)
    with pytest.raises(Invalid):
        operations.assign(follow_up_id=one.pk, user_id=stranger.pk, by=referrer, at=NOW)
    with pytest.raises(Invalid, match="today or a later"):
        operations.follow_up(patient_id=one.patient_id, words="x", due_on=date(2020, 1, 1), by=referrer, at=NOW)
    with pytest.raises(NotAllowed):
        operations.follow_up(patient_id=one.patient_id, words="x", due_on=TODAY, by=manager, at=NOW)


# --- notes


@pytest.mark.req("R094")
def test_a_note_is_corrected_by_a_new_version_and_withdrawn_in_sight(referrer):
    patient = PatientFactory(organization=referrer.organization)
    note = operations.write_note(patient_id=patient.pk, words="She likes tea", by=referrer, at=NOW)
    operations.correct(note_id=note.pk, words="She likes coffee", reason="Misheard", by=referrer, at=NOW, expected_version=1)
    with pytest.raises(Conflict):
        operations.correct(note_id=note.pk, words="Neither", reason="x", by=referrer, at=NOW, expected_version=1)
    operations.withdraw_note(note_id=note.pk, reason="Somebody else’s", by=referrer, at=NOW)
    (shown,) = queries.notes(referrer, patient)
    assert [(v.number, v.words, v.reason, v.withdraws) for v in shown.versions.all()] == [
        (3, "She likes coffee", "Somebody else’s", True), (2, "She likes coffee", "Misheard", False), (1, "She likes tea", "", False),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="withdrawn"):
        operations.correct(note_id=note.pk, words="Tea", reason="x", by=referrer, at=NOW)
    for change in (lambda rows: rows.update(words="Nothing"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(NoteVersion.objects.filter(note=note))


def test_who_reads_a_note():
    task, sender, provider = accepted()
    patient, referral = task.referral.patient, task.referral
    team = Team.objects.create(organization=sender.organization, name="Frailty", created_at=NOW)
    team.members.add(sender)
    own = operations.write_note(patient_id=patient.pk, words="Own", by=sender, at=NOW)
    teams = operations.write_note(patient_id=patient.pk, words="Team", audience="team", team_id=team.pk, by=sender, at=NOW)
    shared = operations.write_note(patient_id=patient.pk, words="Both", audience="referral", referral_id=referral.pk, by=sender, at=NOW)
    theirs = operations.write_note(patient_id=patient.pk, words="Home", by=provider, at=NOW)
    colleague = UserFactory(organization=sender.organization)
    readers = {sender: {own, teams, shared}, colleague: {own, shared}, provider: {shared, theirs}, UserFactory(): set()}
    assert {user: set(Note.objects.visible_to(user)) for user in readers} == readers
    with pytest.raises(NotFound):
        operations.correct(note_id=shared.pk, words="Mine now", reason="x", by=provider, at=NOW)
    with pytest.raises(Invalid, match="team that you are in"):
        operations.write_note(patient_id=patient.pk, words="x", audience="team", team_id=team.pk, by=colleague, at=NOW)
    # A yes that is taken back takes what it showed.
    steps.withdraw(task_id=task.pk, by=provider, at=NOW, reason_text="No staff")
    assert not Note.objects.visible_to(provider).exists()
    with pytest.raises(NotFound):
        operations.write_note(patient_id=patient.pk, words="x", by=provider, at=NOW)


# --- messages


@pytest.mark.req("R035")
def test_before_a_yes_a_provider_asks_and_reads_only_answers_that_were_chosen():
    task = asked()
    question, own_words = (
        operations.ask(task_id=task.pk, **said, by=task.answerer, at=NOW + timedelta(minutes=number))
        for number, said in enumerate([{"code": "stairs"}, {"words": "Is there a dog?"}])
    )
    for refused in (
        lambda: operations.write(task_id=task.pk, words=NAME, by=task.sender, at=NOW),
        lambda: operations.write(task_id=task.pk, words="Who is it?", by=task.answerer, at=NOW),
        lambda: operations.answer(message_id=question.pk, answer=NAME, by=task.sender, at=NOW),
        lambda: operations.answer(message_id=own_words.pk, answer=NAME, by=task.sender, at=NOW),
        lambda: operations.ask(task_id=task.pk, words=NAME, by=task.sender, at=NOW),
        lambda: operations.answer(message_id=question.pk, answer="no", by=task.answerer, at=NOW),
    ):
        with pytest.raises((Conflict, Invalid, NotAllowed)):
            refused()
    operations.answer(message_id=question.pk, answer="with-help", by=task.sender, at=NOW + timedelta(hours=1))
    operations.answer(message_id=own_words.pk, answer="2026-12-01", by=task.sender, at=NOW + timedelta(hours=2))
    lines = queries.thread(task, task.answerer).lines
    assert [line.words or line.answer for line in lines] == [
        "Can they climb stairs?", "Is there a dog?", "Can they climb stairs? With help", "Is there a dog? 1 December 2026",
    ]  # fmt: skip


@pytest.mark.req("R035")
def test_after_a_yes_both_write_and_what_was_written_goes_with_the_yes():
    task, sender, provider = accepted()
    operations.write(task_id=task.pk, words=f"{NAME} likes tea", by=sender, at=NOW)
    operations.write(task_id=task.pk, words="She comes on Monday", by=provider, at=NOW)
    assert len(queries.thread(task, provider).lines) == 2
    steps.withdraw(task_id=task.pk, by=provider, at=NOW, reason_text="No staff")
    task.refresh_from_db()
    assert queries.thread(task, provider).lines == ()
    assert len(queries.thread(task, sender).lines) == 2
    with pytest.raises(Conflict, match="has ended"):
        operations.write(task_id=task.pk, words="Still there?", by=sender, at=NOW)


def test_a_thread_is_of_its_two_sides_and_each_side_knows_what_is_new():
    task, sender, provider = accepted()
    other = asked(Status.REQUESTED, referral=task.referral)
    operations.write(task_id=task.pk, words="Hello", by=sender, at=NOW)
    (told,) = events("message.new")
    assert set(told.audience) == {sender.organization_id, provider.organization_id}
    assert set(told.data) == {"message", "task", "referral", "side"}
    for stranger in (
        other.answerer,
        UserFactory(),
        UserFactory(provider=True),
        UserFactory(manager=True, organization=sender.organization),
    ):
        assert not Message.objects.visible_to(stranger).exists()
        with pytest.raises(NotFound):
            operations.write(task_id=task.pk, words="x", by=stranger, at=NOW)
    colleague = UserFactory(provider=True, organization=provider.organization)
    assert (queries.unread(provider), queries.unread(sender)) == ({task.pk: 1}, {})
    assert queries.unread_by_referral(provider, [task.referral_id]) == {task.referral_id: 1}
    shown = queries.thread(task, colleague).lines[-1].id
    assert operations.mark_read(task_id=task.pk, last=shown, by=sender, at=NOW) == 0
    later = operations.write(task_id=task.pk, words="And bring the key", by=sender, at=NOW + timedelta(minutes=1))
    assert operations.mark_read(task_id=task.pk, last=shown, by=colleague, at=NOW) == 1
    assert queries.unread(provider) == {task.pk: 1}, "what came after it was not shown"
    with pytest.raises(NotFound):
        operations.mark_read(task_id=task.pk, last=task.pk, by=colleague, at=NOW)
    assert operations.mark_read(task_id=task.pk, last=later.pk, by=colleague, at=NOW) == 1
    assert queries.unread(provider) == {}
    assert queries.thread(task, sender).lines[0].read_at == NOW


def test_a_message_is_sent_once_for_its_key():
    task, sender, _ = accepted()
    key = User().pk  # any new UUID
    first = operations.write(task_id=task.pk, words="Hello", key=key, by=sender, at=NOW)
    assert operations.write(task_id=task.pk, words="Hello", key=key, by=sender, at=NOW) == first
    with pytest.raises(Conflict) as reused:
        operations.write(task_id=task.pk, words="Other", key=key, by=sender, at=NOW)
    assert reused.value.code == "key-reused"
    assert len(events("message.new")) == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.update(words="Never said")


@pytest.mark.req("R065")
def test_scores_go_with_the_yes_from_which_they_were_counted():
    sender, (one, two) = UserFactory(), PoolFactory.create_batch(2)
    pathway = PathwayFactory(version={"outcome_tools": ["ONS4"], "outcome_days": {"ONS4": [0, 42]}})
    referral = send(sender, [one], version_id=pathway.versions.get().pk)
    task = referral.tasks.get()
    steps.accept(task_id=task.pk, by=provider_of(one), at=timezone.now())
    provider = provider_of(one)
    with acting.for_user(provider):
        steps.withdraw(task_id=task.pk, by=provider, at=timezone.now(), reason_text="Nobody to do it")
    scores = FollowUp.objects.filter(kind="outcome")
    assert [one.state for one in scores] == ["cancelled", "cancelled"]
    [again] = steps.ask_also(referral_id=referral.pk, pool_ids=[two.pk], by=sender, at=timezone.now())
    steps.accept(task_id=again.pk, by=provider_of(two), at=timezone.now())
    assert scores.open().count() == 2
