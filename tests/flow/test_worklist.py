"""The worklist: who is on it, what is chosen from it, and what is done to many lines at once."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity.models import ServiceCapacity
from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow import operations
from flow.models import Batch, Episode, FollowUp, HubEntry, Referral, ReferralTask, SavedView, Team
from flow.workflow import Reason, Status
from flow.worklist import doing
from flow.worklist import operations as worklists
from flow.worklist.lines import Show, Wanted, lines
from tests.factories import EpisodeFactory, PatientFactory, PoolFactory, ReferralFactory, ReferralTaskFactory, UserFactory
from tests.factories.sharing import HubFactory, PathwayFactory, TeamFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db
#: Stays, referrals, what was asked, and whose move it is.
STATEMENTS = 7


def wait(referrer, days: int, **fields) -> Episode:
    """Somebody of the referrer's organisation who has waited so long."""
    patient = PatientFactory(organization=referrer.organization)
    return EpisodeFactory(patient=patient, ready_at=timezone.now() - timedelta(days=days), **fields)


def test_it_holds_everybody_who_waits_and_every_referral_sent(referrer, django_assert_num_queries):
    first, second = wait(referrer, 8, delay_reason="funding"), wait(referrer, 3)
    at = timezone.now()
    EpisodeFactory(patient=first.patient, ready_at=None)
    EpisodeFactory(patient=second.patient, ended_at=at)
    EpisodeFactory()
    pools = PoolFactory.create_batch(2)
    of_first = send(referrer, pools, patient=first.patient, episode_id=first.pk)
    operations.decline(task_id=of_first.tasks.get(pool=pools[0]).pk, by=provider_of(pools[0]), at=at, reason=Reason.CAPACITY)
    social = send(referrer, [PoolFactory()], patient=PatientFactory(organization=referrer.organization))
    over = send(referrer, [PoolFactory()], patient=second.patient)
    operations.withdraw(task_id=over.tasks.get().pk, by=referrer, at=at, reason_text="Went home")
    with django_assert_num_queries(STATEMENTS):
        found = lines(referrer, at)
    assert [(line.episode, line.referral, line.days) for line in found] == [
        (first.pk, of_first.pk, 8), (second.pk, None, 3), (None, social.pk, 0),
    ]  # fmt: skip
    assert (found[0].status_words, found[0].asked, found[0].declined, found[0].move) == ("Waiting for an answer", 2, 1, "theirs")
    assert (found[1].status, found[1].status_words, found[1].move) == ("", "Nobody asked yet", "ours")
    assert lines(UserFactory(), at) == []
    chosen = {
        "delay": Wanted(delay="funding"), "nobody": Wanted(status="none"), "sent": Wanted(show=Show.SENT), "ended": Wanted(show=Show.ENDED),
        "waiting": Wanted(show=Show.WAITING), "ours": Wanted(move="ours"), "long": Wanted(days=7), "no stay": Wanted(kind="none"),
        "name": Wanted(words=f"canary {second.patient.family_name[-8:]}"), "ward": Wanted(ward="ward 12", pathway="P3", days=5),
    }  # fmt: skip
    said = {name: [line.referral or line.episode for line in lines(referrer, at, wanted)] for name, wanted in chosen.items()}
    assert said == {
        "delay": [of_first.pk], "nobody": [second.pk], "sent": [of_first.pk, social.pk], "ended": [over.pk],
        "waiting": [of_first.pk, second.pk], "ours": [second.pk], "long": [of_first.pk], "no stay": [social.pk],
        "name": [second.pk], "ward": [of_first.pk],
    }  # fmt: skip
    late = lines(referrer, at + timedelta(hours=25), Wanted(overdue=True))
    assert {line.referral for line in late} == {of_first.pk, social.pk}


def carry_out(referrer, action, keys, at=None, **asked) -> Batch:
    return worklists.carry_out(batch_id=uuid4(), action=action, asked=asked, keys=keys, by=referrer, at=at or timezone.now())


