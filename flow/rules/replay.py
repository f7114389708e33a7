"""What rules would have done: what happened in order, and with it only what would have followed from their deeds with certainty.

Who was reminded or told is taken to have done what they did. What takes back, asks or hands on changes what came later: a request taken
back gets no reminder and no answer any more, others go on as it is written as long as their own side alone moved them. As soon as somebody
would have been asked who was not, or would have stood before something else than they did, the story ends: what they would have done is
not known, and nothing is guessed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, prefetch_related_objects

from flow.deadlines import respond_by
from flow.models import QueuedAsk, Referral, ReferralTask, RuleDeed, RuleVersion, Transition
from flow.moves import taken_by_provider
from flow.rules import occasions, words
from flow.rules.occasions import LOOKS_BACK, Occasion, moment
from flow.workflow import Action as Step
from flow.workflow import Status

Action, Trigger = RuleVersion.Action, RuleVersion.Trigger
#: What changes what comes later. The rest tells somebody, or makes a note.
CHANGES = frozenset({Action.WITHDRAW, Action.OFFER_NEXT, Action.ROUTE})
_OF_STANDING = frozenset({Trigger.NOBODY_LEFT, Trigger.DECLINED})


@dataclass(frozen=True, slots=True)
class Would:
    """One thing that a rule would have done. `reference` tells apart referrals without naming anybody; `by` names another rule than the
    one that is tried.
    """

    at: datetime
    reference: str
    words: str
    key: str = ""
    by: str = ""


@dataclass(slots=True)
class Story:
    """One referral, as it would have gone: what rules would have done in order, and from when on, and why, it is not known."""

    reference: str
    steps: list[Would] = field(default_factory=list)
    unknown_from: datetime | None = None
    because: str = ""
    #: Of what the tried rule waits for: what would not have come about, and what may have or not.
    spared: int = 0
    unknown: int = 0

    @property
    def acts(self) -> list[Would]:
        return [step for step in self.steps if not step.by]

    @property
    def newest(self) -> datetime:
        """By which stories are put in order."""
        return max([step.at for step in self.acts] or [self.unknown_from or self.steps[-1].at])


@dataclass(frozen=True, slots=True)
class Trial:
    """What a version would have done, newest first."""

    stories: list[Story]

    @property
    def acts(self) -> list[Would]:
        """Each thing that it would certainly have done."""
        return sorted((act for story in self.stories for act in story.acts), key=lambda act: (act.at, act.key), reverse=True)

    @property
    def spared(self) -> int:
        return sum(story.spared for story in self.stories)

    @property
    def unknown(self) -> int:
        return sum(story.unknown for story in self.stories)

    @property
    def ends(self) -> int:
        """Of how many referrals the rest is not known."""
        return sum(story.unknown_from is not None for story in self.stories)


def replay(version: RuleVersion, others: Sequence[RuleVersion], *, at: datetime) -> Trial:
    """Play the last 30 days through with a version, and with what the `others` would have changed meanwhile."""
    playing = [version, *(other for other in others if other.action in CHANGES)]
    due: dict[UUID, list[_Due]] = defaultdict(list)
    for each in playing:
        for occasion in occasions.find(each, after=at - LOOKS_BACK, until=at):
            due[occasion.referral_id].append(_Due(occasion.since + timedelta(minutes=each.after_minutes), each, occasion))
    past = _Past(playing, due, at)
    stories = [_Replay(version, referral, past).play(due[referral.pk]) for referral in past.referrals]
    told = [story for story in stories if story.acts or story.spared or story.unknown]
    return Trial(sorted(told, key=lambda story: (story.newest, story.reference), reverse=True))


@dataclass(frozen=True, slots=True)
class _Due:
    at: datetime
    version: RuleVersion
    occasion: Occasion


class _Past:
    """What is written of the referrals that are played through, read at once."""

    def __init__(self, playing: Sequence[RuleVersion], due: Mapping[UUID, Sequence[_Due]], at: datetime) -> None:
        self.referrals = list(Referral.objects.filter(pk__in=due).select_related("episode", "pathway_version").order_by("pk"))
        changed = [each for each in self.referrals if any(one.version.action in CHANGES for one in due[each.pk])]
        prefetch_related_objects(changed, "tasks", "queue")
        self.changed = {each.pk for each in changed}
        self.steps: dict[UUID, list[Transition]] = defaultdict(list)
        own = ExpressionWrapper(taken_by_provider(), output_field=BooleanField())
        taken = Transition.objects.filter(task__referral__in=self.changed, at__lte=at).annotate(own=own)
        for step in taken.select_related("task__pool__service").order_by("at", "id"):
            self.steps[step.task.referral_id].append(step)
        self.done: dict[tuple[UUID, str], RuleDeed] = {}
        #: What rules did that are not played: an earlier version, or one that is off now. It would not have come about.
        self.not_played: dict[UUID, list[RuleDeed]] = defaultdict(list)
        deeds = RuleDeed.objects.filter(referral__in=due, at__gt=at - LOOKS_BACK, at__lte=at).select_related("version")
        for deed in deeds.order_by("at", "id"):
            if deed.version in playing:
                self.done[deed.version_id, deed.key] = deed
            elif deed.outcome == RuleDeed.Outcome.DONE and deed.version.action in CHANGES:
                self.not_played[deed.referral_id].append(deed)
        #: Those that act in the minute in which nobody is left, with the requests that they are for.
        self.at_once = [
            (each, set(occasions.on_whom(each, ReferralTask.objects.filter(referral__in=self.changed)).values_list("pk", flat=True)))
            for each in sorted(playing, key=lambda each: each.rule_id)
            if each.trigger in _OF_STANDING and not each.after_minutes and self.changed
        ]


class _Replay:
    """One referral, played through once."""

    def __init__(self, tried: RuleVersion, referral: Referral, past: _Past) -> None:
        self.tried, self.referral, self.past = tried, referral, past
        self.story = Story(words.reference(referral.pk))
        self.tasks = {task.pk: task for task in referral.tasks.all()} if referral.pk in past.changed else {}
        stepped = {step.task_id for step in past.steps[referral.pk]}
        #: How each request stands, as far as it was played.
        self.stood = {pk: task.status for pk, task in self.tasks.items() if pk not in stepped}
        self.taken_back: set[UUID] = set()
        self.acted: set[tuple[UUID, str]] = set()

    def play(self, due: Sequence[_Due]) -> Story:
        """At one moment what is written comes first, then the rules in the order in which the clock carries them out."""
        events: list[tuple[datetime, int, UUID | int, str, Transition | RuleDeed | _Due]] = [
            *((step.at, 0, step.pk, "", step) for step in self.past.steps[self.referral.pk]),
            *((deed.at, 1, deed.pk, "", deed) for deed in self.past.not_played[self.referral.pk]),
            *((one.at, 2, one.version.rule_id, one.occasion.key, one) for one in due),
        ]
        for *_, event in sorted(events, key=lambda event: event[:4]):
            if isinstance(event, Transition):
                self._step(event)
            elif isinstance(event, RuleDeed):
                self._stop(event.at, "another version of a rule, or one that is off now, moved it on there")
            else:
                self._come(event)
        return self.story

    def _step(self, step: Transition) -> None:
        """What is written goes on to hold only as far as nothing else than what is played led to it."""
        if step.task_id in self.taken_back:
            if step.action != Step.WITHDRAW:
                self._stop(step.at, "a service that was no longer asked answered there")
            return
        self.stood[step.task_id] = step.to_status
        if not self.taken_back or self.story.unknown_from is not None:
            return
        if not step.own:  # type: ignore[attr-defined]  # annotated above
            self._stop(step.at, "the sender, or Lune, moved it on there by how it stood")
        elif self._lacks(step.at):
            said = f"{step.task.pool.service.name} said no at {moment(step.at)}" if step.action == Step.DECLINE else ""
            self._nobody(step.at, step, said)

    def _come(self, due: _Due) -> None:
        if (due.version.pk, due.occasion.key) in self.acted:
            return
        tried = due.version == self.tried
        if due.occasion.task_id in self.taken_back:
            self.story.spared += tried
        elif self.story.unknown_from is not None:
            self.story.unknown += tried
        else:
            self._act(due.version, due.occasion, due.at)

    def _act(self, version: RuleVersion, occasion: Occasion, at: datetime) -> None:
        self.acted.add((version.pk, occasion.key))
        # What the same version did in truth, on the same occasion, led to what is written.
        really = None if self.taken_back else self.past.done.get((version.pk, occasion.key))
        if really is not None and really.outcome == RuleDeed.Outcome.REFUSED:
            self._tell(version, occasion, at, "but it could not be done then")
        elif really is not None or version.action not in CHANGES:
            self._tell(version, occasion, at)
        elif version.action == Action.WITHDRAW:
            self._take_back(version, occasion, at)
        elif self._over(at) or self._missing_yes() <= 0:
            self._tell(version, occasion, at, "but nobody else was needed any more")
        elif version.action == Action.ROUTE:
            self._tell(version, occasion, at)
            self._stop(at, "what the hub would have done with it")
        elif self.referral.match_run_id is None and not self._waiting(at):
            self._tell(version, occasion, at, "but nobody was left on its list")
        else:
            self._tell(version, occasion, at, self._until(at))
            self._stop(at, "what the service that is asked next would have said")

    def _take_back(self, version: RuleVersion, occasion: Occasion, at: datetime) -> None:
        assert occasion.task_id is not None  # only rules about requests take back
        self.taken_back.add(occasion.task_id)
        self.stood[occasion.task_id] = Status.CANCELLED
        asked = sum(self.stood[pk] == Status.REQUESTED and not self._late(pk, at) for pk in self.stood)
        if self._missing_yes() > asked and self._waiting(at):
            self._tell(version, occasion, at, f"and the next service of its list asked, {self._until(at)}")
            self._stop(at, "what the service that is asked next would have said")
            return
        self._tell(version, occasion, at)
        if self._lacks(at):
            self._nobody(at)

    def _nobody(self, at: datetime, step: Transition | None = None, said: str = "") -> None:
        """Nobody is asked any more, as nobody was then: the rules that act at once do so, and then it is the sender's move."""
        for version, fits in self.past.at_once:
            if version.trigger == Trigger.NOBODY_LEFT and not self._waiting(at) and fits & self.stood.keys():
                key, text, task_id = f"left {self.referral.pk} {at.isoformat()}", f"nobody was left at {moment(at)}", None
            elif version.trigger == Trigger.DECLINED and step is not None and said and step.task_id in fits:
                key, text, task_id = f"no {step.pk}", said, step.task_id
            else:
                continue
            if self.story.unknown_from is None:
                self._act(version, Occasion(key, self.referral.pk, task_id, at, text), at)
        self._stop(at, "nobody would have been asked any more, and what the sender would have done about it")

    def _stop(self, at: datetime, because: str) -> None:
        if self.story.unknown_from is None:
            self.story.unknown_from, self.story.because = at, because

    def _tell(self, version: RuleVersion, occasion: Occasion, at: datetime, more: str = "") -> None:
        text = f"{words.since(version, occasion.words)}, {words.WOULD[Action(version.action)]}{f', {more}' if more else ''}."
        by = "" if version == self.tried else self._named(version)
        self.story.steps.append(Would(at, self.story.reference, text, occasion.key, by))

    def _named(self, other: RuleVersion) -> str:
        """Another rule by its name, where whoever sets the tried one sees it."""
        shared = other.rule.organization_id in (None, self.tried.rule.organization_id)
        return f"the rule “{other.rule.name}”" if shared else "a rule of the organisation that sent it"

    def _until(self, at: datetime) -> str:
        return f"to answer by {moment(respond_by(self.referral, at))}, if it had room"

    def _late(self, task_id: UUID, at: datetime) -> bool:
        until = self.tasks[task_id].respond_by
        return until is not None and until < at

    def _missing_yes(self) -> int:
        return self.referral.wanted - sum(status in Status.taken_on() for status in self.stood.values())

    def _lacks(self, at: datetime) -> bool:
        return not self._over(at) and Status.REQUESTED not in self.stood.values() and self._missing_yes() > 0

    def _over(self, at: datetime) -> bool:
        ended = self.referral.episode.ended_at if self.referral.episode else None
        return any(over is not None and over <= at for over in (self.referral.closed_at, ended))

    def _waiting(self, at: datetime) -> list[QueuedAsk]:
        """Who stood on the list then."""
        queue = self.referral.queue.all() if self.referral.in_order else ()
        return [entry for entry in queue if entry.decided_at is None or entry.decided_at > at]
