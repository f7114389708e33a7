"""What must hold in the world of `test_histories` whatever was done in it. `kept` is looked at after each deed; `sight` costs more."""

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise

from django.db import connection
from django.db.models import Q

from capacity.models import CapacityReport, Reservation, ServiceCapacity
from core import clock
from flow import moves, queries
from flow.holds import kept_for
from flow.hubs.queries import nothing_left, standing
from flow.hubs.steps import MOVES as HUB_MOVES
from flow.hubs.steps import HubState
from flow.models import (
    Grant,
    HubEntry,
    HubStep,
    Message,
    Patient,
    PatientMerge,
    QueuedAsk,
    Referral,
    ReferralChange,
    ReferralTask,
    RuleDeed,
    Transition,
)  # fmt: skip
from flow.workflow import BY_ACTION, Side, Status
from tests.flow.histories_world import Region

Kind = CapacityReport.Kind
#: What each kind of row may do: (change of available, change of held). A report sets what it likes and leaves holds alone.
MOVES_OF_A_ROW = {
    Kind.HOLD: {(0, 1)},
    Kind.RELEASE: {(0, -1)},
    Kind.EXPIRE: {(0, -1)},
    Kind.WITHDRAW: {(0, -1)},
    Kind.FILL: {(-1, -1), (-1, 0)},
    Kind.REOPEN: {(1, 0)},
}
#: A hub's steps by what they lead to: (action, from, to).
HUB_STEPS = {(move.action, source, move.target or source) for move in HUB_MOVES for source in move.sources}


def kept(region: Region) -> None:
    """Figures and holds reconcile, there are no more yeses than wanted, each step is one of the table, and each open one has its mover."""
    pools_reconcile(region)
    referrals = list(Referral.objects.select_related("episode", "profile").prefetch_related("tasks__pool__service", "queue"))
    expected = moves.of_referrals(referrals, region.at)
    entries = {entry.referral_id: entry for entry in HubEntry.objects.all()}
    for referral in referrals:
        of_a_referral(referral)
        somebody_is_to_move(region, referral, expected[referral.pk], entries.get(referral.pk))
    tasks = ReferralTask.objects.select_related("reservation", "referral__episode").prefetch_related("transitions")
    edits = what_was_edited(referrals)
    for task in tasks:
        of_a_request(task, edits[str(task.pk)])


def what_was_edited(referrals: list[Referral]) -> Counter[str]:
    """Each edit is a row that says what stood before it and what has stood since. Returns how many were made of each request."""
    changes = defaultdict(list)
    for row in ReferralChange.objects.order_by("number"):
        changes[row.referral_id].append(row)
    for referral in referrals:
        rows = changes[referral.pk]
        assert [row.number for row in rows] == list(range(1, referral.edits + 1))
        for before, after in pairwise(rows):
            for name in ("needed_by", "reason", "answer_within"):
                assert getattr(after, f"{name}_before") == getattr(before, name), "no edit is lost"
        if rows:
            assert (referral.reason, referral.answer_within) == (rows[-1].reason, rows[-1].answer_within)
            assert referral.profile.needed_by == rows[-1].needed_by
    return Counter(task for rows in changes.values() for row in rows for task in row.deadlines)


def pools_reconcile(region: Region) -> None:
    now = ServiceCapacity.objects.in_bulk([pool.pk for pool in region.pools])
    held = Counter(Reservation.objects.filter(state=Reservation.State.HELD).values_list("pool", flat=True))
    living = Counter(ReferralTask.objects.filter(took_place=True).values_list("pool", flat=True))
    reports = defaultdict(list)
    for row in CapacityReport.objects.exclude(kind=Kind.LATE).order_by("version"):
        reports[row.pool_id].append(row)
    for pk, pool in now.items():
        _pool(pool, held[pk], living[pk], reports[pk])


def _pool(pool: ServiceCapacity, held: int, living: int, rows: list[CapacityReport]) -> None:
    assert pool.held == held
    assert pool.available is None or 0 <= pool.held <= pool.available
    for before, after in pairwise(rows):
        if after.kind == Kind.REPORT:
            assert after.held == before.held
        else:
            assert (after.available - before.available, after.held - before.held) in MOVES_OF_A_ROW[after.kind]
    if rows:
        assert (rows[-1].available, rows[-1].held) == (pool.available, pool.held)
    taken = sum((row.kind == Kind.FILL) - (row.kind == Kind.REOPEN) for row in rows)
    # A place given back to a pool that already shows its maximum leaves no row.
    assert taken == living if pool.maximum is None else taken >= living


