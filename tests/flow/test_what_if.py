"""What-if questions on a copy of the live state: made by the ranking's rules, kept run by run, taken up where they ended, naming nobody."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.models import WhatIf, WhatIfResult
from flow.simulation import changes as numbers
from flow.tasks import simulate_what_if
from flow.whatif import asking, copying, operations, queries
from flow.workflow import Status
from frontend.presenters import what_if as presenter
from matching.engine.problem import Weights
from matching.models import WeightSet
from matching.operations import lines, match
from tests.factories import EligibilityFactory, EpisodeFactory, OutcodeFactory, PostcodeFactory, ReferralTaskFactory, UserFactory
from tests.flow.waiting import home, waits
from tests.stack.live import BACKEND

pytestmark = pytest.mark.django_db
NOW = timezone.now()
PRIVATE = ("Canary", "Featherstonehaugh", "PR1 2HE")


@pytest.fixture
def team():
    OutcodeFactory()
    PostcodeFactory()
    return UserFactory()


@pytest.fixture
def board():
    return UserFactory(manager=True)


@pytest.fixture
def region(team):
    """Three people of the team wait for one free bed; another team's person waits as well."""
    pool, full = home(0, available=1), home(3_000, available=0, maximum=4)
    for days in (1, 3, 6):
        waits(team, days=days, patient__given_name="Canary", patient__family_name="Featherstonehaugh", discharge_pathway="P3")
    other = UserFactory()
    waits(other, days=2, discharge_pathway="P3")
    return pool, full, other


def ask(by, *asked, **fields):
    given = {"name": "Ten beds", "asked": asked or [asking.people(20)], "days": 12, "seeds": 2}
    return operations.ask(**(given | {"policies": ["longest"], "by": by, "at": NOW} | fields))


def kind_of(pool) -> str:
    return pool.care_type.code


@pytest.mark.req("R182")
def test_places_are_added_to_a_copy_of_the_live_state_and_people_gain_by_it(region, board):
    pool, _, _ = region
    question = ask(board, asking.add(kind_of(pool), 10, "PR1 2HE"), policies=["nearest", "longest"])
    assert ProcrastinateJob.objects.get(task_name=simulate_what_if.name).queue_name == "long", "no other work waits for it"
    assert simulate_what_if(str(question.pk)) == "done"
    question.refresh_from_db()
    assert sum(copying.World.load(bytes(question.world)).waiting_asked) == 0, "nobody was asked for any of them yet"
    assert (question.done, question.total, question.results.count()) == (8, 8, 8)
    nearest, answer = queries.answers(question).values()
    assert (answer.policy, nearest.beside) == ("longest", {})
    assert answer.beside["placed"].before == nearest.measures["placed"].after
    assert answer.futures == 2
    assert answer.measures["placed"].more.low > 0
    assert answer.measures["bed_days"].more.high < 0
    assert answer.measures["waiting"].after.mean < answer.measures["waiting"].before.mean
    pool.refresh_from_db()
    assert (pool.available, pool.held) == (1, 0), "nothing in the region is changed"
    kept = json.dumps([question.asked, question.about, question.changes, *question.results.values_list("figures", flat=True)])
    assert not [word for word in PRIVATE[:2] if word in kept]
    about = question.about
    assert (about["waiting"], about["free"], about["needs"]) == (4, 1, 4)
    assert all(each["assumed"] for each in about["laws"] if each["what"] == "stay"), "too little is known, and it says so"
    with pytest.raises(IntegrityError), transaction.atomic():
        WhatIfResult.objects.create(what_if=question, arm="today", policy="longest", seed=0, figures={})


def test_changes_become_numbers_of_the_world(region, team, board):
    pool, full, _ = region
    kind = kind_of(pool)
    at = timezone.now()
    asked = [
        asking.close(full.service.name, by=board, moved=True), asking.add(kind, 3, "PR1", day=2), asking.people(15, pathway="P3"),
        asking.people(50, source=str(team.organization_id)), asking.strike(50, 3, 5), asking.answers(25),
    ]  # fmt: skip
    assert asking.from_json(json.loads(json.dumps(asking.to_json(asked)))) == asked
    found = copying.copy(board, asked, at=at)
    world = found.world
    assert (world.size.tolist().count(1), int(world.size.sum())) == (1, 1), "a full place is no place, and a new one comes with its day"
    assert world.pools == 3
    assert int(world.others.sum()) == 9 + 4
    close, add, people, here, strike, answers = found.changes
    assert isinstance(close, numbers.Close) and close.moved  # noqa: PT018 (the second needs the first)
    assert add == numbers.Add(2, 3, 2)
    assert people == numbers.Demand(1.15, 0, asking.MOST_DAYS, (0,))
    assert here == numbers.Demand(1.5, 0, asking.MOST_DAYS, (), (world.sources.index(str(team.organization_id)),))
    assert (strike, answers) == (numbers.Strike(0.5, 3, 5), numbers.Answers(0.75, 0))
    for unnoticed in (asking.people(50, pathway="P0"), asking.add("befriending", 2, "PR1"), asking.CloseService(str(uuid4()), "Elsewhere")):
        with pytest.raises(Conflict, match=r"Nobody (who )?came"):
            copying.copy(board, [unnoticed], at=at)


