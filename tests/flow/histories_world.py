"""The small world of `test_histories`: who acts in it, and what each may try. What must hold afterwards is in `histories_promises`."""

from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from typing import Any

from django.db import connection
from django.utils import timezone

import capacity.operations as places
from capacity.models import CapacityReport, Reservation
from core.clock import local_date
from core.models import Event
from flow import asking, lateness, operations
from flow.casework import messages
from flow.hubs import closing
from flow.hubs import operations as hubs
from flow.merging import operations as merging
from flow.models import HubEntry, HubStep, Message, Patient, PatientMerge, Referral, ReferralTask, Transition
from flow.rules import operations as rules
from flow.workflow import Reason
from matching.models import MatchRun
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import AgreementFactory, HubFactory
from tests.flow.helpers import provider_of

#: What is only ever added to. Whatever is done leaves a row in one of these; whatever is refused in none.
ADDED_TO = (Event, Transition, CapacityReport, HubStep, Message)


def written() -> tuple[int, ...]:
    """How many rows there are of what is only ever added to."""
    tables = (f"(SELECT count(*) FROM {model._meta.db_table})" for model in ADDED_TO)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(tables)}")
        return cursor.fetchone()


class Region:
    """Two teams with two people each, a hub, two who have nothing to do with any of it, and four pools: scarce, plain, a waiting list,
    and one of which nobody has told anything."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.at = timezone.now()
        self.teams = UserFactory.create_batch(2)
        self.people = [PatientFactory(organization=team.organization) for team in self.teams for _ in range(2)]
        self.stays = [
            EpisodeFactory(patient=person, kind=kind) for person, kind in zip(self.people, ("hospital", "community") * 2, strict=True)
        ]
        self.profiles = [NeedProfileFactory(organization=team.organization) for team in self.teams]
        self.pools = [
            PoolFactory(available=1, maximum=2),
            PoolFactory(available=3, maximum=None),
            PoolFactory(available=0, maximum=None, status="waitlist"),
            PoolFactory(unknown=True, maximum=None),
        ]
        self.answerers = {pool.pk: provider_of(pool) for pool in self.pools}
        self.hub = HubFactory()
        self.worker = self.hub.team.members.get()
        for team in self.teams:
            AgreementFactory(organization=team.organization, with_organization=self.hub.organization, purpose="triage")
        self.run = MatchRun.objects.create(
            profile=NeedProfileFactory(organization=self.hub.organization), organization=self.hub.organization, at=self.at,
            weights={}, weights_version=1, engine_version="1", problem={}, considered=4, took_ms=1,
        )  # fmt: skip
        self.next_stranger = cycle([UserFactory(), UserFactory(provider=True), UserFactory(organization=self.hub.organization)])
        self.administrator = UserFactory(administrator=True)
        self.rules = [
            rules.write(name=f"Rule {number}", trigger=trigger, action=action, reason="Trial", by=self.administrator, at=self.at)
            for number, (trigger, action) in enumerate(
                [("overdue", "withdraw"), ("declined", "offer-next"), ("not-started", "escalate"), ("nobody-left", "follow-up")]
            )
        ]
        #: What was seen before, to which the next look is compared: rows of steps, and versions of requests that a provider has looked at.
        self.seen_rows: dict[int, str] = {}
        self.looked_at: dict[object, int] = {}
        self.questions: dict[tuple[object, object], tuple[str, Any]] = {}
        self.verbs: dict[str, Callable[[int, int], object]] = {
            "send": self.send, "report": self.report, "take_back": self.take_back, "hold": self.hold, "wait": self.wait, "end": self.end,
            "switch": self.switch, "merge": self.merge, "part": self.part, "send_to_hub": self.send_to_hub, "edit": self.edit,
        }  # fmt: skip

    def go_on(self, by: timedelta) -> None:
        self.at += by
        self.clock.move_to(self.at)

    def act(self, name: str, first: int, second: int) -> None:
        """One attempt of somebody, a minute after the one before."""
        self.go_on(timedelta(minutes=1))
        if name in self.verbs:
            self.verbs[name](first, second)
        elif name in ("move", "ask_next", "ask_also", "close", "leave_out"):
            self.of_a_list(name, first, second)
        elif name in ("extend_hold", "let_go"):
            self.of_a_hold(name, first)
        elif name.startswith("hub_"):
            self.at_the_hub(name.removeprefix("hub_"), first, second)
        elif name in ("ask", "answer", "write"):
            self.of_words(name, first, second)
        else:
            self.step(name, first, second)

    def sender_of(self, referral: Referral):
        return next(team for team in self.teams if team.organization_id == referral.organization_id)

    def task(self, number: int) -> ReferralTask | None:
        tasks = list(ReferralTask.objects.order_by("requested_at", "pk").select_related("referral"))
        return tasks[number % len(tasks)] if tasks else None

    def send(self, which: int, mask: int) -> None:
        person, stay = self.people[which % 4], self.stays[which % 4]
        team = which % 4 // 2
        chosen = [pool.pk for number, pool in enumerate(self.pools) if mask >> number & 1]
        held = [pk for number, pk in enumerate(chosen) if mask >> 4 >> number & 1]
        operations.send(
            patient_id=person.pk, profile_id=self.profiles[team].pk, episode_id=stay.pk, pool_ids=chosen, hold_pool_ids=held,
            by=self.teams[team], at=self.at, consent=True, in_order=bool(which & 4), keep_asked=bool(which & 8),
            wanted=1 + (which >= 10), answer_within=timedelta(hours=1) if which & 1 else None,
        )  # fmt: skip

    def step(self, action: str, which: int, side: int) -> None:
        task = self.task(which)
        if task is not None:
            by = self.answerers[task.pool_id] if side % 4 else self.sender_of(task.referral)
            getattr(operations, action)(task_id=task.pk, by=by, at=self.at, reason=Reason.OTHER, reason_text="Words")

    def of_a_list(self, verb: str, which: int, up: int) -> None:
        """What a sender does with a referral that is under way."""
        referrals = list(Referral.objects.order_by("created_at", "pk"))
        if not referrals:
            return
        referral = referrals[which % len(referrals)]
        team = self.sender_of(referral)
        if verb in ("move", "leave_out"):
            for entry in referral.queue.filter(state="waiting")[:1]:
                how = {"up": bool(up % 2)} if verb == "move" else {}
                getattr(asking, verb)(entry_id=entry.pk, by=team, at=self.at, **how)
        elif verb == "ask_next":
            asking.ask_next(referral_id=referral.pk, by=team, at=self.at)
        elif verb == "ask_also":
            asking.ask_also(referral_id=referral.pk, pool_ids=[self.pools[up % 4].pk], by=team, at=self.at)
        else:
            asking.close(referral_id=referral.pk, reason="Enough", by=team, at=self.at)

    def edit(self, which: int, other: int) -> None:
        """What a referral says is changed: by its sender, and now and then (refused) by the other team."""
        referrals = list(Referral.objects.order_by("created_at", "pk"))
        if not referrals:
            return
        referral = referrals[which % len(referrals)]
        mine = self.sender_of(referral)
        days = (None, 0, 9)[other % 3]
        operations.edit_referral(
            referral_id=referral.pk, at=self.at, why="Canary Featherstonehaugh rang", reason=f"Canary Featherstonehaugh {other % 5}",
            by=mine if other % 16 else next(team for team in self.teams if team != mine), urgency="urgent" if other & 1 else "routine",
            needed_by=None if days is None else local_date(self.at) + timedelta(days=days), unfit=("", "keep", "withdraw")[other // 3 % 3],
            answer_within=timedelta(hours=1) if other & 8 else None,
        )  # fmt: skip

    def of_words(self, verb: str, which: int, side: int) -> None:
        """A question of a service, the answer that a team chooses, or what either writes freely."""
        task = self.task(which)
        if task is None:
            return
        team, answerer = self.sender_of(task.referral), self.answerers[task.pool_id]
        if verb == "ask":
            messages.ask(task_id=task.pk, by=answerer, at=self.at, code="night")
        elif verb == "write":
            messages.write(task_id=task.pk, by=answerer if side % 2 else team, at=self.at, words="Canary Featherstonehaugh")
        else:
            for question in Message.objects.filter(task=task, kind=Message.Kind.QUESTION)[:1]:
                messages.answer(message_id=question.pk, answer="yes", by=team, at=self.at)

    def send_to_hub(self, which: int, urgent: int) -> None:
        person, team = self.people[which % 4], which % 4 // 2
        hubs.send(
            patient_id=person.pk, profile_id=self.profiles[team].pk, hub_id=self.hub.pk, by=self.teams[team], at=self.at, consent=True,
            episode_id=self.stays[which % 4].pk, urgency="urgent" if urgent % 2 else "routine",
        )  # fmt: skip

    def at_the_hub(self, verb: str, which: int, other: int) -> None:
        """A step of a hub or of a sender with one of the entries, by whoever is on the other side as well."""
        entries = list(HubEntry.objects.order_by("queued_at", "pk").select_related("referral"))
        if not entries:
            return
        entry = entries[which % len(entries)]
        theirs = verb in ("answer", "send_again", "withdraw")
        by = self.sender_of(entry.referral) if theirs != (other % 8 == 0) else self.worker
        told: dict[str, object] = {"entry_id": entry.pk, "by": by, "at": self.at}
        if verb == "route":
            hubs.route(run_id=self.run.pk, pool_ids=[pool.pk for n, pool in enumerate(self.pools) if other >> n & 1], **told)
        elif verb == "take_back":
            for task in ReferralTask.objects.filter(referral=entry.referral_id).order_by("pk")[other % 2 :][:1]:
                hubs.take_back(task_id=task.pk, words="Words", **told)
        else:
            more = {"triage": {"urgency": "urgent" if other % 2 else "routine"}, "take": {}}.get(verb, {"words": "Words"})
            getattr(hubs, verb)(**told, **more)

    def merge(self, which: int, other: int) -> None:
        """The two people of a team are found to be one, or (refused) two of different teams."""
        kept, gone = self.people[which % 4], self.people[(which % 4 ^ 1) if other % 8 else (which + 2) % 4]
        merging.merge(kept_id=kept.pk, gone_id=gone.pk, by=self.teams[which % 4 // 2], at=self.at)

    def part(self, which: int, _: int) -> None:
        merges = list(PatientMerge.objects.order_by("merged_at", "pk"))
        if merges:
            merging.undo_merge(merge_id=merges[which % len(merges)].pk, by=self.teams[which % 2], at=self.at)

    def switch(self, which: int, on: int) -> None:
        """An administrator switches a rule on or off."""
        version = self.rules[which % 4]
        if on % 2:
            rules.switch_on(version_id=version.pk, reason="Trial", by=self.administrator, at=self.at)
        else:
            rules.switch_off(rule_id=version.rule_id, reason="Trial", by=self.administrator, at=self.at)

    def report(self, which: int, figure: int) -> None:
        pool = self.pools[which % 4]
        seen = self.at - timedelta(minutes=figure)
        places.report(pool_id=pool.pk, available=figure % 4, by=self.answerers[pool.pk], at=self.at, observed_at=seen)

    def take_back(self, which: int, figure: int) -> None:
        pool = self.pools[which % 4]
        places.report(pool_id=pool.pk, available=figure % 3, by=self.answerers[pool.pk], at=self.at, withdraw_because="A burst pipe")

    def hold(self, which: int, pool: int) -> None:
        team = self.teams[which % 4 // 2]
        operations.hold_place(episode_id=self.stays[which % 4].pk, pool_id=self.pools[pool % 4].pk, by=team, at=self.at)

    def of_a_hold(self, verb: str, which: int) -> None:
        """Extend one of the holds that there have ever been, or let it go."""
        holds = list(Reservation.objects.order_by("created_at", "pk"))
        if holds:
            hold = holds[which % len(holds)]
            team = next(team for team in self.teams if team.organization_id == hold.organization_id)
            getattr(operations, verb)(hold_id=hold.pk, by=team, at=self.at)

    def wait(self, hours: int, _: int) -> None:
        """The clock goes on, and does once what it has to do."""
        self.go_on(timedelta(hours=hours if hours > 20 else hours % 6))
        places.expire_due(at=self.at)
        self.let_the_clock_act()
        before = written()
        assert self.let_the_clock_act() == 0, "what was done is not done again"
        assert written() == before

    def let_the_clock_act(self) -> int:
        return lateness.look(at=self.at) + closing.look(at=self.at) + rules.run(at=self.at)

    def end(self, which: int, _: int) -> None:
        operations.end_episode(episode_id=self.stays[which % 4].pk, by=self.teams[which % 4 // 2], at=self.at)

    def living(self) -> list[Patient]:
        """Everybody on record: who was found to be another has gone."""
        return list(Patient.objects.filter(pk__in=[person.pk for person in self.people]))
