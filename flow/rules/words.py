"""What a rule says, in words: on whom it acts, and what it does."""

from collections.abc import Iterable

from catalogue.lexicon import name_of
from catalogue.models import Organization
from catalogue.models.taxonomy import CARE_TYPE
from flow.models import Episode, Hub, Pathway, Referral, RuleVersion


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


def _pathway(code: str) -> str:
    if code in Episode.Pathway.values:
        return str(Episode.Pathway(code).label)
    return Pathway.objects.filter(code=code).values_list("name", flat=True).first() or code


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
