"""Which referrals somebody may know with the person behind them: what hangs on a referral is shown by this."""

from django.db.models import Q

from catalogue.models import User

from .referral import Referral, ReferralTask


def on_known_referral(user: User, column: str = "referral") -> Q:
    """The condition that the referral in `column` was sent by one's organisation, granted, or taken on: never one that is only asked."""
    known = Q(**{f"{column}__in": Referral.objects.visible_to(user).order_by().values("pk")})
    if user.is_provider and user.organization_id:
        taken_on = ReferralTask.objects.taken_on_by(user.organization_id).order_by().values("referral_id")
        known |= Q(**{f"{column}__in": taken_on})
    return known
