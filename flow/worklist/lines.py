"""Everybody for whom a team waits, and every referral that it sent, as lines of one list.

Somebody who waits is one line with the newest referral of that stay; every other referral is a line of its own, whether it was sent from a
ward, a surgery or by a link worker. The number of statements does not grow with the list.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.models import User
from flow import moves
from flow.hubs.steps import HubState
from flow.models import Episode, HubEntry, Patient, Referral, ReferralTask
from flow.queries import summary_status
from flow.workflow import REFERRER_WORDS, Status

#: Referrals that ended longer ago are found on the person's page.
ENDED_WITHIN = timedelta(days=90)
#: Statuses that end a referral without the person having been helped: somebody must look further while they wait.
_CAME_TO_NOTHING = {Status.REJECTED, Status.CANCELLED, Status.FAILED, Status.ENTERED_IN_ERROR}
_DELAYS = dict(Episode.DelayReason.choices)


class Task(NamedTuple):
    """One service that was asked."""

    id: UUID
    status: str
    respond_by: datetime | None
    service: str


@dataclass(frozen=True, slots=True)
class Line:
    """One person who waits, or one referral. `episode` is None for a referral that ends no wait."""

    key: str
    episode: UUID | None
    patient: UUID
    name: str
    family_name: str
    age: int
    kind: str
    ward: str
    pathway: str
    delay_code: str
    delay: str
    since: datetime
    days: int
    expected_on: date | None
    referral: UUID | None
    status: str
    status_words: str
    tasks: tuple[Task, ...]
    move: str
    is_overdue: bool
    team: UUID | None = None

    @property
    def asked(self) -> int:
        return len(self.tasks)

    @property
    def declined(self) -> int:
        return sum(task.status == Status.REJECTED for task in self.tasks)

    @property
    def services(self) -> list[str]:
        """Whose answer or help this is about: who said yes, or else who may still say so, or else who was asked."""
        yes = [task.service for task in self.tasks if task.status in Status.known_to_provider()]
        asked = [task.service for task in self.tasks if task.status == Status.REQUESTED]
        return yes or asked or [task.service for task in self.tasks]


class Show:
    """Which lines: those that are not over, only people who wait, only referrals, or what has ended."""

    NOW, WAITING, SENT, ENDED = "", "waiting", "sent", "ended"


class Move:
    """Whose move it is."""

    OURS, THEIRS, NOBODY = "ours", "theirs", "nobody"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines. Empty means all; `delay` None means all, and "" those with no delay recorded; `words` are of a name or an NHS number."""

    show: str = Show.NOW
    kind: str = ""
    pathway: str = ""
    delay: str | None = None
    ward: str = ""
    status: str = ""
    move: str = ""
    overdue: bool = False
    days: int = 0
    team: UUID | None = None
    words: str = ""


_WHOSE: dict[str, str] = {
    moves.Mover.REFERRER: Move.OURS,
    moves.Mover.PROVIDER: Move.THEIRS,
    moves.Mover.HUB: Move.THEIRS,
    moves.Mover.NOBODY: Move.NOBODY,
}
#: States in which a hub has it, or waits for us.
_IN_HUB = [*HubState.with_hub(), HubState.ASKED, HubState.RETURNED]
#: A line without a referral, in a filter by status.
NOBODY_ASKED = "none"
NO_STAY = "none"


def lines(user: User, at: datetime, wanted: Wanted | None = None, *, keys: Iterable[str] | None = None) -> list[Line]:
    """The lines that `user` may see and that are wanted, longest wait first. With `keys`, only these."""
    wanted = wanted or Wanted()
    found = _all(user, at, wanted)
    if keys is not None:
        chosen = set(keys)
        found = [line for line in found if line.key in chosen]
    tests = _tests(wanted)
    return [line for line in found if all(test(line) for test in tests)]


def wards(user: User) -> list[str]:
    """The wards on which somebody waits."""
    waiting = Episode.objects.of_ones_own(user).waiting().exclude(ward="")
    return list(waiting.order_by("ward").values_list("ward", flat=True).distinct())


def _all(user: User, at: datetime, wanted: Wanted) -> list[Line]:
    ended = wanted.show == Show.ENDED
    episodes = [] if ended else list(_waiting(user, at, wanted.words))
    referrals = list(_sent(user, at, [episode.pk for episode in episodes], ended=ended, words=wanted.words))
    tasks = _tasks(referrals)
    whose = moves.of_referrals(referrals, at)
    newest: dict[UUID, Referral] = {}
    waiting = {episode.pk for episode in episodes}
    for referral in referrals:  # newest first
        if referral.episode_id in waiting:
            newest.setdefault(referral.episode_id, referral)
    found = [_of_wait(episode, newest.get(episode.pk), tasks, whose, at) for episode in episodes]
    shown = {referral.pk for referral in newest.values()}
    for referral in referrals:
        line = _of_referral(referral, tasks.get(referral.pk, ()), whose[referral.pk], at)
        # What nobody needs to do anything about any more is over, and so is what has been done.
        if referral.pk not in shown and (line.move == Move.NOBODY) is ended:
            found.append(line)
    if wanted.show == Show.WAITING:
        found = [line for line in found if line.key.startswith("e")]
    elif wanted.show == Show.SENT:
        found = [line for line in found if line.referral]
    return sorted(found, key=lambda line: (line.since, line.key))


def _waiting(user: User, at: datetime, words: str) -> QuerySet[Episode]:
    """Of one's own organisation alone: whom another has granted is on its list."""
    episodes = Episode.objects.of_ones_own(user).waiting().filter(ready_at__lte=at)
    return _named(episodes, "patient__", words).select_related("patient").order_by("ready_at", "pk")


