"""What holds for each person: what they chose, or their organisation, or what suits their role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from catalogue.models import User
from core.quiet import after_quiet
from notifications.models import OrganizationChoices, PersonChoices
from notifications.models.settings import Choices
from notifications.notices import timing
from notifications.notices.kinds import SITE_ALONE, Choice, Kind, When

#: Where nobody chose.
QUIET_FROM, QUIET_UNTIL, DAILY_HOUR = time(21), time(7), 8


@dataclass(frozen=True, slots=True)
class Preferences:
    """One person's, resolved. An address that is not to be used is empty."""

    role: str
    layers: tuple[Mapping[str, Any], ...]
    quiet_from: time | None
    quiet_until: time | None
    urgent_passes: bool
    daily_hour: int
    whole_organization: bool
    email: str
    mobile: str

    def of(self, kind: Kind) -> Choice:
        """By which routes this person is told that."""
        for layer in self.layers:
            if kind.code in layer:
                return read(layer[kind.code])
        return kind.roles.get(self.role) or next(iter(kind.roles.values()), SITE_ALONE)

    def due(self, when: When, *, at: datetime, urgent: bool) -> datetime:
        """When a message goes out to this person."""
        moment = timing.due(when, at=at, daily_hour=self.daily_hour)
        if urgent and self.urgent_passes:
            return moment
        return after_quiet(moment, begins=self.quiet_from, ends=self.quiet_until)


def read(stored: Mapping[str, Any]) -> Choice:
    """A choice as it was stored."""
    return Choice(bool(stored["app"]), When(stored["email"]), When(stored["sms"]))


def of_users(users: Iterable[User]) -> dict[UUID, Preferences]:
    """Everybody's, with two statements."""
    everybody = list(users)
    own = PersonChoices.objects.in_bulk([user.pk for user in everybody])
    theirs = OrganizationChoices.objects.in_bulk(list({user.organization_id for user in everybody if user.organization_id}))
    return {user.pk: _resolved(user, own.get(user.pk), theirs.get(user.organization_id)) for user in everybody}


def of_user(user: User) -> Preferences:
    return of_users([user])[user.pk]


def _resolved(user: User, own: PersonChoices | None, theirs: OrganizationChoices | None) -> Preferences:
    chosen: list[Choices] = [layer for layer in (own, theirs) if layer is not None and layer.changed_at is not None]
    first = chosen[0] if chosen else None
    return Preferences(
        role=user.role,
        layers=tuple(layer.choices for layer in chosen),
        quiet_from=first.quiet_from if first else QUIET_FROM,
        quiet_until=first.quiet_until if first else QUIET_UNTIL,
        urgent_passes=first.urgent_passes if first else False,
        daily_hour=first.daily_hour if first else DAILY_HOUR,
        whole_organization=bool(own and own.changed_at and own.whole_organization),
        email="" if own and own.email_stopped_at else user.email,
        mobile=own.mobile if own and own.mobile_confirmed_at and not own.sms_stopped_at else "",
    )


def of_organization(manager: User) -> Preferences:
    """What holds for everybody in a manager's organisation who has chosen nothing; where nothing was chosen for all, what suits most."""
    theirs = OrganizationChoices.objects.visible_to(manager).first()
    return _resolved(manager, None, theirs)