def test_places_and_points_are_those_of_the_ranking(team, board):
    at = timezone.now()
    near, far = (home(metres, available=1, maximum=1, reported_at=at) for metres in (0, 9_000))
    EligibilityFactory(service=home(100, available=1, reported_at=at).service, maximum_age=50)
    stay = waits(team, days=1, discharge_pathway="P3")
    ranked = lines(match(stay.profile, by=team, at=at))
    assert {line.pool_id for line in ranked} == {near.pk, far.pk}
    world = copying.copy(board, (), at=at).world
    total = Weights.from_json(WeightSet.objects.newest("P3").weights).total
    assert world.score.tolist() == [line.score * 10_000 // total for line in ranked]
    assert world.metres.tolist() == [line.distance_m for line in ranked]


def test_what_was_answered_and_how_long_stays_were_is_learned_from_the_region(region, board):
    pool, _, _ = region
    at = timezone.now()
    for n in range(12):
        asked = at - timedelta(days=10, hours=n)
        yes = n % 3 != 0
        ReferralTaskFactory(
            pool=pool, status=Status.COMPLETED if yes else Status.REJECTED, status_reason_text="" if yes else "Full",
            requested_at=asked, answered_at=asked + timedelta(hours=6),
        )  # fmt: skip
    about = copying.copy(board, (), at=at).about
    answers = next(each for each in about["laws"] if each["what"] == "answer")
    assert (answers["ended"], answers["assumed"]) == (12, False)
    assert answers["law"]["scale"] == pytest.approx(0.25, rel=0.1)
    assert about["yes"] == pytest.approx(9 / 14, abs=0.001)
    assert about["answers"] == 12


def test_a_trusts_manager_reads_of_its_own_people_and_the_board_of_all(region, team, board):
    own = UserFactory(manager=True, organization=team.organization)
    EpisodeFactory(patient__organization=region[2].organization, discharge_pathway="P0")  # nobody looked for a place for them
    counts = []
    for manager in (own, board):
        question = ask(manager)
        simulate_what_if(str(question.pk))
        question.refresh_from_db()
        counts.append(min(run.figures["all"]["came"] for run in question.results.all()))
        named = [each["source"] for each in question.about["arrivals"]]
        assert ("Other teams together" in named) == (manager == own)
        told = [(rate, came) for _, rate, came in presenter.arrival_rows(question.about)]
        assert told == [("not told", "not told" if manager == own and "Other" in name else "fewer than 5") for name in named]
        assert question.about["without"] == ({} if manager == own else {"P0: home, no new support": 1})
        seen = [words for *_, words, _ in presenter.fit_rows(question.about)]
        assert not [words for words in seen if words.startswith(("assumed: only", "1 ", "2 ", "3 ", "4 "))]
        assert question.about["waiting"] == (3 if manager == own else 4)
    of_trust = WhatIf.objects.visible_to(own).get()
    before = list(of_trust.results.values_list("seed", "arm", "figures"))
    of_trust.results.filter(seed=1).delete()
    WhatIf.objects.filter(pk=of_trust.pk).update(status=WhatIf.Status.WAITING)
    User.objects.filter(pk=own.pk).update(is_active=False)
    assert simulate_what_if(str(of_trust.pk)) == "failed"
    User.objects.filter(pk=own.pk).update(is_active=True)
    WhatIf.objects.filter(pk=of_trust.pk).update(status=WhatIf.Status.WAITING)
    User.objects.filter(pk=own.pk).update(organization=board.organization)
    assert simulate_what_if(str(of_trust.pk)) == "failed", "who asked works elsewhere, where other people's figures are told"
    User.objects.filter(pk=own.pk).update(organization=own.organization)
    operations.go_on(what_if_id=of_trust.pk, by=own, at=NOW)
    assert simulate_what_if(str(of_trust.pk)) == "done"
    assert list(of_trust.results.values_list("seed", "arm", "figures")) == before, "its own people alone, after a failure too"
    assert counts[0] < counts[1]
    assert WhatIf.objects.visible_to(own).count() == WhatIf.objects.visible_to(board).count() == 1
    for nobody in (team, UserFactory(provider=True), UserFactory(curator=True), UserFactory(administrator=True)):
        assert not WhatIf.objects.visible_to(nobody).exists()
        with pytest.raises(NotAllowed):
            ask(nobody)


def test_work_that_stopped_goes_on_where_it_ended_and_comes_to_the_same(region, board, monkeypatch):
    whole = ask(board, seeds=3)
    assert simulate_what_if(str(whole.pk)) == "done"
    whole.refresh_from_db()
    broken = ask(board, seeds=3)
    copied = {"world": whole.world, "about": whole.about, "changes": whole.changes, "as_of": whole.as_of}
    WhatIf.objects.filter(pk=broken.pk).update(**copied)
    with pytest.raises(Conflict, match="being simulated already"):
        ask(board)
    usual = operations.simulate
    runs = []

    def third_is_stopped(*args, **fields):
        runs.append(args)
        if len(runs) == 3:
            operations.stop(what_if_id=broken.pk, by=board, at=NOW)
        return usual(*args, **fields)

    monkeypatch.setattr(operations, "simulate", third_is_stopped)
    assert simulate_what_if(str(broken.pk)) == "stopped"
    assert broken.results.count() == 2
    monkeypatch.setattr(operations, "simulate", usual)
    home(100, available=9)  # the world has moved on; the copy has not
    operations.go_on(what_if_id=broken.pk, by=board, at=NOW)
    WhatIf.objects.filter(pk=broken.pk).update(status=WhatIf.Status.RUNNING)  # its worker died in the middle
    assert simulate_what_if(str(broken.pk)) == "done"
    one, other = (list(each.results.order_by("seed", "arm").values_list("seed", "arm", "figures")) for each in (whole, broken))
    assert len(one) == 6
    assert one == other
    with pytest.raises(Conflict, match="nothing left"):
        operations.go_on(what_if_id=broken.pk, by=board, at=NOW)
    with pytest.raises(NotFound):
        operations.go_on(what_if_id=broken.pk, by=UserFactory(manager=True), at=NOW)
    assert simulate_what_if(str(broken.pk)) == "nothing to do"
    assert operations.forget(at=timezone.now()) == 0
    assert operations.forget(at=timezone.now() + timedelta(days=31)) == 2
    WhatIf.objects.filter(pk=broken.pk).update(status=WhatIf.Status.STOPPED)
    with pytest.raises(Conflict, match="thrown away"):
        operations.go_on(what_if_id=broken.pk, by=board, at=NOW)


def test_without_history_it_says_what_is_missing(board, team):
    EpisodeFactory(patient__organization=team.organization)
    question = ask(board, asking.people(10))
    assert simulate_what_if(str(question.pk)) == "failed"
    question.refresh_from_db()
    assert "Nobody has been looked for lately" in question.about["problem"]
    page = Client()
    page.force_login(board, backend=BACKEND)
    assert "Nobody has been looked for lately" in page.get(reverse("what-if-answer", args=[question.pk])).content.decode()


def test_a_confidential_or_unknown_service_cannot_be_named_and_numbers_are_within_bounds(board):
    refuge = home(0, service__is_confidential=True, service__name="Quiet House")
    home(10, service__name="Ash Lodge"), home(20, service__name="Ash Lodge Annexe")
    for wrong, words in (
        (lambda: asking.close("Quiet House", by=board), "do not know"),
        (lambda: asking.close(str(refuge.service_id), by=board), "do not know"),
        (lambda: asking.close("sh Lod", by=board), "Ash Lodge; Ash Lodge Annexe"),
        (lambda: asking.close(" ", by=board), "Type the name"),
        (lambda: asking.add("no-such-kind", 3, "PR1"), "which kind"),
        (lambda: asking.people(0), "asks nothing"),
        (lambda: asking.people(301), "per cent"),
        (lambda: asking.strike(50, 5, 5), "not be before"),
    ):
        with pytest.raises(Invalid, match=words):
            wrong()
    assert asking.close("ash lodge", by=board).name == "Ash Lodge"
    other = home(30, service__name="Ash lodge").service
    with pytest.raises(Invalid, match=f"Copy the number of one here.*{other.pk}"):
        asking.close("Ash Lodge", by=board)
    assert asking.close(str(other.pk), by=board).service == str(other.pk)
    for late in (asking.answers(10, day=30), asking.strike(10, 30, 40)):
        with pytest.raises(Invalid, match="after the 30 days"):
            ask(board, late, days=30)
    for fields in ({"asked": []}, {"policies": []}, {"policies": ["magic"]}, {"days": 121}, {"seeds": 0}, {"name": " "}):
        with pytest.raises(Invalid):
            ask(board, **({"asked": [asking.answers(10)]} | fields))
