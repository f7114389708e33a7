"""Services that answer one referral at the same instant, each on a connection of its own; and what comes between: the sender who takes it
back, the deadline that passes, two records that are found to be one person.

Exactly as many as are wanted have said yes, each other is told why in words, and figures, holds and rows tell one story.
`LUNE_ANSWER_ROUNDS` says how many rounds of each (`make nightly`: a hundredth of its rounds of places).
"""

import os
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from capacity.models import FreshnessPolicy
from core.errors import LuneError
from flow import lateness, operations
from flow.merging import operations as merging
from flow.models import Patient, Referral, ReferralTask
from flow.workflow import Reason, Status
from tests.factories import PatientFactory, PoolFactory, UserFactory
from tests.faults.test_races import race, reconcile
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = range(int(os.environ.get("LUNE_ANSWER_ROUNDS", "2")))
#: What somebody reads who comes second, of a request that is settled or was taken back.
TOLD = ("Another service has said yes for this person. Nothing more is needed from you.", "is now “Withdrawn”")


class Asked:
    """One referral to several services, each with a place or two, and somebody who answers for each."""

    def __init__(self, number: int, *, wanted: int = 1, hold: bool = True, **fields) -> None:
        FreshnessPolicy.objects.update(holds_per_person=number)
        self.sender = UserFactory()
        self.pools = PoolFactory.create_batch(number, available=2)
        self.answerers = {pool.pk: provider_of(pool) for pool in self.pools}
        self.referral = send(self.sender, self.pools, hold=self.pools if hold else (), wanted=wanted, **fields)
        self.tasks = list(self.referral.tasks.all())
        self.words: list[str] = []

    def answer(self, task: ReferralTask, verb: str = "accept", at=None) -> str:
        """What came of it: the status, or the code of a refusal, whose words are kept."""
        more = {"reason": Reason.CAPACITY} if verb == "decline" else {}
        try:
            by = self.answerers[task.pool_id]
            return str(getattr(operations, verb)(task_id=task.pk, by=by, at=at or timezone.now(), **more).status)
        except LuneError as error:
            self.words.append(error.message)
            raise

    def check(self, *, yes: int) -> None:
        """So many have a yes, nobody is left asked, and every place is where its row says."""
        tasks = list(self.referral.tasks.prefetch_related("transitions"))
        assert sum(task.status in Status.taken_on() for task in tasks) == yes
        for task in tasks:
            steps = list(task.transitions.all())
            assert (task.version, task.status) == (len(steps), steps[-1].to_status)
        for pool in self.pools:
            reconcile(pool)
        taken = sum(task.took_place for task in tasks)
        assert taken == yes
        assert sum(2 - pool.available for pool in self.pools) == taken
        assert sum(pool.held for pool in self.pools) == sum(task.status == Status.REQUESTED and bool(task.reservation) for task in tasks)


@pytest.mark.req("R008")
@pytest.mark.parametrize(("services", "wanted"), [(2, 1), (6, 1), (6, 3)])
@pytest.mark.parametrize("hold", [True, False])
def test_as_many_as_are_wanted_say_yes_and_the_others_are_told(services, wanted, hold):
    for _ in ROUNDS:
        asked = Asked(services, wanted=wanted, hold=hold)
        results = race(*[lambda task=task, asked=asked: asked.answer(task) for task in asked.tasks])
        assert Counter(results) == {Status.ACCEPTED: wanted, "moved-on": services - wanted}
        assert asked.words == [TOLD[0]] * (services - wanted)
        asked.check(yes=wanted)
        assert not asked.referral.tasks.filter(status=Status.REQUESTED).exists()


def test_a_yes_and_a_no_at_once_leave_one_yes():
    for _ in ROUNDS:
        asked = Asked(3)
        acts = [(asked.tasks[0], "accept"), (asked.tasks[1], "accept"), (asked.tasks[2], "decline")]
        results = race(*[lambda task=task, verb=verb, asked=asked: asked.answer(task, verb) for task, verb in acts])
        assert Counter(results[:2]) == {Status.ACCEPTED: 1, "moved-on": 1}
        assert results[2] in (Status.REJECTED, "moved-on")
        asked.check(yes=1)


def test_a_yes_and_the_sender_who_takes_it_back_never_leave_both():
    """Whoever is first: a yes that was given is taken back with its place, and a request that was taken back cannot be said yes to."""
    for number in ROUNDS:
        asked = Asked(2, hold=bool(number % 2))
        task = asked.tasks[0]

        def back(asked=asked, task=task) -> str:
            return str(operations.withdraw(task_id=task.pk, by=asked.sender, at=timezone.now(), reason=Reason.PATIENT_CHOICE).status)

        said, withdrawn = race(lambda asked=asked, task=task: asked.answer(task), back)
        assert withdrawn == Status.CANCELLED
        assert said in (Status.ACCEPTED, "moved-on")
        assert all(TOLD[1] in words for words in asked.words)
        asked.check(yes=0)


def test_a_yes_and_the_deadline_that_asks_the_next_never_leave_two():
    """In order: either the yes counts and nobody else is asked, or the deadline has passed the request on and the yes comes too late."""
    for _ in ROUNDS:
        asked = Asked(2, in_order=True, hold=False, answer_within=timedelta(minutes=30))
        late, task = timezone.now() + timedelta(hours=1), asked.tasks[0]
        said, _ = race(lambda asked=asked, task=task, late=late: asked.answer(task, at=late), lambda late=late: lateness.look(at=late))
        tasks = asked.referral.tasks
        if said == Status.ACCEPTED:
            assert tasks.count() == 1
            assert list(asked.referral.queue.values_list("state", flat=True)) == ["asked", "dropped"]
            asked.check(yes=1)
        else:
            assert said == "moved-on"
            assert sorted(tasks.values_list("status", flat=True)) == [Status.CANCELLED, Status.REQUESTED]
            assert TOLD[1] in asked.words[0]
            asked.check(yes=0)


def test_a_yes_while_two_records_are_found_to_be_one_person_is_the_one_persons():
    for _ in ROUNDS:
        asked = Asked(2)
        gone = Patient.objects.get(pk=asked.referral.patient_id)
        kept = PatientFactory(organization=asked.sender.organization)

        def join(kept=kept, gone=gone, asked=asked) -> str:
            merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=asked.sender, at=timezone.now())
            return "merged"

        said, *_, merged = race(*[lambda task=task, asked=asked: asked.answer(task) for task in asked.tasks], join)
        assert merged == "merged"
        assert {said, _[0]} == {Status.ACCEPTED, "moved-on"}
        asked.check(yes=1)
        assert Referral.objects.get(pk=asked.referral.pk).patient_id == kept.pk
        seen = [set(Patient.objects.visible_to(by).values_list("pk", flat=True)) for by in asked.answerers.values()]
        assert sorted(seen, key=len) == [set(), {kept.pk}]
