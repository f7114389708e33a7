"""The kinds of thing that people are told, in their words, and what suits each role until somebody chooses otherwise.

`outside` and `several` go into e-mails and text messages, which others may read: they name no person, no service and no organisation. A
service's name can tell what somebody has (“HIV clinic”), and a mailbox is read on a bus.
"""

from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import TextChoices

from catalogue.models import User

Role = User.Role


class When(TextChoices):
    """When a message goes out after something has happened."""

    OFF = "off", "Never"
    NOW = "now", "At once"
    HOURLY = "hourly", "Every hour, together"
    DAILY = "daily", "Once a day, together"


class Choice(NamedTuple):
    """For one kind: whether it stands on the site, and when a message goes by each route."""

    app: bool
    email: When
    sms: When = When.OFF

    def as_json(self) -> dict[str, bool | str]:
        return {"app": self.app, "email": str(self.email), "sms": str(self.sms)}


NOW, HOURLY, DAILY = (Choice(True, when) for when in (When.NOW, When.HOURLY, When.DAILY))
SITE_ALONE = Choice(True, When.OFF)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `urgent` may pass quiet hours; `roles` are those who can be told it, each with what holds until they choose."""

    code: str
    label: str
    inside: str
    outside: str
    several: str
    roles: dict[str, Choice]
    urgent: bool = False


KINDS: tuple[Kind, ...] = (
    Kind(
        "referral-new", "Somebody is referred to us", "New referral for {service}",
        "A new referral waits for your answer.", "{count} new referrals wait for your answer.",
        {Role.PROVIDER: NOW},
    ),
    Kind(
        "referral-answered", "A service answers", "{service} {answered}",
        "A service has answered a referral.", "{count} referrals have been answered.",
        {Role.REFERRER: NOW},
    ),
    Kind(
        "referral-moved", "A referral moves on after that", "{service}: {status}",
        "A referral has moved on.", "{count} referrals have moved on.",
        {Role.REFERRER: DAILY},
    ),
    Kind(
        "referral-withdrawn", "A referral to us is taken back", "Taken back: a referral for {service}",
        "A referral to you was taken back.", "{count} referrals to you were taken back.",
        {Role.PROVIDER: DAILY},
    ),
    Kind(
        "referral-edited", "A referral is changed after it was sent", "Changed by its sender: a referral for {service}",
        "A referral was changed after it was sent.", "{count} referrals were changed after they were sent.",
        {Role.PROVIDER: NOW, Role.REFERRER: DAILY},
    ),
    Kind(
        "consent-withdrawn", "A person takes back their agreement", "{service}: the person no longer agrees. Look before you go on",
        "Look at a referral before you go on with it.", "Look at {count} referrals before you go on with them.",
        {Role.PROVIDER: NOW, Role.REFERRER: NOW},
    ),
    Kind(
        "referral-overdue", "An answer or a next step is late", "Late: a referral to {service} waits for its next step",
        "A referral is past the time by which its next step was due.", "{count} referrals are past the time of their next step.",
        {Role.PROVIDER: NOW, Role.REFERRER: HOURLY}, urgent=True,
    ),
    Kind(
        "referral-escalated", "It is still late, and is passed up", "Still late: a referral to {service}. It was passed up to you",
        "A referral is still late and was passed up to you.", "{count} referrals are still late and were passed up to you.",
        {Role.MANAGER: NOW, Role.PROVIDER: NOW, Role.REFERRER: NOW}, urgent=True,
    ),
    Kind(
        "not-reached", "A service could not be written to", "Our message to {service} did not arrive. Ring them, or ask another service",
        "A message about a referral of yours did not arrive.", "{count} messages about referrals of yours did not arrive.",
        {Role.REFERRER: NOW},
    ),
    Kind(
        "message", "Somebody writes about a referral", "New message about a referral to {service}",
        "There is a new message for you.", "There are {count} new messages for you.",
        {Role.PROVIDER: NOW, Role.REFERRER: NOW},
    ),
    Kind(
        "follow-up", "Something for you to do", "A follow-up is yours to do",
        "There is something for you to do.", "There are {count} things for you to do.",
        {Role.PROVIDER: NOW, Role.REFERRER: NOW, Role.MANAGER: DAILY},
    ),
    Kind(
        "document", "A document is held or let through", "A document is being checked before anybody can open it",
        "There is news of a document that you sent.", "There is news of {count} documents that you sent.",
        {Role.PROVIDER: SITE_ALONE, Role.REFERRER: SITE_ALONE},
    ),
    Kind(
        "hub", "A referral waits in your team’s queue", "A referral waits in your team’s queue",
        "A referral waits in your team’s queue.", "{count} referrals wait in your team’s queue.",
        {Role.PROVIDER: HOURLY, Role.REFERRER: HOURLY},
    ),
    Kind(
        "grant", "A record that was shared with you is closed", "A record that was shared with you is open to you no longer",
        "Something that was shared with you is open to you no longer.", "{count} things that were shared with you are closed.",
        {Role.PROVIDER: SITE_ALONE, Role.REFERRER: SITE_ALONE},
    ),
    Kind(
        "break-glass", "A record is opened in an emergency", "A record was opened in an emergency. Look at why",
        "A record was opened in an emergency and waits for review.", "{count} records were opened in an emergency and wait for review.",
        dict.fromkeys((Role.MANAGER, Role.ADMINISTRATOR, Role.PROVIDER, Role.REFERRER), NOW), urgent=True,
    ),
    Kind(
        "session", "Somebody misses sessions", "Somebody was not at {service} for the second time",
        "Somebody has missed sessions.", "{count} people have missed sessions.",
        {Role.PROVIDER: NOW, Role.REFERRER: DAILY},
    ),
    Kind(
        "session-off", "A session is cancelled", "A session of {service} does not take place",
        "A session is cancelled for somebody whom you referred.", "{count} times a session is cancelled for people whom you referred.",
        {Role.REFERRER: DAILY},
    ),
    Kind(
        "request", "Somebody asks for help by the public form", "Somebody asks for help. Look at who waits",
        "Somebody asks for help.", "{count} times somebody asked for help or answered.",
        {Role.PROVIDER: HOURLY},
    ),
    Kind(
        "stopped", "Messages or a webhook have stopped", "{what}",
        "Something that Lune sends for you has stopped.", "{count} things that Lune sends for you have stopped.",
        dict.fromkeys(Role.values, NOW),
    ),
)  # fmt: skip
BY_CODE: dict[str, Kind] = {kind.code: kind for kind in KINDS}


def of_role(role: str) -> list[Kind]:
    """The kinds that somebody in this role can be told."""
    return [kind for kind in KINDS if role in kind.roles]


def labels() -> list[tuple[str, str]]:
    return [(kind.code, kind.label) for kind in KINDS]
