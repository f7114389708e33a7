"""How soon somebody must answer. Every deadline of a referral comes from here."""

from datetime import datetime, timedelta

from flow.models import Referral

#: How soon a provider is asked to answer.
RESPOND_WITHIN = {Referral.Urgency.URGENT.value: timedelta(hours=2), Referral.Urgency.ROUTINE.value: timedelta(hours=24)}


def respond_by(referral: Referral, at: datetime) -> datetime:
    """Until when a provider that is asked at `at` is expected to answer."""
    return at + RESPOND_WITHIN[referral.urgency]
