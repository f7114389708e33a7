"""What shows lists in order and process rules in use: a referral that asks one home after the other, and two rules, one switched on."""

from datetime import datetime, timedelta

from catalogue.models import User
from flow import operations
from flow.demo.logins import DOMAIN
from flow.models import Episode
from flow.rules import operations as rules
from matching import operations as matching

#: Name, when, how long after, what is done, why, and whether it is switched on.
RULES = (
    ("Remind of late answers", "overdue", timedelta(hours=1), "remind", "People wait for a word, not for a bed", True),
    ("Ask the next after a no", "declined", timedelta(), "offer-next", "A no on Friday must not wait for Monday", False),
)
ASKED = 3


def load(*, seed: int, at: datetime) -> int:
    """Write the rules and send the referral. Returns how many rules there are. The region must be there."""
    manager = User.objects.filter(email=f"manager@{DOMAIN}").first()
    if manager is None:
        return 0
    for name, trigger, after, action, reason, on in RULES:
        version = rules.write(name=name, trigger=trigger, after=after, action=action, reason=reason, by=manager, at=at)
        if on:
            rules.switch_on(version_id=version.pk, reason="Agreed with the trusts", by=manager, at=at)
    _one_after_the_other(at)
    return len(RULES)


def _one_after_the_other(at: datetime) -> None:
    by = User.objects.filter(email=f"discharge@{DOMAIN}").first()
    waiting = Episode.objects.filter(
        organization=by.organization_id if by else None, referrals=None, profile__isnull=False, ready_at__lte=at
    )
    for stay in waiting.waiting().order_by("ready_at", "pk").select_related("profile")[:5]:
        assert by is not None
        assert stay.profile is not None
        run = matching.match(stay.profile, by=by, at=at, in_ledger=False)
        pools = [line.pool_id for line in matching.lines(run)[:ASKED]]
        if len(pools) == ASKED:
            operations.send(
                patient_id=stay.patient_id, profile_id=stay.profile.pk, match_run_id=run.pk, episode_id=stay.pk, pool_ids=pools,
                by=by, at=at, consent=True, in_order=True, answer_within=timedelta(hours=4),
            )  # fmt: skip
            return