def of_a_referral(referral: Referral) -> None:
    tasks, entries = list(referral.tasks.all()), list(referral.queue.all())
    yes = sum(task.status in Status.taken_on() for task in tasks)
    asked = [task for task in tasks if task.status == Status.REQUESTED]
    assert yes <= referral.wanted
    if referral.in_order:
        assert sum(entry.state == "asked" for entry in entries) == len(tasks)
    ended = referral.episode.ended_at if referral.episode else None
    if yes == referral.wanted or referral.closed_at is not None:
        assert not asked, "nobody is left asked for what is settled"
        assert not any(entry.state == "waiting" for entry in entries), "nor will anybody be"
    assert ended is None or all(task.requested_at <= ended for task in tasks), "nobody is asked once the stay has ended"


def somebody_is_to_move(region: Region, referral: Referral, move: moves.Move, entry: HubEntry | None) -> None:
    """As long as anything of a referral is open it says whose move it is and by when, on the worklist as at the hub."""
    alive = [task for task in referral.tasks.all() if task.status in Status.open()]
    for task in alive:
        assert task.status != Status.REQUESTED or task.respond_by
        assert task.status != Status.ACCEPTED or task.start_by
    assert (move.overdue_since is not None) == (move.by is not None and move.by < region.at)
    waits = entry is not None and entry.state in HubState.open()
    if waits:
        assert move.side == (moves.Mover.REFERRER if entry.state == HubState.ASKED else moves.Mover.HUB)
        assert move.by == entry.due_at
    elif alive:
        assert move.side == moves.Mover.PROVIDER
        assert move.by or not {task.status for task in alive} & {Status.REQUESTED, Status.ACCEPTED}
    if move.side != moves.Mover.NOBODY:
        assert move.step in moves.EXPECTED


def of_a_request(task: ReferralTask, edits: int = 0) -> None:
    steps = list(task.transitions.all())
    assert (task.version, task.status) == (len(steps) + edits, steps[-1].to_status)
    assert all(before.to_status == after.from_status for before, after in pairwise(steps))
    for taken in steps:
        of_the_table = BY_ACTION[taken.action]
        assert taken.from_status in of_the_table.sources
        assert taken.to_status == of_the_table.target
        sides = {task.provider_id: Side.PROVIDER, task.referral.organization_id: Side.REFERRER, None: Side.SYSTEM}
        # A hub takes back on behalf of the sender.
        assert sides.get(taken.organization_id, Side.REFERRER) in of_the_table.sides
        assert taken.reason_text or taken.reason or not of_the_table.needs_reason
    if task.reservation and task.reservation.state == Reservation.State.HELD:
        assert task.status == Status.REQUESTED
    if task.took_place:
        assert task.status in Status.known_to_provider() or task.status == Status.ENTERED_IN_ERROR


def sight(region: Region) -> None:
    """Everybody sees what their part gives them and nothing else: worked out here from the rows, and compared with `visible_to`. No name
    before a yes, no yes by anybody but a person, and no row is rewritten."""
    rows = {row.pk: f"{row.action} {row.from_status} {row.to_status} {row.at} {row.reason_text}" for row in Transition.objects.all()}
    assert region.seen_rows.items() <= rows.items()
    region.seen_rows = rows
    for person in region.living():
        joined = PatientMerge.objects.filter(kept=person).exists()
        assert kept_for(person, region.at).count() <= 2 + 2 * joined
    answers = Transition.objects.filter(action__in=["accept", "decline"])
    assert not answers.filter(Q(by=None) | Q(rule__isnull=False)).exists(), "only a person says yes or no"
    for step in HubStep.objects.exclude(from_state=""):
        assert (step.action, step.from_state, step.to_state) in HUB_STEPS
    for entry in HubEntry.objects.select_related("referral", "hub"):
        move = moves.of_referral(entry.referral, region.at)
        hub_is_to_move = standing(entry.referral).whose_move == entry.hub.name
        over = entry.referral.closed_at or (entry.referral.episode and entry.referral.episode.ended_at)
        assert over or hub_is_to_move == (move.side == moves.Mover.HUB), "hub and sender read the same"
    assert not HubEntry.objects.filter(nothing_left()).exists(), "what leaves a hub nothing to do leaves its list"
    _senders_and_strangers(region)
    _hub(region)
    for pool in region.pools:
        _provider(region, region.answerers[pool.pk])


