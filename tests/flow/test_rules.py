"""Process rules: tried on what has been, switched on by a person with a reason, each deed explained; and none that answers for anybody."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from core.errors import Invalid, NotAllowed, NotFound
from core.models import Event
from flow import consents, operations
from flow.models import FollowUp, HubEntry, ProcessRule, Referral, RuleDeed, RuleVersion, Transition
from flow.rules import operations as rules
from flow.workflow import BY_ACTION, Action, Reason, Side
from matching import operations as matching
from tests.factories import NeedProfileFactory, OrganizationFactory, PoolFactory, UserFactory
from tests.factories.sharing import AgreementFactory, HubFactory, PathwayFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


def written(by, **fields) -> RuleVersion:
    said = {"name": "Late answers", "trigger": "overdue", "action": "remind", "reason": "People wait", "after": timedelta(hours=1)} | fields
    return rules.write(by=by, at=timezone.now(), **said)


def on(version, at=None):
    return rules.switch_on(version_id=version.pk, reason="Agreed at the board", by=version.by, at=at or timezone.now())


@pytest.mark.req("R026")
def test_a_dry_run_says_what_would_have_been_done_and_does_nothing(administrator):
    sender, pool = UserFactory(), PoolFactory()
    referral = send(sender, [pool], at=timezone.now() - timedelta(days=3))
    version = written(administrator, action="withdraw")
    before = Transition.objects.count()
    (would,) = rules.dry_run(version, at=timezone.now()).acts
    assert pool.service.name in would.words
    assert would.words.endswith("1 hour before, the request would have been withdrawn.")
    assert would.reference == str(referral.pk)[:8]
    assert (Transition.objects.count(), RuleDeed.objects.count()) == (before, 0)
    assert rules.run(at=timezone.now()) == 0, "a rule that nobody switched on does nothing"


@pytest.mark.req("R026")
def test_a_live_rule_acts_once_asks_the_next_and_tells_why(administrator):
    sender, pools = UserFactory(), PoolFactory.create_batch(2)
    referral, at = send(sender, pools, in_order=True, keep_asked=True), timezone.now()
    on(written(administrator, action="withdraw"))
    late = at + timedelta(hours=26)
    assert rules.run(at=late) == 1
    assert rules.run(at=late) == 0
    assert [task.status for task in referral.tasks.order_by("requested_at")] == ["cancelled", "requested"]
    deed = RuleDeed.objects.visible_to(sender).get()
    assert deed.words.startswith(f"Rule “Late answers”, version 1: {pools[0].service.name} had not answered by")
    assert deed.words.endswith(f"the request was withdrawn, and {pools[1].service.name} was asked.")
    steps = Transition.objects.filter(rule=deed.version)
    assert {(step.action, step.by_id) for step in steps} == {("withdraw", None), ("send", None)}
    assert not RuleDeed.objects.visible_to(UserFactory()).exists()


def test_what_is_over_or_was_before_the_rule_is_left_alone_and_what_is_not_possible_is_written(administrator):
    sender, pool = UserFactory(), PoolFactory()
    send(sender, [pool], at=timezone.now() - timedelta(days=3))
    referral = send(sender, [PoolFactory()])
    on(written(administrator, trigger="declined", action="offer-next", after=timedelta()))
    task = referral.tasks.get()
    operations.decline(task_id=task.pk, by=provider_of(task.pool), at=timezone.now(), reason=Reason.DISTANCE)
    assert rules.run(at=timezone.now() + timedelta(minutes=1)) == 1
    deed = RuleDeed.objects.get()
    assert (deed.outcome, deed.task) == ("refused", task)
    assert "Nobody else could be asked" in deed.words


@pytest.mark.parametrize("on_a_pathway", [False, True])
def test_the_next_of_the_matches_is_asked_only_where_the_pathway_includes_it(administrator, on_a_pathway):
    sender, pool, other = UserFactory(), PoolFactory(), PoolFactory()
    run = matching.match(NeedProfileFactory(organization=sender.organization), by=sender, at=timezone.now())
    version = PathwayFactory().versions.get()
    version.services.set([pool.service])
    referral = send(sender, [pool], version_id=version.pk if on_a_pathway else None)
    Referral.objects.filter(pk=referral.pk).update(match_run=run, profile=run.profile)
    on(written(administrator, trigger="declined", action="offer-next", after=timedelta()))
    operations.decline(task_id=referral.tasks.get().pk, by=provider_of(pool), at=timezone.now(), reason=Reason.DISTANCE)
    assert rules.run(at=timezone.now() + timedelta(minutes=1)) == 1
    assert RuleDeed.objects.get().outcome == ("refused" if on_a_pathway else "done")
    assert referral.tasks.filter(pool=other).exists() is not on_a_pathway


@pytest.mark.parametrize(
    ("trigger", "action", "seen"),
    [("sent", "escalate", "referral.escalated"), ("not-started", "remind", "referral.overdue"), ("nobody-left", "follow-up", None)],
)
def test_each_kind_of_trigger_and_deed(administrator, trigger, action, seen):
    sender, pool = UserFactory(), PoolFactory()
    referral, at = send(sender, [pool]), timezone.now()
    on(written(administrator, trigger=trigger, action=action, after=timedelta(minutes=5), conditions={"urgency": ["routine"]}))
    task = referral.tasks.get()
    if trigger == "not-started":
        operations.accept(task_id=task.pk, by=provider_of(pool), at=at)
    if trigger == "nobody-left":
        operations.decline(task_id=task.pk, by=provider_of(pool), at=timezone.now(), reason=Reason.DISTANCE)
    assert rules.run(at=at + timedelta(days=8)) == 1
    if seen:
        assert Event.objects.filter(type=seen, data__referral=str(referral.pk)).count() == 1
    else:
        assert FollowUp.objects.get().referral == referral


def test_conditions_narrow_and_a_managers_rule_is_for_the_own_organisation(administrator):
    sender = UserFactory()
    send(sender, [PoolFactory()], at=timezone.now() - timedelta(days=3))
    manager = UserFactory(manager=True, organization=sender.organization)
    other = UserFactory(manager=True, organization=OrganizationFactory(hospital=True))
    for by, conditions, number in (
        (administrator, {"urgency": ["urgent"]}, 0),
        (administrator, {"area": ["ZZ"]}, 0),
        (manager, {}, 1),
        (other, {}, 0),
    ):
        assert len(rules.dry_run(written(by, conditions=conditions), at=timezone.now()).acts) == number
    theirs = ProcessRule.objects.visible_to(other).get()
    assert not ProcessRule.objects.visible_to(manager).filter(pk=theirs.pk).exists()
    with pytest.raises(NotFound):
        rules.switch_off(rule_id=theirs.pk, reason="x", by=manager, at=timezone.now())
    with pytest.raises(NotAllowed):
        written(sender)
    with pytest.raises(Invalid, match="first part of a postcode"):
        written(administrator, conditions={"area": ["Preston"]})
    with pytest.raises(Invalid, match="why you switch"):
        rules.switch_on(version_id=written(administrator).pk, reason=" ", by=administrator, at=timezone.now())


def test_a_version_is_never_rewritten_and_an_icb_manager_sets_the_regions(administrator):
    icb = UserFactory(manager=True, organization=OrganizationFactory(kind="icb"))
    first = written(icb)
    on(first)
    second = written(icb, rule_id=first.rule_id, after=timedelta(hours=2))
    rule = ProcessRule.objects.visible_to(administrator).get()
    assert (rule.live, second.number) == (first, 2), "a new version waits to be switched on"
    on(second)
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        RuleVersion.objects.filter(pk=first.pk).update(action="withdraw")


@pytest.mark.parametrize("action", [Action.ACCEPT, Action.DECLINE])
def test_no_rule_can_say_yes_or_no_for_a_person(administrator, action):
    with pytest.raises(Invalid, match="No rule says yes or no"):
        written(administrator, action=action)
    version = written(administrator)
    with pytest.raises(IntegrityError, match="a_rule_never_answers"), transaction.atomic():
        RuleVersion.objects.create(
            rule=version.rule, number=9, trigger="sent", action=action, reason="x", by=administrator, at=timezone.now()
        )
    task = send(UserFactory(), [PoolFactory()]).tasks.get()
    with pytest.raises(IntegrityError, match="no_rule_answers_for_a_person"), transaction.atomic():
        Transition.objects.create(
            task=task, action=action, from_status="requested", to_status=BY_ACTION[action].target, at=timezone.now(), rule=version
        )
    assert Side.SYSTEM not in BY_ACTION[action].sides


def days(number):
    return timedelta(days=number)


def test_a_dry_run_knows_when_support_began(administrator):
    sender, at = UserFactory(), timezone.now() - days(25)
    begun = {}
    for day in (2, 9):
        task = send(sender, [pool := PoolFactory()], at=at).tasks.get()
        operations.accept(task_id=task.pk, by=provider_of(pool), at=at)
        operations.start(task_id=task.pk, by=provider_of(pool), at=at + days(day))
        operations.complete(task_id=task.pk, by=provider_of(pool), at=at + days(20))
        begun[day] = pool.service.name
    (would,) = rules.dry_run(written(administrator, trigger="not-started"), at=timezone.now()).acts
    assert begun[9] in would.words


def test_a_no_is_for_a_rule_when_nobody_else_is_asked(administrator):
    sender, pools, at = UserFactory(), PoolFactory.create_batch(2), timezone.now()
    referral = send(sender, pools, at=at)
    version = written(administrator, trigger="declined", action="escalate", after=timedelta())
    on(version, at - days(1))
    for pool, seen in zip(pools, (0, 1), strict=True):
        operations.decline(task_id=referral.tasks.get(pool=pool).pk, by=provider_of(pool), at=at, reason=Reason.DISTANCE)
        at += timedelta(minutes=1)
        assert (len(rules.dry_run(version, at=at).acts), rules.run(at=at)) == (seen, seen)


def test_what_was_settled_since_takes_no_turn_and_what_fails_stops_no_other(administrator, monkeypatch, caplog):
    sender, pools, at = UserFactory(), PoolFactory.create_batch(3), timezone.now()
    on(written(administrator), at)
    settled, broken, good = [send(sender, [pool], at=at + timedelta(minutes=n)) for n, pool in enumerate(pools, 1)]
    late = at + timedelta(hours=26)
    operations.accept(task_id=settled.tasks.get().pk, by=provider_of(pools[0]), at=late)
    act = rules.act

    def fails_once(version, occasion, referral, tasks, *, at):
        if referral == broken:
            raise ValueError("Ivy Marsh")
        return act(version, occasion, referral, tasks, at=at)

    monkeypatch.setattr(rules, "act", fails_once)
    monkeypatch.setattr(rules, "MOST_AT_ONCE", 1)
    assert rules.run(at=late) == 1
    assert RuleDeed.objects.get().referral == good
    assert "ValueError in fails_once" in caplog.text
    assert "Marsh" not in caplog.text


@pytest.mark.parametrize("why", ["care", "sharing", "closed", "settled"])
def test_a_rule_gives_no_hub_what_the_person_or_the_sender_does_not_want_there(administrator, why):
    sender, hub, pools, at = UserFactory(), HubFactory(), PoolFactory.create_batch(2), timezone.now()
    AgreementFactory(organization=sender.organization, with_organization=hub.organization, purpose="triage")
    referral = send(sender, pools, at=at)
    on(written(administrator, trigger="sent", action="route", after=timedelta(), parameters={"hub": str(hub.pk)}), at - days(1))
    said = {"by": sender, "at": at + timedelta(seconds=1), "decision": "refused", "source": "said", "patient_id": referral.patient_id}
    if why == "care":
        consents.record_consent(purpose=consents.Purpose.CARE, **(said | {"decision": "withdrawn"}))
    elif why == "sharing":
        consents.record_consent(purpose=consents.Purpose.SHARING, kind=hub.organization.kind, **said)
    elif why == "closed":
        Referral.objects.filter(pk=referral.pk).update(closed_at=at, closed_because="Moved in with a daughter")
    else:
        referral.tasks.filter(pool=pools[0]).update(status="accepted")
    assert rules.run(at=at + timedelta(minutes=1)) == {"settled": 1}.get(why, 2)
    assert set(RuleDeed.objects.values_list("outcome", flat=True)) == {"refused"}
    assert not HubEntry.objects.exists()


def test_the_page_writes_a_rule_for_one_organisation_and_says_it_in_words(administrator, client):
    sender, pool, other = UserFactory(), PoolFactory(), PoolFactory()
    for each in (pool, other):
        send(sender, [each], at=timezone.now() - timedelta(days=3))
    client.force_login(administrator, backend="allauth.account.auth_backends.AuthenticationBackend")
    typed = {
        "name": "Late answers", "trigger": "overdue", "after": "1", "unit": "hours", "action": "remind", "reason": "People wait",
        "organization": str(pool.service.organization_id), "urgency": "routine",
    }  # fmt: skip
    assert client.post(reverse("rule-new"), typed | {"organization": "nobody"}).status_code == 422
    shown = client.get(client.post(reverse("rule-new"), typed).url).content.decode()
    assert f"urgency routine, requests to {pool.service.organization.name}" in shown
    version = RuleVersion.objects.get()
    assert [pool.service.name in would.words for would in rules.dry_run(version, at=timezone.now()).acts] == [True]
    with pytest.raises(Invalid):
        written(administrator, conditions={"organization": ["nobody"]})
