"""Links by which somebody without an account goes on with a form, and follows what becomes of it.

A link is a capability: 192 random bits of which only the hash is kept. It runs out, and whoever has it can end it. What it opens never
shows what was typed once that is sent.
"""

import secrets
from datetime import datetime, timedelta

from django.conf import settings

from catalogue.assurance import token_hash
from catalogue.models import Service
from core import acting
from core.errors import NotFound
from flow.models import SelfReferral, SelfReferralLink


def lasts(request: SelfReferral) -> timedelta:
    """How long a link to it is good: as long as what it shows is kept."""
    draft = request.state == SelfReferral.State.DRAFT
    return timedelta(days=settings.SELF_REFERRAL_DRAFT_DAYS if draft else settings.SELF_REFERRAL_KEEP_DAYS)


def issue(request: SelfReferral, *, at: datetime, sent_to: str = "") -> str:
    """Make a link. The token is told here and never again."""
    token = secrets.token_urlsafe(24)
    SelfReferralLink.objects.create(
        request=request, token_hash=token_hash(token), sent_to=sent_to, created_at=at, expires_at=at + lasts(request)
    )
    return token


@acting.across("whoever has the link may")
def find(token: str, *, at: datetime, lock: bool = False) -> SelfReferral:
    """The request of a link that is good. Raises NotFound: wrong, spent and ended are one, and so is a service become confidential."""
    links = SelfReferralLink.objects.select_related("request__service__organization")
    link = links.filter(token_hash=token_hash(token), request__service__in=Service.objects.public()).first()
    if link is None or not link.is_open(at):
        raise NotFound("This link cannot be used.", code="no-such-link")
    if not lock:
        return link.request
    found = SelfReferral.objects.select_for_update(of=("self",)).select_related("service__organization").filter(pk=link.request_id).first()
    if found is None:
        raise NotFound("This link cannot be used.", code="no-such-link")
    return found


def end_all(request: SelfReferral, *, at: datetime) -> int:
    """No link opens this request any more. Returns how many ended."""
    return request.links.filter(revoked_at=None).update(revoked_at=at)