def _seen(region: Region, model, user) -> set:
    """The keys of what `user` may see. To put such a question together takes longer than to answer it, so it is kept: only the time of it
    changes. Now and then it is put together anew, and is to be answered alike."""
    at, key = clock.now(), (model, user.pk)
    if key not in region.questions:
        sql, params = model.objects.visible_to(user).order_by().values_list("pk", flat=True).query.sql_with_params()
        region.questions[key] = sql, params
        fresh = set(model.objects.visible_to(user).order_by().values_list("pk", flat=True))
    else:
        fresh = None
    sql, params = region.questions[key]
    with connection.cursor() as cursor:
        cursor.execute(sql, [at if isinstance(value, datetime) else value for value in params])
        seen = {row[0] for row in cursor.fetchall()}
    assert fresh is None or fresh == seen
    return seen


def _senders_and_strangers(region: Region) -> None:
    for team in region.teams:
        org = team.organization_id
        assert _seen(region, Referral, team) == set(Referral.objects.filter(organization=org).values_list("pk", flat=True))
        assert _seen(region, ReferralTask, team) == set(
            ReferralTask.objects.filter(referral__organization=org).values_list("pk", flat=True)
        )
        assert _seen(region, Patient, team) == set(Patient.objects.filter(organization=org).values_list("pk", flat=True))
        for model in (QueuedAsk, RuleDeed):
            assert not model.objects.filter(pk__in=_seen(region, model, team)).exclude(referral__organization=org).exists()
    stranger = next(region.next_stranger)
    for model in (Patient, Referral, ReferralTask, QueuedAsk, HubEntry, Message):
        assert not _seen(region, model, stranger)


def _hub(region: Region) -> None:
    """The hub's own people, as long as the referral is there and what opens it has not run out."""
    open_to = Grant.objects.filter(to_team=region.hub.team, revoked_at=None, ends_at__gt=region.at).values("referral")
    there = HubEntry.objects.filter(hub=region.hub, state__in=[*HubState.open(), HubState.ROUTED], referral__in=open_to)
    referrals = set(there.values_list("referral", flat=True))
    assert _seen(region, Referral, region.worker) == referrals
    assert _seen(region, HubEntry, region.worker) == set(there.values_list("pk", flat=True))
    assert _seen(region, Patient, region.worker) == set(Referral.objects.filter(pk__in=referrals).values_list("patient", flat=True))


def _provider(region: Region, answerer) -> None:
    tasks = {task.pk: task for task in ReferralTask.objects.filter(provider=answerer.organization).select_related("referral")}
    assert _seen(region, ReferralTask, answerer) == set(tasks)
    known = {task.referral.patient_id for task in tasks.values() if task.status in Status.known_to_provider()}
    assert _seen(region, Patient, answerer) == known
    for model in (Referral, QueuedAsk):
        assert not _seen(region, model, answerer)
    asked = {task.referral_id for task in tasks.values() if task.status in (Status.REQUESTED, *Status.known_to_provider())}
    assert _seen(region, ReferralChange, answerer) == set(ReferralChange.objects.filter(referral__in=asked).values_list("pk", flat=True))
    for message in Message.objects.filter(pk__in=_seen(region, Message, answerer)):
        assert message.task_id in tasks
        assert message.kind != Message.Kind.TEXT or tasks[message.task_id].status in Status.known_to_provider()
    fresh = [pk for pk, task in tasks.items() if region.looked_at.get(pk) != task.version]
    for task in ReferralTask.objects.filter(pk__in=fresh).select_related(
        "referral__organization", "referral__profile", "referral__patient", "pool__service", "reservation"
    ):
        view = queries.provider_view(task, answerer)
        assert (view.identity is not None) == (task.status in Status.known_to_provider())
        assert view.identity is not None or "Featherstonehaugh" not in repr(view)
        region.looked_at[task.pk] = task.version
