"""What can be done to many lines: for each kind, whom it refuses and why, what it says beforehand, how it is done and how undone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core.clock import local_date
from core.errors import Conflict, Invalid, LuneError
from flow import operations, workflow
from flow.casework import operations as casework
from flow.hubs import ending
from flow.models import Batch, Episode, Referral, ReferralTask, Team
from flow.people import tell_colleagues
from flow.queries import anonymised
from flow.workflow import REFERRER_WORDS, Side, Status
from flow.worklist import asking_again
from flow.worklist.lines import Line, Task

#: What a colleague reads as the reason of a follow-up that is taken back.
UNDONE = "Made for many people at once, and undone."
NO_STAY = "No stay or wait is recorded: there is nothing to note it on."
#: Why a list in order is closed whose withdrawal was undone.
ASKED_AGAIN = "Asked again: the withdrawal was undone."
#: Nobody plans a move further ahead, or notes one longer past.
FURTHEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Row:
    """One chosen line: of a referrer's list, or one task of a provider. `name` is who it is, to a provider without naming them."""

    key: str
    name: str
    ids: dict[str, str | None]
    line: Line | None = None
    task: ReferralTask | None = field(default=None, compare=False)

    @classmethod
    def of_line(cls, line: Line) -> "Row":
        ids = {"patient": line.patient, "episode": line.episode, "referral": line.referral}
        return cls(line.key, line.name, {name: str(pk) if pk else None for name, pk in ids.items()}, line=line)

    @classmethod
    def of_task(cls, task: ReferralTask) -> "Row":
        told = anonymised(task)
        title = f"{told.sex or 'Person'}, {told.age_band}, near {told.outcode}, for {told.service_name}"
        return cls(str(task.pk), title, {"task": str(task.pk), "referral": str(task.referral_id), "title": title}, task=task)