def test_withdrawing_many_keeps_or_refuses_each_and_undoing_asks_again_where_places_allow(referrer):
    stays = [wait(referrer, days) for days in (9, 8, 7)]
    free, soon_full, third = PoolFactory.create_batch(3)
    send(referrer, [free, soon_full], patient=stays[0].patient, episode_id=stays[0].pk, hold=[free])
    accepted = send(referrer, [third], patient=stays[1].patient, episode_id=stays[1].pk).tasks.get()
    operations.accept(task_id=accepted.pk, by=provider_of(third), at=timezone.now())
    keys = [f"e{stay.pk}" for stay in stays]
    plans = worklists.preview(action="withdraw", keys=keys, by=referrer, at=timezone.now())
    assert [plan.can for plan in plans] == [True, False, False]
    assert not Batch.objects.exists()
    batch = carry_out(referrer, "withdraw", keys, reason="The ward closes")
    assert [line["outcome"] for line in batch.lines] == ["done", "refused", "refused"]
    assert "Accepted" in batch.lines[1]["why"]
    accepted.refresh_from_db()
    assert accepted.status == Status.ACCEPTED
    assert set(ReferralTask.objects.filter(pool__in=[free, soon_full]).values_list("status", flat=True)) == {Status.CANCELLED}
    # the same request again does nothing twice
    again = worklists.carry_out(batch_id=batch.pk, action="withdraw", asked={"reason": "x"}, keys=keys, by=referrer, at=timezone.now())
    assert again.lines == batch.lines
    ServiceCapacity.objects.filter(pk=soon_full.pk).update(available=0)
    undone = worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    words = undone.lines[0]["undone"]
    assert f"Asked again: {free.service.name}." in words
    assert soon_full.service.name in words
    assert f"No place is held any more at {free.service.name}" in words
    assert list(ReferralTask.objects.filter(status=Status.REQUESTED).values_list("pool", flat=True)) == [free.pk]
    with pytest.raises(Conflict, match="undone already"):
        worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())


@pytest.mark.parametrize("undone", [False, True], ids=["done", "undone"])
def test_a_second_press_that_read_the_batch_before_the_first_had_done_a_line_does_nothing(referrer, monkeypatch, undone):
    """As two presses meet: the second holds lines that still wait, takes its turn after the first, and reads each line again, locked."""
    stay = wait(referrer, 2)
    told = {"keys": [f"e{stay.pk}"], "words": "Ring the family", "due": timezone.localdate().isoformat()}
    with acting.for_user(referrer), CaptureQueriesContext(connection) as asked:
        batch = carry_out(referrer, "follow-up", **told)
        if undone:
            worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    said = [query["sql"] for query in asked]
    locked = next(number for number, sql in enumerate(said) if 'FROM "flow_batch"' in sql and "FOR UPDATE" in sql)
    assert locked < next(number for number, sql in enumerate(said) if "INSERT INTO" in sql and "flow_followup" in sql)
    before = Batch.objects.get(pk=batch.pk)
    before.lines = [{**line, "outcome": "waiting"} for line in before.lines]
    monkeypatch.setattr(Batch.objects, "get_or_create", lambda **_: (before, False))
    again = worklists.carry_out(
        batch_id=batch.pk,
        action="follow-up",
        asked={"words": "Ring", "due": told["due"]},
        keys=told["keys"],
        by=referrer,
        at=timezone.now(),
    )
    assert FollowUp.objects.count() == 1
    assert (again.count("done"), again.count("refused")) == (1, 0)
    assert ("undone" in again.lines[0]) is undone


def test_an_undo_that_broke_off_goes_on_and_undoes_nothing_twice(referrer, monkeypatch):
    first, second = wait(referrer, 6, delay_reason="funding"), wait(referrer, 5)
    batch = carry_out(referrer, "delay", [f"e{first.pk}", f"e{second.pk}"], delay="housing")
    really = doing.Delay.undo
    with monkeypatch.context() as broken:
        faults = iter([None, RuntimeError("the line fell")])

        def undo(self, line, at):
            if fault := next(faults):
                raise fault
            return really(self, line, at)

        broken.setattr(doing.Delay, "undo", undo)
        with pytest.raises(RuntimeError):
            worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    batch.refresh_from_db()
    assert worklists.can_be_undone(batch, timezone.now())
    Episode.objects.filter(pk__in=[line["episode"] for line in batch.lines if "undone" in line]).update(delay_reason="equipment")
    undone = worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    assert [line["undone"] for line in undone.lines] == ["As it was before."] * 2
    assert Episode.objects.filter(delay_reason="equipment").count() == 1  # what a colleague wrote after the first half
    assert not worklists.can_be_undone(undone, timezone.now())
    with pytest.raises(Conflict, match="undone already"):
        worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())


def withdrawn(referrer, referral: Referral) -> Batch:
    return carry_out(referrer, "withdraw", [f"r{referral.pk}"], reason="The ward closes")


def test_what_is_asked_again_is_asked_on_the_same_terms(referrer):
    pools = PoolFactory.create_batch(4)
    asks = {"questions": [{"key": "stairs", "text": "Are there stairs at home?", "kind": "yes-no", "required": True}]}
    on_it = {"version_id": PathwayFactory(version=asks).versions.get().pk, "typed": {"stairs": "no"}}
    sent = send(referrer, pools, wanted=3, answer_within=timedelta(hours=5), **on_it)
    operations.accept(task_id=sent.tasks.get(pool=pools[0]).pk, by=provider_of(pools[0]), at=timezone.now())
    batch = withdrawn(referrer, sent)
    with acting.for_user(referrer):
        worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    again = Referral.objects.exclude(pk=sent.pk).get()
    assert (again.wanted, again.answer_within) == (2, 300)  # one has said yes
    assert (again.pathway_version_id, again.pathway_answers) == (on_it["version_id"], on_it["typed"])
    assert set(again.tasks.values_list("pool", flat=True)) == {pool.pk for pool in pools[1:]}


