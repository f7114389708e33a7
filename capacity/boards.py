"""Links for screens on a wall: each shows the board without anybody signing in, until it is taken back or long unused."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from capacity.models import BoardKey
from catalogue.assurance import token_hash
from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound

#: How many screens an organisation may have at once.
MOST_SCREENS = 50
#: “Last used” is true to this much: a screen asks each minute.
_NOTED_EVERY = timedelta(minutes=5)


@transaction.atomic
def make(*, name: str, by: User, at: datetime) -> tuple[BoardKey, str]:
    """A link for a screen of `by`'s organisation, and its token, which is told this once. Raises Invalid, Conflict or NotAllowed."""
    name = name.strip()
    if not (by.is_manager or by.is_provider) or by.organization_id is None:
        raise NotAllowed("Only managers and those who run services make links for screens.")
    if not 1 <= len(name) <= 80:
        raise Invalid("Say where the screen hangs, in 80 letters or fewer.")
    if BoardKey.objects.in_use(at).filter(organization=by.organization_id).count() >= MOST_SCREENS:
        raise Conflict(f"Your organisation has links for {MOST_SCREENS} screens. Take back one that is not used any more.")
    token = secrets.token_urlsafe(24)
    key = BoardKey.objects.create(
        organization_id=by.organization_id, name=name, token_hash=token_hash(token), created_at=at, created_by=by
    )  # fmt: skip
    return key, token


@transaction.atomic
def revoke(*, key_id: UUID, by: User, at: datetime) -> BoardKey:
    """End the link of a screen: within a minute it shows nothing any more. Ending it again changes nothing. Raises NotFound."""
    key = BoardKey.objects.select_for_update(of=("self",)).visible_to(by).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such link.")
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
    return key


def used(*, token: str, at: datetime) -> BoardKey:
    """The link of this token, noted as used now. Raises NotFound: one that has ended is told from a wrong one to nobody."""
    key = BoardKey.objects.in_use(at).filter(token_hash=token_hash(token)).first()
    if key is None:
        raise NotFound("This link shows nothing any more.", code="no-such-screen")
    long_ago = Q(last_used_at=None) | Q(last_used_at__lte=at - _NOTED_EVERY)
    BoardKey.objects.filter(long_ago, pk=key.pk).update(last_used_at=at)
    return key
