"""Which event concerns whom. Reads rows of the journal and says whom each is told to; it writes nothing.

Who is told is who may look: whoever cannot see the referral behind an event hears nothing of it, and nobody is told of their own doing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from catalogue.models import User
from flow.models import Referral, ReferralTask, Team, Transition
from flow.moves import taken_by_provider
from flow.workflow import Side, Status
from notifications.notices import preferences
from notifications.notices.kinds import BY_CODE, Kind
from notifications.notices.preferences import Preferences

Role = User.Role


@dataclass(frozen=True, slots=True)
class Happened:
    """A row of the journal, as far as it is read here."""

    id: int
    type: str
    audience: tuple[UUID, ...]
    data: dict[str, Any]
    at: datetime

    def ids(self, name: str) -> list[UUID]:
        """The ids that stand under a name of the data; what is none is left out."""
        found = self.data.get(name)
        return [one for one in map(_uuid, found if isinstance(found, list) else [found]) if one is not None]

    def id_of(self, name: str) -> UUID | None:
        return next(iter(self.ids(name)), None)


@dataclass(frozen=True, slots=True)
class Telling:
    """One event for one person."""

    event: Happened
    kind: Kind
    user: User
    urgent: bool


#: Events that concern referrals by a task or a referral; of `referral.changed` the status says what it is.
OF_REFERRALS = {
    "referral.changed": "", "referral.overdue": "referral-overdue", "referral.escalated": "referral-escalated", "message.new": "message",
    "reply.not-delivered": "not-reached", "consent.withdrawn": "consent-withdrawn", "hub.taken-back": "referral-moved",
    "referral.edited": "referral-edited",
}  # fmt: skip
#: Others: what they are, and the roles among the organisations that may learn of it; `to` in the data names single people instead.
OTHERS: dict[str, tuple[str, frozenset[str]]] = {
    "followup.due": ("follow-up", frozenset()),
    "followup.assigned": ("follow-up", frozenset()),
    "document.held": ("document", frozenset()),
    "hub.queued": ("hub", frozenset({Role.PROVIDER, Role.REFERRER})),
    "hub.assigned": ("hub", frozenset({Role.PROVIDER, Role.REFERRER})),
    "breakglass.opened": ("break-glass", frozenset()),
    "grant.closed": ("grant", frozenset({Role.PROVIDER, Role.REFERRER})),
    "session.missed": ("session", frozenset({Role.PROVIDER, Role.REFERRER})),
    "session.called-off": ("session-off", frozenset({Role.REFERRER})),
    "self-referral.changed": ("request", frozenset({Role.PROVIDER})),
}
#: What the journal is read for. Nothing else, and capacity least of all, is looked at.
TYPES = frozenset({*OF_REFERRALS, *OTHERS})
#: What is sent to organisations' systems when they ask for it.
FOR_SYSTEMS = tuple(sorted(TYPES - {"breakglass.opened"}))

_MOVED = frozenset({Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED, Status.FAILED})


def hear(events: Sequence[Happened]) -> tuple[list[Telling], dict[UUID, Preferences]]:
    """Whom these events are told to, and what those people chose."""
    return _Hearing(events).told()


@dataclass
class _Hearing:
    events: Sequence[Happened]
    users: dict[UUID, User] = field(default_factory=dict)
    of_organization: dict[UUID, list[User]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[tuple[str, UUID | None, frozenset[UUID]], set[UUID]] = field(default_factory=dict)
    chosen: dict[UUID, Preferences] = field(default_factory=dict)

    def __post_init__(self) -> None:
        about = [event for event in self.events if event.type in OF_REFERRALS]
        tasks = ReferralTask.objects.select_related("referral")
        self.tasks = tasks.in_bulk([pk for event in about for pk in event.ids("task")])
        known = {task.referral_id: task.referral for task in self.tasks.values()}
        named = {pk for event in about for pk in event.ids("referral")} - known.keys()
        self.referrals: dict[UUID, Referral] = {**known, **Referral.objects.in_bulk(list(named))}
        teams = {referral.team_id for referral in self.referrals.values() if referral.team_id}
        self.in_teams = set(Team.members.through.objects.filter(team__in=teams).values_list("team_id", "user_id")) if teams else set()
        self.managers = dict(Team.objects.filter(pk__in=teams).values_list("pk", "manager_id")) if teams else {}
        self.given_up = _given_up(event for event in about if event.data.get("status") == Status.CANCELLED)
        organizations = {pk for event in self.events for pk in event.audience}
        people = {pk for event in self.events for pk in event.ids("to")}
        everybody = User.objects.filter(is_active=True)
        for user in everybody.filter(organization__in=organizations) | everybody.filter(pk__in=people):
            self.users[user.pk] = user
            if user.organization_id:
                self.of_organization[user.organization_id].append(user)
        # A record that was opened in an emergency is looked at by somebody, also where nobody manages.
        self.administrators = (
            list(everybody.filter(role=Role.ADMINISTRATOR)) if any(event.type == "breakglass.opened" for event in self.events) else []
        )
        self.users.update({user.pk: user for user in self.administrators})
        self.chosen = preferences.of_users(self.users.values())
        self.teams_of: dict[UUID, set[UUID]] = defaultdict(set)
        if about:
            for user_id, team_id in Team.members.through.objects.filter(user__in=self.users).values_list("user_id", "team_id"):
                self.teams_of[user_id].add(team_id)

    def told(self) -> tuple[list[Telling], dict[UUID, Preferences]]:
        found: dict[tuple[UUID, int, str], Telling] = {}
        for event in self.events:
            by = event.id_of("by")
            for code, user, urgent in self._concerned(event):
                kind = BY_CODE[code]
                if user.pk != by and user.role in kind.roles:
                    found.setdefault((user.pk, event.id, code), Telling(event, kind, user, urgent))
        return list(found.values()), self.chosen

    def _concerned(self, event: Happened) -> Iterable[tuple[str, User, bool]]:
        if event.type in OTHERS:
            code, roles = OTHERS[event.type]
            named = [self.users[pk] for pk in event.ids("to") if pk in self.users]
            among = [user for pk in event.audience for user in self.of_organization[pk] if user.role in roles]
            # Who is named but works elsewhere by now is not told.
            named = [user for user in named if not event.audience or user.organization_id in event.audience or user.is_administrator]
            wanted = named if "to" in event.data else among
            # Each of the two organisations hears: where nobody of one is named, the administrators do in its place.
            if code == "break-glass" and (not named or set(event.audience) - {user.organization_id for user in named}):
                wanted = [*named, *self.administrators]
            return [(code, user, BY_CODE[code].urgent) for user in wanted]
        task = self.tasks.get(event.id_of("task") or UUID(int=0))
        referral = task.referral if task else self.referrals.get(event.id_of("referral") or UUID(int=0))
        if referral is None:
            return []
        code = OF_REFERRALS[event.type]
        if "to" in event.data:
            named = [self.users[pk] for pk in event.ids("to") if pk in self.users]
            return [
                (code or "referral-moved", user, BY_CODE[code].urgent if code else False) for user in named if self._sees(user, referral)
            ]
        if event.type == "referral.changed":
            return self._changed(event, task, referral)
        provider = self._providers(task, referral) if task else []
        senders = self._senders(referral)
        match event.type:
            case "referral.escalated":
                return [(code, user, True) for user in self._above(task, referral, event)]
            case "message.new":  # `side` wrote it
                return [(code, user, False) for user in (senders if event.data.get("side") == Side.PROVIDER else provider)]
            case "referral.edited":  # one event for each side
                return [(code, user, False) for user in (provider if task else senders)]
            case "reply.not-delivered" | "hub.taken-back":
                return [(code, user, False) for user in senders]
        if event.data.get("reminder"):  # to whose move it is
            return [(code, user, False) for user in (provider or senders)]
        return [(code, user, BY_CODE[code].urgent) for user in (*provider, *senders)]

    def _changed(self, event: Happened, task: ReferralTask | None, referral: Referral) -> Iterable[tuple[str, User, bool]]:
        """A step of the table: whoever did not take it is told."""
        if task is None or referral.source == Referral.Source.SELF:
            return []
        urgent = referral.urgency == Referral.Urgency.URGENT
        match event.data.get("status"):
            case Status.REQUESTED:
                return [("referral-new", user, urgent) for user in self._providers(task, referral)]
            case Status.ACCEPTED | Status.REJECTED:
                return [("referral-answered", user, urgent) for user in self._senders(referral)]
            case Status.CANCELLED | Status.ENTERED_IN_ERROR:
                if task.pk in self.given_up:
                    return [("referral-answered", user, urgent) for user in self._senders(referral)]
                return [("referral-withdrawn", user, False) for user in self._providers(task, referral)]
            case status if status in _MOVED:
                return [("referral-moved", user, False) for user in self._senders(referral)]
        return []

    def _providers(self, task: ReferralTask, referral: Referral) -> list[User]:
        everybody = self.of_organization[task.provider_id]
        return [user for user in everybody if user.role == Role.PROVIDER and self._sees(user, referral)]

    def _senders(self, referral: Referral) -> list[User]:
        """Whoever sent it, and who wants to hear of everybody's. When the sender is gone: their team, or where there is none, all."""
        ours = [user for user in self.of_organization[referral.organization_id] if user.role == Role.REFERRER]
        nearest = [user for user in ours if user.pk == referral.created_by_id and self._sees(user, referral)] or self._team(referral)
        wide = [user for user in ours if user not in nearest and self.chosen[user.pk].whole_organization]
        return nearest + [user for user in wide if self._sees(user, referral)]

    def _above(self, task: ReferralTask | None, referral: Referral, event: Happened) -> list[User]:
        """First all of the team that is late, and of the sender's; then the managers of both. Where nobody manages, the team once more."""
        late_is_sender = task is None or event.data.get("side") == Side.REFERRER
        team = self._team(referral) if late_is_sender or task is None else [*self._providers(task, referral), *self._team(referral)]
        if event.data.get("level") == "team":
            return team
        late = self.of_organization[referral.organization_id if late_is_sender or task is None else task.provider_id]
        ours = self.managers.get(referral.team_id) if referral.team_id else None
        managers = [user for user in self.of_organization[referral.organization_id] if user.pk == ours]
        if not (managers and late_is_sender):
            managers += [user for user in late if user.role == Role.MANAGER]
        return managers or team

    def _team(self, referral: Referral) -> list[User]:
        """The sender's team; where a referral belongs to none, whoever refers there."""
        ours = [
            user for user in self.of_organization[referral.organization_id] if user.role == Role.REFERRER and self._sees(user, referral)
        ]
        return [user for user in ours if not referral.team_id or (referral.team_id, user.pk) in self.in_teams] or ours

    def _sees(self, user: User, referral: Referral) -> bool:
        """Whether the referral, or a request of it, is before this person's eyes.

        Asked once for all who do the same work for the same organisation in the same teams: `visible_to` knows nothing else of anybody.
        """
        alike = (user.role, user.organization_id, frozenset(self.teams_of[user.pk]))
        if alike not in self.seen:
            # Who refers knows referrals, who provides the requests of them: to write down the other question would take as long again.
            if user.role == Role.REFERRER:
                sent = Referral.objects.visible_to(user).filter(pk__in=self.referrals).order_by()
                self.seen[alike] = set(sent.values_list("pk", flat=True))
            else:
                asked = ReferralTask.objects.visible_to(user).filter(referral__in=self.referrals).order_by()
                self.seen[alike] = set(asked.values_list("referral_id", flat=True))
        return referral.pk in self.seen[alike]


def _given_up(events: Iterable[Happened]) -> set[UUID]:
    """The requests that their provider took back, and neither its sender, a hub nor Lune."""
    tasks = [pk for event in events for pk in event.ids("task")]
    taken = Transition.objects.filter(taken_by_provider(), task__in=tasks, to_status=Status.CANCELLED)
    return set(taken.values_list("task_id", flat=True)) if tasks else set()


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