def test_a_part_of_a_package_and_a_list_in_order_are_asked_again_as_they_were(referrer):
    pools, package = PoolFactory.create_batch(5), uuid4()
    patient = PatientFactory(organization=referrer.organization)
    part = send(referrer, pools[:1], patient=patient, package=package)
    other = send(referrer, pools[1:2], patient=patient, package=package)
    listed = send(referrer, pools[2:], in_order=True, keep_asked=True)
    keys = [f"r{one.pk}" for one in (part, other, listed)]
    batch = carry_out(referrer, "withdraw", keys, reason="The ward closes")
    undone = worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    assert all(line["undone"].startswith("Asked again") for line in undone.lines)
    again = Referral.objects.exclude(pk__in=[part.pk, other.pk, listed.pk])
    assert [one.tasks.get().status for one in again.filter(package=package)] == ["requested"] * 2
    ordered = again.get(in_order=True)
    assert (ordered.keep_asked, ordered.tasks.get().pool) == (True, pools[2])
    assert list(ordered.queue.filter(state="waiting").order_by("position").values_list("pool", flat=True)) == [pools[3].pk, pools[4].pk]
    listed.refresh_from_db()
    assert (listed.closed_at is None, listed.queue.filter(state="waiting").exists()) == (False, False)


@pytest.mark.parametrize("kind", ["package", "in order", "hub", "pathway", "gone"])
def test_what_has_gone_on_since_is_not_asked_again(referrer, kind):
    at, pools = timezone.now(), PoolFactory.create_batch(3)
    package = uuid4() if kind == "package" else None
    sent = send(referrer, pools[:2], package=package, in_order=kind == "in order")
    other = send(referrer, pools[2:], patient=sent.patient, package=package) if package else None
    if kind == "hub":
        HubEntry.objects.create(referral=sent, hub=HubFactory(), state="queued", due_at=at, queued_at=at, changed_at=at)
    if kind == "pathway":
        pathway = PathwayFactory()
        Referral.objects.filter(pk=sent.pk).update(pathway_version=pathway.versions.get())
        pathway.versions.create(number=2, created_at=at, published_at=at)
    batch = withdrawn(referrer, sent)
    assert batch.count("done") == 1
    if other is not None:
        operations.decline(task_id=other.tasks.get().pk, by=provider_of(pools[2]), at=timezone.now(), reason="22")
    if kind == "in order":
        operations.ask_next(referral_id=sent.pk, by=referrer, at=timezone.now())
    before = Referral.objects.count()
    if kind == "gone":
        Referral.objects.filter(pk=sent.pk).update(team=TeamFactory(organization=referrer.organization, private=True))
    undone = worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    assert undone.lines[0]["undone"] == ""
    words = {
        "package": "answered since",
        "in order": "has gone on since",
        "hub": "has gone on since or is still there",
        "pathway": "pathway has changed",
        "gone": "not in your list",
    }
    assert words[kind] in undone.lines[0]["why"]
    assert Referral.objects.count() == before


def test_what_is_noted_on_many_is_undone_but_for_what_a_colleague_changed_since(referrer):
    one, other = wait(referrer, 6, delay_reason="funding"), wait(referrer, 5)
    keys = [f"e{one.pk}", f"e{other.pk}"]
    batch = carry_out(referrer, "delay", keys, delay="housing")
    assert set(Episode.objects.values_list("delay_reason", flat=True)) == {"housing"}
    Episode.objects.filter(pk=other.pk).update(delay_reason="equipment")
    undone = worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    assert [Episode.objects.get(pk=stay.pk).delay_reason for stay in (one, other)] == ["funding", "equipment"]
    assert (undone.lines[0]["undone"], undone.lines[1]["undone"]) == ("As it was before.", "")
    assert "Somebody has changed it" in undone.lines[1]["why"]
    today = timezone.localdate()
    late = carry_out(referrer, "expected", keys, expected=today.isoformat())
    assert set(Episode.objects.values_list("expected_on", flat=True)) == {today}
    with pytest.raises(Conflict, match="too late"):
        worklists.undo(batch_id=late.pk, by=referrer, at=late.at + timedelta(minutes=31))
    past = carry_out(referrer, "expected", keys, expected=date(2020, 1, 1).isoformat())
    assert past.count("refused") == 2


