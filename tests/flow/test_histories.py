"""Any history keeps the promises: of two teams, a hub, those who answer, the clock and the rules. Hypothesis looks for one that does not.

`LUNE_HISTORIES=3000` tries so many and writes how it went to `var/histories.json`; `make nightly` does.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import time_machine
from django.conf import settings as site
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from capacity.models import ServiceCapacity
from core.errors import LuneError
from flow import moves
from flow.models import HubEntry, ReferralTask
from tests.flow.histories_promises import kept, of_a_request, sight
from tests.flow.histories_world import Region, written

pytestmark = pytest.mark.django_db

HISTORIES = int(os.environ.get("LUNE_HISTORIES", "4"))
BEGAN = time.perf_counter()


def tell(tally: Counter[str]) -> None:
    """How far a long run is: each deed by how often it was done. No history so far has broken a promise."""
    if "LUNE_HISTORIES" in os.environ:
        told = {"minutes": round((time.perf_counter() - BEGAN) / 60, 1), **dict(tally.most_common())}
        (site.BASE_DIR / "var" / "histories.json").write_text(json.dumps(told, indent=1) + "\n")


@pytest.fixture
def region() -> Iterator[Region]:
    """Made once; each history is rolled back to it."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield Region(clock)


first, second = st.integers(0, 11), st.integers(0, 255)
#: Which of the pools, by bits, and (four bits higher) at which of those a place is to be kept. The last pools keep none, which is refused.
chosen = st.sampled_from([1, 2, 3, 3, 7, 11, 15, 0x11, 0x12, 0x13, 0x33, 0x37, 0xFF, 0])
HUB = ["take", "triage", "triage", "route", "route", "ask", "answer", "return_", "send_again", "withdraw", "take_back"]


class Histories(RuleBasedStateMachine):
    """What each actor may try, in any order. A refusal is an answer too: it leaves nothing behind, and so nothing new to look at."""

    region: Region
    tally: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.start = self.region.at
        self.region.seen_rows, self.region.looked_at = {}, {}
        if self.tally["histories"] % 50 == 0:
            self.region.questions.clear()
        self.deeds = 0
        self.history = transaction.atomic()
        self.history.__enter__()

    def teardown(self) -> None:
        self.tally["histories"] += 1
        if self.tally["histories"] % 25 == 0:
            tell(self.tally)
        try:
            kept(self.region)
            sight(self.region)
        finally:
            transaction.set_rollback(True)
            self.history.__exit__(None, None, None)
            self.region.go_on(self.start - self.region.at)

    def attempt(self, name: str, one: int, other: int) -> None:
        before = written()
        self.tally["attempts"] += 1
        try:
            self.region.act(name, one, other)
        except LuneError:
            assert written() == before, "what is refused leaves nothing, by the operation's own transaction"
            return
        if written() != before:
            self.tally[name] += 1
            self.tally["deeds"] += 1
            self.deeds += 1
            kept(self.region)
            if self.deeds % 10 == 0:
                sight(self.region)

    @initialize(one=first, other=chosen)
    def there_is_a_referral(self, one, other):
        self.attempt("send", one, other)

    @rule(one=first, other=chosen)
    def a_team_sends(self, one, other):
        self.attempt("send", one, other)

    @rule(name=st.sampled_from(["move", "leave_out", "ask_next", "ask_also", "close", "end"]), one=first, other=second)
    def a_team_changes_whom_it_asks(self, name, one, other):
        self.attempt(name, one, other)

    @rule(one=first, other=second)
    def a_team_changes_what_it_says(self, one, other):
        self.attempt("edit", one, other)

    @rule(name=st.sampled_from(["hold", "extend_hold", "let_go"]), one=first, other=second)
    def a_team_keeps_a_place(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["accept", "accept", "decline", "withdraw"]), one=first, other=second)
    def somebody_answers(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["start", "pause", "resume", "complete", "fail", "retract"]), one=first, other=second)
    def support_goes_on(self, name, one, other):
        self.attempt(name, one, other)

    @rule(one=first, other=second)
    def a_team_sends_to_the_hub(self, one, other):
        self.attempt("send_to_hub", one, other)

    @rule(name=st.sampled_from(HUB), one=first, other=second)
    def the_hub_works(self, name, one, other):
        self.attempt(f"hub_{name}", one, other)

    @rule(one=first, other=chosen)
    def the_hub_finds_services(self, one, other):
        for name in ("hub_triage", "hub_route"):
            self.attempt(name, one, other)

    @rule(one=first)
    def a_service_says_yes_and_begins(self, one):
        for name in ("accept", "start"):
            self.attempt(name, one, 1)

    @rule(name=st.sampled_from(["ask", "answer", "write"]), one=first, other=second)
    def both_sides_write(self, name, one, other):
        self.attempt(name, one, other)

    @rule(name=st.sampled_from(["report", "take_back"]), one=first, other=second)
    def figures_change(self, name, one, other):
        self.attempt(name, one, other)

    @rule(one=first)
    def time_passes(self, one):
        self.attempt("wait", one * (24 if one > 8 else 1), 0)

    @rule(name=st.sampled_from(["switch", "switch", "merge", "part"]), one=first, other=second)
    def an_office_acts(self, name, one, other):
        self.attempt(name, one, other)


@pytest.mark.req("R008")
@pytest.mark.req("R026")
def test_any_history_keeps_the_promises(region):
    Histories.region, Histories.tally = region, Counter()
    # A history that fails is told as it was: to make it shorter takes many minutes, and its steps are few.
    budget = settings(
        max_examples=HISTORIES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    run_state_machine_as_test(Histories, settings=budget)
    tell(Histories.tally)


def test_the_checks_notice_a_place_that_was_lost(region):
    """They can fail: forget one hold, and they do."""
    region.act("send", 0, 0b0001_0010)
    kept(region)
    ServiceCapacity.objects.filter(pk=region.pools[1].pk).update(held=0)
    with pytest.raises(AssertionError):
        kept(region)


def test_the_checks_notice_a_step_outside_the_table_a_missing_deadline_and_what_a_hub_sees_too_long(region):
    region.act("send", 0, 0b0010)
    region.act("send_to_hub", 2, 0)
    sight(region)
    task = ReferralTask.objects.get()
    task.transitions.model(
        task=task, action="start", from_status="requested", to_status="in-progress", organization_id=task.provider_id, at=region.at
    ).save()
    task.status, task.version = "in-progress", 2
    with pytest.raises(AssertionError):
        of_a_request(task)
    HubEntry.objects.update(state="returned")
    with pytest.raises(AssertionError):
        sight(region)
    ReferralTask.objects.update(respond_by=None)
    with pytest.raises(AssertionError):
        kept(region)


def test_when_every_service_that_a_hub_asked_has_said_no_the_hub_is_to_move_and_both_sides_read_it(region):
    region.act("send_to_hub", 0, 0)
    region.act("hub_triage", 0, 1)
    region.act("hub_route", 0, 0b0010)
    sight(region)
    region.act("decline", 0, 1)
    kept(region)
    sight(region)
    referral = ReferralTask.objects.get().referral
    assert moves.of_referral(referral, region.at).side == moves.Mover.HUB
