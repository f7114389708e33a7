"""How likely a yes is: what is read of the answers, what never is, the switch, the nightly check, and the line that people read."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from capacity.models import CapacityReport
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.acceptance import examples, operations
from flow.acceptance import fields as looked_at
from flow.models import AcceptanceModel, AcceptanceSwitch, Patient, Referral, ReferralTask, Transition
from flow.tasks import learn_acceptance, tell_chances
from frontend.presenters import acceptance as present
from matching import chances, weights
from matching.engine import likelihood
from matching.engine.problem import FACTORS
from matching.models import NeedProfile, PoolChance, PoolFact, WeightSet
from matching.operations import lines, match, refresh_facts, replay
from tests.factories import NeedProfileFactory, PoolFactory, ReferralTaskFactory, UserFactory, near
from tests.flow.answers import a_version, invented

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
SENT = NOW - timedelta(days=10)


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


def asked(
    pool, action: str = "", *, sent: datetime = SENT, after: timedelta = timedelta(hours=3), reason: str = "", **fields
) -> ReferralTask:
    """A request sent then and answered, or not, so much later."""
    status = {"accept": "accepted", "decline": "rejected", "withdraw": "cancelled"}.get(action, "requested")
    task = ReferralTaskFactory(
        pool=pool, status=status, status_reason_text="Words" if action == "decline" else "", requested_at=sent,
        respond_by=sent + timedelta(days=1), **fields,
    )  # fmt: skip
    if action:
        step = {"action": action, "from_status": "requested", "to_status": status, "reason": reason, "at": sent + after}
        Transition.objects.create(task=task, **step)
    return task


def told(pool, at: datetime, *, available: int | None, status: str = "capacity", version: int = 1) -> None:
    CapacityReport.objects.create(
        pool=pool, kind="report", available=available, status=status, version=version, observed_at=at, received_at=at, via="web"
    )


def test_an_answer_counts_once_it_is_certain_what_became_of_the_request():
    pool = PoolFactory()
    asked(pool, "accept")
    asked(pool, "decline", reason="22")
    asked(pool)  # nobody answered, which is no yes
    asked(pool, "accept", after=timedelta(days=4))  # too late: it counted as expired by then
    asked(pool, "decline", reason="26")  # the person chose otherwise
    asked(pool, "withdraw")
    asked(pool, "accept", sent=NOW - timedelta(days=2))  # what becomes of others of that day is not certain yet
    asked(pool, "accept", referral__source=Referral.Source.SELF)
    asked(pool, "accept", sent=NOW - timedelta(days=400))
    found, whom = examples.read(NOW)
    assert sorted(found.yes.tolist()) == [False, False, False, True]
    assert [len(groups) for groups in whom.groups.values()] == [4, 4, 4]
    assert {place.service for place in found.places} == {pool.service_id}
    assert whom.outcomes == {"Never answered": 2, "Accepted": 1, "No place": 1}


def test_what_is_known_is_what_was_known_when_the_request_was_sent():
    """The figure of then, not of now; how far away; the day of the week in England."""
    pool = PoolFactory(location__point=near(3_000, 0))
    told(pool, SENT - timedelta(hours=36), available=0, status="waitlist")
    told(pool, SENT + timedelta(minutes=1), available=5, version=2)
    asked(pool, "accept")
    asked(PoolFactory(location=None), "accept", sent=datetime(2026, 10, 25, 23, 30, tzinfo=UTC), referral__urgency="urgent")
    found, _ = examples.read(NOW)
    first, later = 0, 1
    assert found.said.tolist() == [likelihood.NOTHING, likelihood.LIST]
    assert found.away.tolist() == [-1, 2]
    assert found.weekday.tolist() == [6, 4]
    assert found.urgent.tolist() == [True, False]
    assert (found.fresh[first], found.fresh[later]) == (0, 500)


def test_who_the_person_is_changes_nothing():
    """Every field that is or stands for a protected characteristic is turned round: not one number to learn from moves, nor a chance."""
    pool = PoolFactory()
    for action in ("accept", "decline", "accept"):
        asked(pool, action, referral__patient__sex="female")
    a_version(is_on=True)
    chances.tell([chances.Lean(pool.pk, 900, 2, 3)])
    chances.switch(chances=AcceptanceModel.objects.get().learned["chances"], points=60, note="", by=None, at=NOW)
    profile = NeedProfileFactory(age=84)
    before, groups = examples.read(NOW)
    chance = lines(match(profile, by=None, at=NOW))[0].terms[-1]
    turned = {
        "age": 19, "sex": "male", "languages": ["ur"], "funding": ["self"], "needs": ["dementia"], "must_haves": [],
        "preferences": ["faith"], "conditions": ["snomed|44054006"], "drives": False, "outcode": "BB1", "practice": "P81001",
        "budget_week": 2_000, "times": ["evening"], "activation_level": 1,
    }  # fmt: skip
    assert turned.keys() == looked_at.protected("NeedProfile")
    NeedProfile.objects.update(**turned)
    Patient.objects.update(
        birth_date=date(2007, 1, 1), sex="male", preferred_language="ur", given_name="X", family_name="Y", postcode="BB1 1AA", point=None
    )
    after, other_groups = examples.read(NOW)
    assert groups != other_groups
    for each in fields(before):
        assert np.array_equal(getattr(before, each.name), getattr(after, each.name)), each.name
    PoolFact.objects.update(languages=0, funding=0)
    again = lines(match(NeedProfile.objects.get(pk=profile.pk), by=None, at=NOW))[0].terms[-1]
    assert (again.code, again.points) == (chance.code, chance.points) == ("likelihood", chance.points)


def test_every_field_of_a_person_is_looked_at_protected_or_neither():
    for model in (NeedProfile, Patient):
        name = model.__name__
        known = (looked_at.USED.get(name, frozenset()), looked_at.NEITHER[name], looked_at.protected(name))
        assert {field.name for field in model._meta.fields if field.name not in frozenset().union(*known)} == set()
        assert not known[0] & known[2]


def test_off_by_default_and_the_database_keeps_it_so(administrator):
    """Neither an operator nor anybody else can give it points, or switch on what is no better than a guess."""
    assert all(not each.weights.get("likelihood") and not each.chances for each in WeightSet.objects.all())
    with pytest.raises(IntegrityError, match="no_points_for_a_guess"), transaction.atomic():
        WeightSet.objects.create(version=99, weights={"distance": 300, "likelihood": 60})
    model = a_version(beats_constant=False)
    with pytest.raises(IntegrityError, match="on_only_if_better"), transaction.atomic():
        AcceptanceModel.objects.filter(pk=model.pk).update(is_on=True)
    given = {"pathway": "", "note": "", "by": administrator, "at": NOW}
    counting, silent = (dict.fromkeys(FACTORS, 10) | {"likelihood": points} for points in (60, 0))
    with pytest.raises(Invalid, match="while a version that was learned is switched on"):
        weights.change(weights=counting, **given)
    chances.switch(chances=model.learned["chances"], points=20, note="", by=None, at=NOW)
    weights.change(weights=silent, **given)
    assert weights.change(weights=counting, **given).chances["table"]


def test_only_an_administrator_switches_on_only_what_is_better_and_says_why(administrator):
    good, bad = a_version(1), a_version(2, beats_constant=False)
    given = {"points": 60, "reason": "Tried for a month.", "by": administrator, "at": NOW}
    for wrong, error in (
        ({"by": UserFactory(manager=True)}, NotAllowed), ({"model_id": bad.pk}, Conflict), ({"reason": " "}, Invalid),
        ({"points": 0}, Invalid), ({"points": 151}, Invalid), ({"reason": "x" * 301}, Invalid),
        ({"model_id": NeedProfileFactory().pk}, NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            operations.switch_on(**({"model_id": good.pk} | given | wrong))
    with pytest.raises(Conflict):
        operations.switch_off(reason="No more.", by=administrator, at=NOW)
    assert not AcceptanceSwitch.objects.exists()
    assert not WeightSet.objects.exclude(chances={}).exists()


@pytest.mark.req("R002")
@pytest.mark.req("R025")
def test_while_it_is_on_each_line_says_how_likely_a_yes_is_and_an_old_list_stays_as_it_was(administrator):
    """A service that says yes goes before one that does not; a new one is judged by its group; off again, nothing of it is left."""
    seldom, often, new = (PoolFactory(location__point=near(east, 0)) for east in (500, 500, 500))
    for number in range(6):
        asked(often, "accept")
        asked(seldom, "accept" if not number else "decline")
    WeightSet.objects.create(version=50, pathway="P2", weights={"distance": 10})
    profile = NeedProfileFactory()
    before = match(profile, by=None, at=NOW)
    first, second = a_version(1), a_version(2)
    operations.switch_on(model_id=first.pk, points=20, reason="A trial.", by=administrator, at=NOW)
    operations.switch_on(model_id=second.pk, points=150, reason="Better.", by=administrator, at=NOW)
    assert not PoolChance.objects.exists(), "a year of answers is not read while somebody waits for a page"
    assert ProcrastinateJob.objects.filter(task_name=tell_chances.name, queue_name="long").count() == 2
    assert operations.tell(at=NOW) == 3
    run = match(profile, by=None, at=NOW)
    ranked = lines(run)
    assert [line.pool_id for line in ranked] == [often.pk, new.pk, seldom.pk]
    said = [line.terms[-1].words.partition(": ")[2] for line in ranked]
    assert said[0] == "said yes to 6 of 6 requests like this; about 6 in 10 now"
    assert said[1].startswith("too few answers to say of this service alone; about ")
    assert said[2].startswith("said yes to 1 of 6 requests like this")
    assert ranked[0].out_of == lines(before)[0].out_of + 150
    assert WeightSet.objects.newest("P2").weights["likelihood"] == 150
    operations.switch_off(reason="Complaints.", by=administrator, at=NOW)
    assert tell_chances() == 0, "a worker that comes too late tells nothing"
    assert "likelihood" not in {term.code for term in lines(match(profile, by=None, at=NOW))[0].terms}
    assert not PoolChance.objects.exists()
    assert not PoolFact.objects.exclude(leaning=None).exists()
    assert [(line.pool_id, line.score) for line in replay(run)] == [(line.pool_id, line.score) for line in ranked]
    assert [(line.pool_id, line.score) for line in replay(before)] == [(line.pool_id, line.score) for line in lines(before)]
    assert [(each.model.version, each.on, each.points) for each in AcceptanceSwitch.objects.all()] == [
        (2, False, 0), (2, True, 150), (1, False, 0), (1, True, 20),
    ]  # fmt: skip


def test_what_pools_lean_to_is_told_anew_and_one_that_comes_back_leans_as_before():
    pool, other, third = (PoolFactory() for _ in range(3))
    chances.tell([chances.Lean(each.pk, 100, 1, 2) for each in (pool, other)])
    chances.tell([chances.Lean(pool.pk, 100, 1, 2), chances.Lean(third.pk, -200, 0, 1)])
    leans = dict(PoolFact.objects.values_list("pool_id", "leaning"))
    assert leans == {pool.pk: 100, other.pk: None, third.pk: -200}
    chances.tell([chances.Lean(pool.pk, 700, 30_000, 40_000)])
    PoolFact.objects.all().delete()
    refresh_facts()
    fact = PoolFact.objects.get(pk=pool.pk)
    assert (fact.leaning, fact.said_yes, fact.answers) == (700, 7_499, 9_999)


def test_a_night_keeps_what_it_learned_and_switches_nothing_on(monkeypatch, capsys):
    found, _ = invented(1_200)
    groups = {"Sex": ["female"] * 600 + ["male"] * 600}
    monkeypatch.setattr(examples, "read", lambda at: (found, examples.Whom(groups)))
    call_command("learn_acceptance")
    said = capsys.readouterr().out
    assert said.startswith("Version 1, from 1,200 answers. Better than telling everybody ")
    assert "Squared error: 0." in said
    model = AcceptanceModel.objects.get()
    assert model.beats_constant
    assert not model.is_on
    assert model.library.startswith("scikit-learn ")
    assert model.figures["answers"] == 240
    assert {row["characteristic"] for row in model.audit} == {"Sex"}
    assert not PoolChance.objects.exists()


def test_a_night_switches_off_what_has_become_no_better_than_a_guess(monkeypatch):
    noise, _ = invented(400, noise=True)
    model = a_version(is_on=True)
    model.figures["guess"] = 0.5
    model.save()
    AcceptanceSwitch.objects.create(model=model, on=True, points=60, reason="A trial.", at=NOW)
    chances.switch(chances=model.learned["chances"], points=60, note="", by=None, at=NOW)
    monkeypatch.setattr(examples, "read", lambda at: (noise, examples.Whom({})))
    assert "The version that was on was switched off. On 4" in learn_acceptance(timestamp=0)
    model.refresh_from_db()
    assert not model.is_on
    assert WeightSet.objects.newest().weights["likelihood"] == 0
    last = AcceptanceSwitch.objects.first()
    assert (last.on, last.by, last.reason.endswith("telling everybody 50 in 100.")) == (False, None, True)


def test_nobodys_answer_can_be_worked_out_from_the_whole_or_from_the_night_before():
    counted = {"Accepted": 1_207, "No place": 31, "Too far away": 9, "Never answered": 4}
    told = present.outcomes(AcceptanceModel(outcomes=counted))
    assert told == [("Accepted", "about 1,200"), ("No place", "about 30"), ("Too far away or Never answered", "about 10")]
    assert present.outcomes(AcceptanceModel(outcomes={"Accepted": 12, "No place": 1})) == [("Accepted or No place", "about 10")]
    assert present.outcomes(AcceptanceModel(outcomes={"Accepted": 3})) == [("Accepted", "fewer than 10")]
    group = {"characteristic": "Sex", "group": "female", "count": 17, "said": 0.5, "came": 5 / 17, "gap": 0.2, "low": 0.1, "high": 0.3}
    model = AcceptanceModel(version=1, learned_at=NOW, answers=0, audit=[group | {"told_high": 0.5}])
    assert ["group", "Sex: female, came", 0.29, ""] in list(present.table(model))


def test_the_page_shows_the_figures_and_lets_an_administrator_switch(client, administrator, monkeypatch):
    # Drawn in a browser by the journey: what draws takes seconds to import.
    monkeypatch.setattr(present, "_draw", lambda points, description: f"drawn: {description}")
    client.force_login(UserFactory(manager=True))
    address = reverse("acceptance")
    assert "Nothing was learned yet" in client.get(address).content.decode()
    a_version(1), a_version(2, learned={}, figures={}, audit=[], beats_constant=False, answers=12)
    shown = client.get(address).content.decode()
    assert "Too few answers to learn from: 12 are certain so far." in shown
    shown = client.get(address, {"version": 1}).content.decode()
    for words in (
        "Better than telling everybody 60 in 100",
        "-0.050 (-0.070 to -0.030)",
        "Told too much",
        "Male or other",
        "drawn: On average",
        "about 1,200",
        "No place or Too far away",
    ):
        assert words in shown
    assert "Switch it on" not in shown
    assert client.post(address, {"on": "yes"}).status_code == 403
    assert client.get(address, {"version": 7}).status_code == 404
    rows = b"".join(client.get(reverse("acceptance-csv"), {"version": 1})).decode()
    assert "figure,brier,0.19," in rows
    assert '"Sex: male or other, count",180,' in rows

    client.force_login(administrator)
    pk = str(AcceptanceModel.objects.get(version=1).pk)
    wrong = client.post(address + "?version=1", {"on": "yes", "model": pk, "points": "900", "reason": "For a month."})
    assert wrong.status_code == 422
    assert "For a month." in wrong.content.decode()
    assert "Read the figures first" in wrong.content.decode()
    right = {"on": "yes", "model": pk, "points": "60", "reason": "For a month.", "read": "on"}
    assert client.post(address, right | {"model": "x"}).status_code == 422
    assert client.post(address, right).status_code == 302
    shown = client.get(address).content.decode()
    assert "gives up to 60 points in a ranking" in shown
    assert client.post(address, right).status_code == 422
    assert client.post(address, {"off": "yes", "reason": "Enough."}).status_code == 302
    assert not AcceptanceModel.objects.filter(is_on=True).exists()