class Doing:
    """One kind of bulk action. `refuses` and `says` look only; `do` returns what undoing needs, as JSON."""

    for_provider: ClassVar[bool] = False
    can_be_undone: ClassVar[bool] = True

    def __init__(self, by: User, asked: dict[str, Any] | None) -> None:
        """Raises Invalid when something is missing; `field` says what. With None one can only look."""
        self.by = by
        self.asked = {} if asked is None else self.checked(asked)

    def checked(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def refuses(self, row: Row) -> str:
        raise NotImplementedError

    def plans(self, row: Row) -> str:
        """What would happen to the line, before it is said what exactly."""
        return self.says(row)

    def says(self, row: Row) -> str:
        """What is done to the line."""
        raise NotImplementedError

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        raise NotImplementedError

    def undo(self, line: dict[str, Any], at: datetime) -> str:
        """What was undone, in words. Raises LuneError when it cannot be."""
        raise NotImplementedError


class Withdraw(Doing):
    """Take back requests that nobody has answered. A yes is never taken back in bulk."""

    def checked(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"reason": _text(asked, "reason", "Say why in a few words. The services read only that it is withdrawn.")}

    def refuses(self, row: Row) -> str:
        if not row.line or not row.line.tasks:
            return "Nobody has been asked yet."
        if not _requested(row.line):
            return f"No request waits for an answer: this is “{REFERRER_WORDS[row.line.status]}”. Open it to take the next step."
        return ""

    def says(self, row: Row) -> str:
        assert row.line
        return f"Withdrawn from {_joined(task.service for task in _requested(row.line))}."

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        assert row.line
        taken = []
        for task in sorted(_requested(row.line)):
            done = operations.withdraw(task_id=task.id, by=self.by, at=at, reason_text=self.asked["reason"])
            taken.append(
                {"task": str(task.id), "pool": str(done.pool_id), "service": task.service, "held": done.reservation_id is not None}
            )
        return {"tasks": taken}

    def undo(self, line: dict[str, Any], at: datetime) -> str:
        """Ask again whom it was withdrawn from, on the same terms and as far as the places still allow: a new referral, for what was
        withdrawn stays so. A part of a package, a list in order, and what a hub had sent on too, where nothing else has happened since
        (`asking_again`).
        """
        referral = Referral.objects.visible_to(self.by).filter(pk=line["referral"]).first()
        if referral is None:
            raise Conflict("It is not in your list any more.")
        told = asking_again.terms(referral, [UUID(task["task"]) for task in line["kept"]["tasks"]])
        behind, at_hub = told.pop("behind", []), told.pop("at_hub", None)
        yes = referral.tasks.filter(status__in=Status.taken_on()).count()
        asked = {task["pool"]: task for task in line["kept"]["tasks"]}
        left, refused = dict(asked), []
        sent: Referral | None = None
        while left and sent is None:
            try:
                with transaction.atomic():
                    sent = operations.send(
                        patient_id=referral.patient_id, profile_id=referral.profile_id, pool_ids=[*map(UUID, left), *behind], by=self.by,
                        at=at, episode_id=referral.episode_id, urgency=referral.urgency,
                        match_run_id=None if referral.first_profile_id else referral.match_run_id,  # its list was made for another day
                        reason=referral.reason, consent=False,  # what is on record must still hold: nobody is asked now
                        wanted=min(max(1, referral.wanted - yes), len(left)), **told,
                        answer_within=timedelta(minutes=referral.answer_within) if referral.answer_within else None,
                    )  # fmt: skip
                    if at_hub is not None:
                        ending.carry_on(entry_id=at_hub, referral_id=sent.pk, by=self.by, at=at)
            except LuneError as error:
                gone = left.pop(str(error.details.get("pool", "")), None)
                if gone is None:
                    raise
                refused.append(error.message)
        if sent is None:
            raise Conflict(" ".join(refused))
        if referral.in_order:  # the list goes on with the new one
            operations.close(referral_id=referral.pk, reason=ASKED_AGAIN, by=self.by, at=at)
        held = [task["service"] for task in left.values() if task["held"]]
        words = [f"Asked again: {_joined(task['service'] for task in left.values())}.", *refused]
        if held:
            words.append(f"No place is held any more at {_joined(held)}.")
        return " ".join(words)


class _OnStay(Doing):
    """Note something on the stay or wait."""

    column: ClassVar[str]

    def refuses(self, row: Row) -> str:
        return "" if row.line and row.line.episode else NO_STAY

    def value(self) -> Any:
        raise NotImplementedError

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        episode = self._find(row.ids["episode"])
        before = getattr(episode, self.column)
        self._save(episode, self.value(), at)
        return {"before": _plain(before), "after": _plain(self.value())}

    def undo(self, line: dict[str, Any], at: datetime) -> str:
        episode = self._find(line["episode"])
        if _plain(getattr(episode, self.column)) != line["kept"]["after"]:
            raise Conflict("Somebody has changed it since, so it stays as it is now.")
        before = line["kept"]["before"]
        self._save(episode, date.fromisoformat(before) if before and self.column == "expected_on" else before, at)
        return "As it was before."

    def _find(self, pk: str | None) -> Episode:
        episode = Episode.objects.of_ones_own(self.by).filter(pk=pk, ended_at__isnull=True).first() if pk else None
        if episode is None:
            raise Conflict("The stay or wait has ended.")
        return episode

    def _save(self, episode: Episode, value: Any, at: datetime) -> None:
        # What was looked at is what is changed: the version says so.
        operations.edit_episode(episode_id=episode.pk, version=episode.version, by=self.by, at=at, **{self.column: value})


class Delay(_OnStay):
    """Say what they wait for."""

    column = "delay_reason"

    def checked(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("delay") not in Episode.DelayReason.values:
            raise Invalid("Choose what they are waiting for.", field="delay")
        return {"delay": asked["delay"]}

    def value(self) -> str:
        return str(self.asked["delay"])

    def plans(self, row: Row) -> str:
        return f"Now: {row.line.delay if row.line else ''}."

    def says(self, row: Row) -> str:
        return f"{Episode.DelayReason(self.value()).label}. It was: {row.line.delay if row.line else ''}."


class Expected(_OnStay):
    """Say on which day they are expected to move."""

    column = "expected_on"

    def checked(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            day = date.fromisoformat(str(asked.get("expected", "")))
        except ValueError:
            raise Invalid("Enter a real date, such as 27 March 2027.", field="expected") from None
        return {"expected": day.isoformat()}

    def value(self) -> date:
        return date.fromisoformat(self.asked["expected"])

    def plans(self, row: Row) -> str:
        return f"Now: {self._before(row)}."

    def says(self, row: Row) -> str:
        return f"Expected on {_day(self.value())}. It was: {self._before(row)}."

    @staticmethod
    def _before(row: Row) -> str:
        return _day(row.line.expected_on) if row.line and row.line.expected_on else "no date"

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        if not 0 <= (self.value() - local_date(at)).days <= FURTHEST_DAYS:
            raise Conflict("The expected day must be today or later, and within a year.")
        return super().do(row, at)


class Assign(Doing):
    """Give people and their referrals to a team of one's own organisation, or to none."""

    def checked(self, asked: dict[str, Any]) -> dict[str, Any]:
        offered = {str(team.pk): team.name for team in teams_for(self.by)}
        if asked.get("team") and asked["team"] not in offered:
            raise Invalid("Choose a team.", field="team")
        return {"team": asked.get("team") or None, "name": offered.get(asked.get("team", ""), "")}

    def refuses(self, row: Row) -> str:
        return ""

    def plans(self, row: Row) -> str:
        return "It is given to the team that you choose."

    def says(self, row: Row) -> str:
        return f"Given to {self.asked['name']}." if self.asked["team"] else "Of no team."

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        before = {}
        for name, record in self._lock(row.ids).items():
            before[name] = str(record.team_id) if record.team_id else None
            self._save(record, self.asked["team"])
        return {"before": before, "after": self.asked["team"]}

    def undo(self, line: dict[str, Any], at: datetime) -> str:
        records = self._lock(line)
        if any(str(record.team_id or "") != str(line["kept"]["after"] or "") for record in records.values()):
            raise Conflict("Somebody has given it to another team since, so it stays there.")
        for name, record in records.items():
            self._save(record, line["kept"]["before"].get(name))
        return "With the team that it had before."

    def _lock(self, ids: dict[str, Any]) -> dict[str, Episode | Referral]:
        """The referral and the stay, in the order in which everybody locks them."""
        found: dict[str, Episode | Referral] = {}
        for name, model in (("referral", Referral), ("episode", Episode)):
            mine = model.objects.visible_to(self.by).filter(organization=self.by.organization)
            record = mine.select_for_update(of=("self",), no_key=True).filter(pk=ids[name]).first() if ids[name] else None
            if record is not None:
                found[name] = record
        if not found:
            raise Conflict("It is not in your list any more.")
        return found

    def _save(self, record: Episode | Referral, team: str | None) -> None:
        record.team_id = UUID(team) if team else None
        record.save(update_fields=["team"])
        tell_colleagues(record.organization_id)


class FollowUps(Doing):
    """Make a follow-up for each person."""

    def checked(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            day = date.fromisoformat(str(asked.get("due", "")))
        except ValueError:
            raise Invalid("Enter the day by which it is to be done, such as 27 March 2027.", field="due") from None
        return {"words": _text(asked, "words", "Say what is to be done."), "due": day.isoformat()}

    def refuses(self, row: Row) -> str:
        return ""

    def plans(self, row: Row) -> str:
        return "A follow-up is made."

    def says(self, row: Row) -> str:
        return f"To do by {_day(date.fromisoformat(self.asked['due']))}: {self.asked['words']}"

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        assert row.line
        made = casework.follow_up(
            patient_id=row.line.patient, referral_id=row.line.referral, words=self.asked["words"], at=at, by=self.by,
            due_on=date.fromisoformat(self.asked["due"]),
        )  # fmt: skip
        return {"follow_up": str(made.pk)}

    def undo(self, line: dict[str, Any], at: datetime) -> str:
        casework.cancel(follow_up_id=UUID(line["kept"]["follow_up"]), reason=UNDONE, by=self.by, at=at)
        return "The follow-up is taken back."


class _ProviderStep(Doing):
    """A step that a provider has taken with many people, such as those of one session. There is no way back from it."""

    for_provider = True
    can_be_undone = False
    action: ClassVar[str]
    verb: ClassVar[Callable[..., ReferralTask]]

    def refuses(self, row: Row) -> str:
        assert row.task
        if self.action in {step.action for step in workflow.steps_open_to(status=row.task.status, side=Side.PROVIDER)}:
            return ""
        return f"This is “{Status(row.task.status).label}” now."

    def says(self, row: Row) -> str:
        return f"The team is told: “{workflow.BY_ACTION[self.action].label}”."

    def do(self, row: Row, at: datetime) -> dict[str, Any]:
        assert row.task
        type(self).verb(task_id=row.task.pk, by=self.by, at=at, expected_version=row.task.version)
        return {}


class Start(_ProviderStep):
    action = workflow.Action.START
    verb = staticmethod(operations.start)


class Complete(_ProviderStep):
    action = workflow.Action.COMPLETE
    verb = staticmethod(operations.complete)


BY_ACTION: dict[str, type[Doing]] = {
    Batch.Action.WITHDRAW: Withdraw,
    Batch.Action.DELAY: Delay,
    Batch.Action.EXPECTED: Expected,
    Batch.Action.ASSIGN: Assign,
    Batch.Action.FOLLOW_UP: FollowUps,
    Batch.Action.START: Start,
    Batch.Action.COMPLETE: Complete,
}


def teams_for(user: User) -> list[Team]:
    """The teams to which somebody may give a person: those whose records they see themselves, so that it can be undone."""
    return list(Team.objects.visible_to(user).filter(organization=user.organization).exclude(pk__in=Team.objects.hidden_from(user)))


def _requested(line: Line) -> list[Task]:
    return [task for task in line.tasks if task.status == Status.REQUESTED]


def _text(asked: dict[str, Any], name: str, wanted: str) -> str:
    text = str(asked.get(name, "")).strip()
    if not text:
        raise Invalid(wanted, field=name)
    if len(text) > 300:
        raise Invalid("Shorten this to 300 letters or fewer.", field=name)
    return text


def _joined(names: Any) -> str:
    *most, last = list(names)
    return f"{', '.join(most)} and {last}" if most else last


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _day(value: date) -> str:
    return f"{value:%-d %B %Y}"
