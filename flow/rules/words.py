"""What a rule says, in words: on whom it acts, and what it does."""

from collections.abc import Iterable
from uuid import UUID

from catalogue.lexicon import name_of
from catalogue.models import Organization
from catalogue.models.taxonomy import CARE_TYPE
from flow.models import Episode, Hub, Pathway, Referral, RuleVersion

Action = RuleVersion.Action
#: What an action does, told of what it would do.
WOULD = {
    Action.REMIND: "whoever was to move next would have been reminded",
    Action.WITHDRAW: "the request would have been withdrawn",
    Action.OFFER_NEXT: "the next service of the list would have been asked",
    Action.ROUTE: "the referral would have been sent to the hub",
    Action.ESCALATE: "the team and its manager would have been told",
    Action.FOLLOW_UP: "a follow-up would have been made",
}


def conditions(version: RuleVersion) -> list[str]:
    """Each condition in a sentence's part; none: the rule is for all."""
    said = version.conditions
    found = []
    if codes := said.get("urgency"):
        found.append(f"urgency {_either(str(Referral.Urgency(code).label).lower() for code in codes)}")
    if codes := said.get("pathway"):
        found.append(f"pathway {_either(_pathway(code) for code in codes)}")
    if codes := said.get("care_type"):
        found.append(f"kind of care {_either(name_of(CARE_TYPE, code) for code in codes)}")
    if codes := said.get("area"):
        found.append(f"people in {_either(codes)}")
    if codes := said.get("organization"):
        found.append(f"requests to {_either(Organization.objects.filter(pk__in=codes).order_by('name').values_list('name', flat=True))}")
    return found


def deed(version: RuleVersion) -> str:
    """What is done, with the hub or the words that it names."""
    does = str(version.get_action_display())
    if hub := version.parameters.get("hub"):
        return f"{does}: {Hub.objects.filter(pk=hub).values_list('name', flat=True).first() or 'one that is gone'}"
    if words := version.parameters.get("words"):
        return f"{does}: “{words}”"
    return does


def reference(referral_id: UUID) -> str:
    """By which referrals are told apart without naming anybody."""
    return str(referral_id)[:8]


def since(version: RuleVersion, came: str) -> str:
    """What came about, in words, and how long ago that was when the rule acts."""
    return f"{came}, {span(version.after_minutes)} before" if version.after_minutes else came


def span(minutes: int) -> str:
    """A length of time as people say it."""
    for size, name in ((1440, "day"), (60, "hour")):
        if minutes % size == 0 and minutes >= size:
            number = minutes // size
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _pathway(code: str) -> str:
    if code in Episode.Pathway.values:
        return str(Episode.Pathway(code).label)
    return Pathway.objects.filter(code=code).values_list("name", flat=True).first() or code


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