def _sent(user: User, at: datetime, episodes: list[UUID], *, ended: bool, words: str) -> QuerySet[Referral]:
    """Referrals that are open or came to nothing without being closed, and those of the stays; or those of which something ended lately."""
    referrals = Referral.objects.visible_to(user).filter(organization=user.organization)
    tasks = ReferralTask.objects.filter(referral=OuterRef("pk"))
    lately = tasks.filter(changed_at__gte=at - ENDED_WITHIN)
    if ended:
        referrals = referrals.filter(Exists(lately))
    else:
        open_tasks = Exists(tasks.filter(status__in=Status.open()))
        in_hub = Exists(HubEntry.objects.filter(referral=OuterRef("pk"), state__in=_IN_HUB))
        refused = Q(Exists(lately.filter(status__in=_CAME_TO_NOTHING)), closed_at=None)
        referrals = referrals.filter(open_tasks | in_hub | refused | Q(episode__in=episodes))
    return _named(referrals, "patient__", words).select_related("patient", "episode").order_by("-created_at", "pk")


def _named(rows: QuerySet, prefix: str, words: str) -> QuerySet:
    """People whose names hold all these words, or who have this NHS number."""
    number = "".join(words.split()).replace("-", "")
    if number.isdigit():
        return rows.filter(**{f"{prefix}nhs_number": number})
    for word in words.split():
        rows = rows.filter(Q(**{f"{prefix}given_name__icontains": word}) | Q(**{f"{prefix}family_name__icontains": word}))
    return rows


def _tasks(referrals: list[Referral]) -> dict[UUID, tuple[Task, ...]]:
    rows = ReferralTask.objects.filter(referral__in=[referral.pk for referral in referrals]).order_by("requested_at", "pk")
    found: dict[UUID, list[Task]] = {}
    for referral, pk, status, respond_by, name in rows.values_list("referral_id", "pk", "status", "respond_by", "pool__service__name"):
        found.setdefault(referral, []).append(Task(pk, status, respond_by, name))
    return {referral: tuple(asked) for referral, asked in found.items()}


def _of_wait(
    episode: Episode, newest: Referral | None, tasks: dict[UUID, tuple[Task, ...]], whose: dict[UUID, moves.Move], at: datetime
) -> Line:
    assert episode.ready_at is not None  # waiting() leaves the others out
    asked = tasks.get(newest.pk, ()) if newest else ()
    about = _about(episode.patient, asked, whose[newest.pk] if newest else None, at)
    if about["move"] == Move.NOBODY:  # while somebody waits, somebody must look further
        about["move"] = Move.OURS
    team = (newest.team_id if newest else None) or episode.team_id
    referral = newest.pk if newest else None
    return Line(key=f"e{episode.pk}", referral=referral, team=team, **about, **_stay(episode), **_since(episode.ready_at, at))


def _of_referral(referral: Referral, asked: tuple[Task, ...], move: moves.Move, at: datetime) -> Line:
    about = _about(referral.patient, asked, move, at)
    stay = _stay(referral.episode)
    return Line(key=f"r{referral.pk}", referral=referral.pk, team=referral.team_id, **about, **stay, **_since(referral.created_at, at))


def _about(patient: Patient, asked: tuple[Task, ...], move: moves.Move | None, at: datetime) -> dict:
    status = summary_status(task.status for task in asked)
    nobody_asked = move.words if move is not None and move.side == moves.Mover.HUB else "Nobody asked yet"
    return {
        "patient": patient.pk,
        "name": patient.full_name,
        "family_name": patient.family_name,
        "age": patient.age_on(at.date()),
        "status": status,
        "status_words": REFERRER_WORDS[status] if status else nobody_asked,
        "tasks": asked,
        "move": _WHOSE[move.side] if move is not None else Move.OURS,
        "is_overdue": move is not None and move.overdue_since is not None,
    }


def _stay(episode: Episode | None) -> dict:
    if episode is None:
        return {"episode": None, "kind": "", "ward": "", "pathway": "", "delay_code": "", "delay": "", "expected_on": None}
    return {
        "episode": episode.pk,
        "kind": episode.kind,
        "ward": episode.ward,
        "pathway": episode.discharge_pathway,
        "delay_code": episode.delay_reason,
        "delay": _DELAYS.get(episode.delay_reason, ""),
        "expected_on": episode.expected_on,
    }


def _since(since: datetime, at: datetime) -> dict:
    return {"since": since, "days": max((at - since).days, 0)}


def _tests(wanted: Wanted) -> list[Callable[[Line], bool]]:
    """What a line must pass, of what was asked."""
    found: list[Callable[[Line], bool]] = []
    if wanted.kind:
        found.append(lambda line: (line.kind or NO_STAY) == wanted.kind)
    if wanted.pathway:
        found.append(lambda line: line.pathway == wanted.pathway)
    if wanted.delay is not None:
        found.append(lambda line: line.episode is not None and line.delay_code == wanted.delay)
    if wanted.ward:
        found.append(lambda line: line.ward.lower() == wanted.ward.lower())
    if wanted.status:
        found.append(lambda line: (line.status or NOBODY_ASKED) == wanted.status)
    if wanted.move:
        found.append(lambda line: line.move == wanted.move)
    if wanted.overdue:
        found.append(lambda line: line.is_overdue)
    if wanted.days:
        found.append(lambda line: line.days >= wanted.days)
    if wanted.team:
        found.append(lambda line: line.team == wanted.team)
    return found
