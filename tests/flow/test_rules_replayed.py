"""A dry run follows what would certainly have come of a rule, says where that ends, guesses nothing, and writes nothing."""

from datetime import datetime, timedelta

import pytest
from django.db import InternalError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow import operations
from flow.models import ProcessRule, ReferralTask, RuleVersion
from flow.rules import occasions, replay
from flow.rules import operations as rules
from flow.workflow import Reason
from tests.factories import OrganizationFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of, send

pytestmark = [pytest.mark.django_db, pytest.mark.req("R026")]
HOUR = timedelta(hours=1)


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def sent_at() -> datetime:
    return timezone.now() - timedelta(days=5)


def written(by, trigger="sent", action="remind", after=HOUR, name="Tried", **said) -> RuleVersion:
    return rules.write(by=by, at=timezone.now(), name=name, trigger=trigger, action=action, reason="People wait", after=after, **said)


def on(by, at=None, **said) -> RuleVersion:
    version = written(by, **({"name": "Other"} | said))
    rules.switch_on(version_id=version.pk, reason="Agreed", by=by, at=at or timezone.now())
    return version


def tried(version) -> replay.Trial:
    return rules.dry_run(version, at=timezone.now())


def rows() -> dict[str, int]:
    """How many rows each table has."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return found


def answer(referral, pool, at, verb=operations.decline):
    reason = {"reason": Reason.DISTANCE} if verb == operations.decline else {}
    verb(task_id=referral.tasks.get(pool=pool).pk, by=provider_of(pool), at=at, **reason)


def test_who_was_taken_back_by_another_rule_is_not_reminded(administrator, sent_at):
    send(UserFactory(), [PoolFactory()], at=sent_at)
    late = written(administrator, after=3 * HOUR)
    assert len(tried(late).acts) == 1
    on(administrator, action="withdraw", after=2 * HOUR)
    trial = tried(late)
    assert (trial.acts, trial.spared, trial.unknown) == ([], 1, 0)
    (step,) = trial.stories[0].steps
    assert (step.by, step.at) == ("the rule “Other”", sent_at + 2 * HOUR)
    early = tried(written(administrator, name="Early"))
    assert [step.by for step in early.stories[0].steps] == ["", "the rule “Other”"]


def test_the_next_of_a_list_is_asked_and_from_there_it_is_not_known(administrator, sent_at):
    pools = PoolFactory.create_batch(2)
    referral = send(UserFactory(), pools, in_order=True, keep_asked=True, at=sent_at, answer_within=24 * HOUR)
    (story,) = tried(written(administrator, action="withdraw")).stories
    until = occasions.moment(sent_at + 25 * HOUR)
    assert story.steps[0].words.endswith(f"withdrawn, and the next service of its list asked, to answer by {until}, if it had room.")
    assert (story.unknown_from, story.because) == (sent_at + HOUR, "what the service that is asked next would have said")
    on(administrator, action="withdraw")
    trial = tried(written(administrator, trigger="overdue", action="escalate"))
    assert (len(trial.acts), trial.spared, trial.ends) == (0, 1, 1)
    assert referral.tasks.count() == 1
    assert pools[1].service.name not in story.steps[0].words


def test_a_second_rule_acts_on_what_the_first_leads_to(administrator, sent_at):
    referral = send(UserFactory(), [PoolFactory()], at=sent_at)
    nobody = written(administrator, trigger="nobody-left", action="follow-up", after=timedelta())
    assert tried(nobody).stories == []
    on(administrator, action="withdraw")
    (story,) = tried(nobody).stories
    assert [(step.at, bool(step.by)) for step in story.steps] == [(sent_at + HOUR, True), (sent_at + HOUR, False)]
    assert story.steps[1].words.startswith("nobody was left at ")
    assert story.because.startswith("nobody would have been asked any more")
    assert referral.tasks.get().status == "requested"
    later = written(administrator, name="Later", trigger="nobody-left", action="follow-up")
    assert tried(later).acts == [], "an hour on, the sender may have asked somebody"


def test_others_go_on_as_they_did(administrator):
    pools, at = PoolFactory.create_batch(2), timezone.now() - timedelta(days=20)
    referral = send(UserFactory(), pools, at=at)
    answer(referral, pools[1], at + 5 * HOUR, operations.accept)
    on(administrator, action="withdraw", conditions={"organization": [str(pools[0].service.organization_id)]})
    trial = tried(written(administrator, trigger="not-started", after=timedelta()))
    assert [len(trial.acts), trial.ends] == [1, 0], "the second said yes whatever became of the first"
    on(administrator, name="All", action="withdraw", after=2 * HOUR)
    trial = tried(written(administrator, name="Begun", trigger="not-started", after=timedelta()))
    assert [len(trial.acts), trial.spared] == [0, 1], "taken back before it said yes"
    assert trial.stories[0].because.startswith("nobody would have been asked any more")


def test_a_no_after_which_nobody_is_left_because_of_a_rule_is_an_occasion(administrator, sent_at):
    pools = PoolFactory.create_batch(2)
    referral = send(UserFactory(), pools, at=sent_at)
    answer(referral, pools[0], sent_at + 30 * HOUR)
    version = written(administrator, trigger="declined", action="remind", after=timedelta())
    assert tried(version).stories == [], "the other was still asked"
    ReferralTask.objects.filter(pool=pools[0]).update(respond_by=sent_at + 40 * HOUR)
    on(administrator, trigger="overdue", action="withdraw")
    (story,) = tried(version).stories
    assert [(step.at, bool(step.by)) for step in story.steps] == [(sent_at + 25 * HOUR, True), (sent_at + 30 * HOUR, False)]
    assert story.unknown_from == sent_at + 30 * HOUR


def test_what_the_version_did_in_truth_led_to_what_is_written_and_what_another_did_would_not_have_been(administrator):
    pools, at = PoolFactory.create_batch(2), timezone.now() - timedelta(days=4)
    first = on(administrator, at=at - HOUR, name="Tried", action="withdraw")
    referral = send(UserFactory(), pools, at=at, in_order=True, keep_asked=True)
    assert rules.run(at=at + HOUR + timedelta(minutes=1)) == 1
    answer(referral, pools[1], at + 2 * HOUR)
    (story,) = tried(first).stories
    assert (len(story.acts), story.unknown_from) == (1, None), "it is known what came of it"
    said = {"name": "Tried", "trigger": "declined", "action": "escalate", "reason": "x", "after": timedelta()}
    second = rules.write(by=administrator, at=timezone.now(), rule_id=first.rule_id, **said)
    (story,) = tried(second).stories
    assert (story.acts, story.unknown) == ([], 1), "without the first version the second service had not been asked"
    assert "another version of a rule" in story.because


@pytest.mark.parametrize(("in_order", "says"), [(False, "but nobody was left on its list"), (True, "if it had room")])
def test_asking_the_next_ends_what_is_known_only_where_somebody_can_be_asked(administrator, sent_at, in_order, says):
    send(UserFactory(), PoolFactory.create_batch(2), at=sent_at, in_order=in_order)
    trial = tried(written(administrator, action="offer-next"))
    assert {says in step.words for step in trial.acts} == {True}
    assert trial.ends == in_order


def test_a_rule_of_another_organisation_is_not_named_and_touches_none_but_its_own(administrator, sent_at):
    sender, other = UserFactory(), UserFactory(manager=True, organization=OrganizationFactory(hospital=True))
    manager = UserFactory(manager=True, organization=sender.organization)
    send(sender, [PoolFactory()], at=sent_at)
    on(other, name="Theirs", action="withdraw")
    late = written(administrator, after=2 * HOUR)
    assert len(tried(late).acts) == 1
    on(manager, name="Secret", action="withdraw")
    (story,) = tried(late).stories
    assert [step.by for step in story.steps] == ["a rule of the organisation that sent it"]


def test_nothing_is_written_and_the_database_itself_refuses_to(administrator, sent_at, monkeypatch, client):
    send(UserFactory(), PoolFactory.create_batch(2), at=sent_at, in_order=True, keep_asked=True)
    on(administrator, trigger="overdue", action="withdraw")
    version = written(administrator, action="withdraw")
    counted = rows()
    assert tried(version).acts
    assert rows() == counted
    monkeypatch.setattr(rules, "replay", lambda *_, at: ProcessRule.objects.update(name="Changed"))
    with pytest.raises(InternalError, match="read-only transaction"), transaction.atomic():
        tried(version)
    monkeypatch.undo()
    ProcessRule.objects.filter(pk=version.rule_id).update(name="May be written again")
    client.force_login(administrator, backend="allauth.account.auth_backends.AuthenticationBackend")
    shown = client.get(reverse("rule", args=[version.rule_id])).content.decode()
    assert "It would have acted <strong>1 time</strong>, on 1 referral." in shown
    assert "Of 1 referral it is not known how they would have gone on" in shown
    assert "on it is not known</strong>: what the service that is asked next would have said." in shown


_ASKED = st.tuples(st.integers(1, 3), st.booleans(), st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 70)), max_size=3))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(_ASKED, min_size=1, max_size=3), after=st.integers(0, 48), data=st.data())
def test_without_consequence_it_is_each_occasion_and_with_it_never_more_than_those_and_none_after_the_end(
    administrator, sent_at, asked, after, data
):
    trigger = data.draw(st.sampled_from(["sent", "overdue", "declined", "nobody-left"]))
    with transaction.atomic():
        for number, in_order, answers in asked:
            pools = PoolFactory.create_batch(number)
            referral = send(UserFactory(), pools, at=sent_at, in_order=in_order and number > 1)
            for which, yes, hours in sorted(answers, key=lambda each: each[2]):
                task = referral.tasks.filter(status="requested", pool=pools[which % number]).first()
                if task is not None:
                    answer(referral, task.pool, sent_at + hours * HOUR, operations.accept if yes else operations.decline)
        now, version = timezone.now(), written(administrator, trigger=trigger, after=after * HOUR)
        alone = occasions.find(version, after=now - occasions.LOOKS_BACK, until=now)
        trial = rules.dry_run(version, at=now)
        assert [act.key for act in trial.acts] == [each.key for each in reversed(alone)]
        assert (trial.spared, trial.unknown, trial.ends) == (0, 0, 0)
        on(
            administrator,
            trigger=data.draw(st.sampled_from(["sent", "overdue"])),
            action="withdraw",
            after=data.draw(st.integers(0, 48)) * HOUR,
        )
        trial = rules.dry_run(version, at=now)
        known, told = {each.key for each in alone}, [act.key for act in trial.acts]
        assert len(told) == len(set(told))
        assert len(known & set(told)) + trial.spared + trial.unknown == len(known), "each occasion is told once, as what it is"
        for story in trial.stories:
            assert [step.at for step in story.steps] == sorted(step.at for step in story.steps)
            assert all(story.unknown_from is None or step.at <= story.unknown_from for step in story.steps)
        transaction.set_rollback(True)
