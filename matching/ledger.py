"""The ledger of unmet need: what was looked for and not found. Kinds of care, an area, a day and a reason; no person."""

import json
from datetime import datetime

from django.utils.crypto import salted_hmac

from catalogue.models import Organization
from core import clock
from matching.models import NeedProfile, UnmetNeed

#: What makes two searches the same need. The date, wishes and marks of quality leave nobody out by themselves.
_SAME = (
    "age", "sex", "needs", "must_haves", "languages", "funding", "referral_source", "budget_week", "max_distance_m", "max_minutes",
    "drives", "conditions", "carried_only", "practice", "care_types", "organization_id",
)  # fmt: skip


def digest(profile: NeedProfile) -> str:
    """The same for the same need of one organisation. Keyed, so that nobody can try out needs until one gives this."""
    said = {name: sorted(value) if isinstance(value := getattr(profile, name), list) else value for name in _SAME}
    place = [round(profile.point.x), round(profile.point.y)]
    return salted_hmac("matching.ledger", json.dumps([said, place], sort_keys=True, default=str), algorithm="sha256").hexdigest()


def note(profile: NeedProfile, *, reason: str, at: datetime) -> None:
    """Enter a need that nobody could meet: once for a need and a day. Found and lost again on one day, it is open again."""
    entry = UnmetNeed(
        at=at,
        on=clock.local_date(at),
        digest=digest(profile),
        care_types=sorted(profile.care_types),
        outcode=profile.outcode,
        needs=sorted({*profile.needs, *profile.must_haves}),
        reason=reason,
        in_hospital=profile.organization.kind == Organization.Kind.HOSPITAL,
        organization_id=profile.organization_id,
    )
    UnmetNeed.objects.bulk_create(
        [entry],
        update_conflicts=True,
        unique_fields=["organization", "digest", "on"],
        update_fields=["reason", "resolved_at"],
    )


def resolve(profile: NeedProfile, *, at: datetime) -> None:
    """Somebody fits now: what was open of this need is met."""
    of_this_need = UnmetNeed.objects.filter(organization_id=profile.organization_id, digest=digest(profile))
    of_this_need.filter(resolved_at=None).update(resolved_at=at)