def test_follow_ups_and_teams_for_many_are_made_and_taken_back(referrer):
    stay = wait(referrer, 2)
    social = ReferralTaskFactory(referral__patient__organization=referrer.organization).referral
    keys = [f"e{stay.pk}", f"r{social.pk}"]
    due = (timezone.localdate() + timedelta(days=3)).isoformat()
    batch = carry_out(referrer, "follow-up", keys, words="Ring the family", due=due)
    assert set(FollowUp.objects.values_list("patient", flat=True)) == {stay.patient_id, social.patient_id}
    worklists.undo(batch_id=batch.pk, by=referrer, at=timezone.now())
    assert set(FollowUp.objects.values_list("state", flat=True)) == {FollowUp.State.CANCELLED}
    team = Team.objects.create(organization=referrer.organization, name="Hub", created_at=timezone.now())
    given = carry_out(referrer, "assign", keys, team=str(team.pk))
    assert [line.team for line in lines(referrer, timezone.now(), Wanted(team=team.pk))] == [team.pk, team.pk]
    worklists.undo(batch_id=given.pk, by=referrer, at=timezone.now())
    assert lines(referrer, timezone.now(), Wanted(team=team.pk)) == []
    with pytest.raises(Invalid, match="Choose a team"):
        carry_out(referrer, "assign", keys, team=str(uuid4()))


def test_a_batch_touches_nobody_elses_lines_and_nobody_accepts_in_bulk(referrer):
    foreign = EpisodeFactory()
    mine = wait(referrer, 2)
    batch = carry_out(referrer, "delay", [f"e{foreign.pk}", f"e{mine.pk}"], delay="housing")
    assert [line["episode"] for line in batch.lines] == [str(mine.pk)]
    foreign.refresh_from_db()
    assert foreign.delay_reason == ""
    with pytest.raises(NotFound):
        worklists.undo(batch_id=batch.pk, by=UserFactory(organization=referrer.organization), at=timezone.now())
    for action in ("accept", "decline"):
        with pytest.raises(Invalid, match="Choose what to do"):
            carry_out(referrer, action, [f"e{mine.pk}"])
    with pytest.raises(NotAllowed):
        carry_out(referrer, "start", [f"e{mine.pk}"])
    with pytest.raises(Invalid, match="at most 200"):
        carry_out(referrer, "delay", [str(n) for n in range(201)], delay="housing")


def test_a_provider_starts_and_finishes_many_but_only_those_it_has_taken_on(referrer):
    pool = PoolFactory()
    provider = provider_of(pool)
    taken, waits = (send(referrer, [pool]).tasks.get() for _ in range(2))
    operations.accept(task_id=taken.pk, by=provider, at=timezone.now())
    batch = carry_out(provider, "start", [str(taken.pk), str(waits.pk)])
    assert {line["task"]: line["outcome"] for line in batch.lines} == {str(taken.pk): "done", str(waits.pk): "refused"}
    with pytest.raises(Conflict, match="cannot be undone"):
        worklists.undo(batch_id=batch.pk, by=provider, at=timezone.now())


def test_views_are_ones_own_or_shared_and_one_opens_first(referrer):
    at = timezone.now()
    colleague, stranger = UserFactory(organization=referrer.organization), UserFactory()
    own = worklists.save_view(name="  Mine ", filters="days=7", by=referrer, at=at, opens_first=True)
    shared = worklists.save_view(name="Ours", filters="pathway=P3", by=referrer, at=at, is_shared=True)
    assert worklists.save_view(name="Mine", filters="days=3", by=referrer, at=at).pk == own.pk
    assert {view.name for view in SavedView.objects.visible_to(colleague)} == {"Ours"}
    assert not SavedView.objects.visible_to(stranger).exists()
    assert worklists.first_view(referrer) == own
    worklists.open_with(view_id=shared.pk, by=colleague)
    with pytest.raises(NotFound):
        worklists.open_with(view_id=own.pk, by=colleague)
    with pytest.raises(NotFound):
        worklists.delete_view(view_id=shared.pk, by=colleague)
    worklists.delete_view(view_id=shared.pk, by=referrer)
    assert worklists.first_view(colleague) is None


def test_five_hundred_people_take_no_more_statements_than_three(referrer, django_assert_max_num_queries):
    patient = PatientFactory(organization=referrer.organization)
    at = timezone.now()
    made = [EpisodeFactory.build(patient=patient, organization=referrer.organization) for _ in range(250)]
    Episode.objects.bulk_create(made)
    referral = ReferralFactory(patient=patient)
    copies = [Referral(patient=patient, organization=referrer.organization, profile=referral.profile, consent=True) for _ in range(250)]
    Referral.objects.bulk_create(copies)
    pool = PoolFactory()
    ReferralTask.objects.bulk_create(
        ReferralTask(referral=one, pool=pool, provider=pool.service.organization, status=Status.REQUESTED) for one in copies
    )
    with django_assert_max_num_queries(STATEMENTS):
        assert len(lines(referrer, at)) == 500
