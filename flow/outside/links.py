"""Links by which a registered contact answers one request, without an account.

A link is a capability: 192 random bits of which only the hash is kept. One that was sent takes one answer within two days; what it took
opens a door, on the same device and for half an hour, by which the contact asks for the code and goes on. Neither names anybody.
"""

import secrets
from datetime import datetime, timedelta

from catalogue.assurance import token_hash
from catalogue.models import Service
from core import acting
from core.errors import Conflict, NotFound
from flow.models import ReferralTask, ReplyContact, TaskLink

LINK_LASTS, DOOR_LASTS = timedelta(hours=48), timedelta(minutes=30)
NOT_TWICE_WITHIN = timedelta(minutes=2)
#: Whoever holds an old link may press as often as they like: the registered address gets no more than this in a day for one request.
MOST_A_DAY = 6
_Kind = TaskLink.Kind
NO_SUCH = "This link cannot be used."
#: What a link cannot take any more, in words, by what became of it.
SPENT = {"used": "This link was used already.", "over": "This link has run out."}


def issue(task: ReferralTask, contact: ReplyContact, *, kind: str, channel: str, at: datetime) -> str:
    """Make a link. The token is told here and never again."""
    token = secrets.token_urlsafe(24)
    lasts = LINK_LASTS if kind == _Kind.SENT else DOOR_LASTS
    TaskLink.objects.create(
        task=task, contact=contact, kind=kind, channel=channel, token_hash=token_hash(token), created_at=at, expires_at=at + lasts
    )
    return token


@acting.across("whoever has the link may")
def any_link(token: str, *, lock: bool = False) -> TaskLink:
    """The link of a token, whatever became of it, unless it was taken back. Raises NotFound.

    A service that has become confidential meanwhile, and a contact that no longer answers for it, are shown nothing.
    """
    links = TaskLink.objects.filter(
        token_hash=token_hash(token), revoked_at=None, contact__ended_at=None, task__pool__service__in=Service.objects.public()
    )
    if lock:
        links = links.select_for_update(of=("self",))
    found = links.select_related(
        "contact", "task__referral__organization", "task__referral__profile", "task__pool__service", "task__provider", "task__reservation"
    ).first()
    if found is None:
        raise NotFound(NO_SUCH, code="no-such-link")
    return found


@acting.across("whoever has the link may")
def find(token: str, *, at: datetime, lock: bool = False) -> TaskLink:
    """A link that can still be used. Raises NotFound, and Conflict (`link-spent`) which says what became of it."""
    found = any_link(token, lock=lock)
    if not found.is_open(at):
        raise Conflict(SPENT["used" if found.used_at else "over"], code="link-spent")
    return found


def too_soon(task: ReferralTask, at: datetime) -> bool:
    """Whether a link to this request was sent a moment ago, or as many as a day may have."""
    sent = TaskLink.objects.filter(task=task, kind=_Kind.SENT)
    lately = sent.filter(created_at__gt=at - NOT_TWICE_WITHIN).exists()
    return lately or sent.filter(created_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY


def revoke_all(contact: ReplyContact, at: datetime) -> int:
    """No link of this contact opens anything any more. Returns how many were open."""
    return TaskLink.objects.filter(contact=contact, revoked_at=None, expires_at__gt=at).update(revoked_at=at)
