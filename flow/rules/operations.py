"""Writing a rule, trying it on what has been, switching it on and off; and the clock that carries the live ones out."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from catalogue.models import Organization, User
from core import acting
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from flow import steps, waterfall
from flow.apart import apart
from flow.models import Hub, ProcessRule, Referral, RuleDeed, RuleSwitch, RuleVersion
from flow.rules import occasions, words
from flow.rules.doing import act
from flow.rules.occasions import LOOKS_BACK, Occasion
from flow.rules.replay import Trial, replay

#: What one rule does in a minute: a rule that was written wrongly does not do everything at once.
MOST_AT_ONCE = 50
LONGEST_WAIT = timedelta(days=90)
CONDITIONS = ("urgency", "care_type", "pathway", "area", "organization")
Action, Trigger = RuleVersion.Action, RuleVersion.Trigger
#: Only of a request that a service has not answered.
OF_REQUESTS = frozenset({Trigger.SENT, Trigger.OVERDUE, Trigger.NO_CAPACITY})
_AREA = re.compile(r"^[A-Z]{1,2}(\d[A-Z0-9]?)?$")


@transaction.atomic
def write(
    *,
    name: str,
    trigger: str,
    action: str,
    reason: str,
    by: User,
    at: datetime,
    after: timedelta = timedelta(),
    conditions: Mapping[str, list[str]] | None = None,
    parameters: Mapping[str, Any] | None = None,
    rule_id: UUID | None = None,
) -> RuleVersion:
    """Write a new rule, or the next version of one. It does nothing until somebody switches that version on.

    Raises NotAllowed, NotFound and Invalid (with `field`).
    """
    organization = _setting_for(by)
    name, reason = name.strip(), reason.strip()
    if not 1 <= len(name) <= 100:
        raise Invalid("Give the rule a name of up to 100 letters.", field="name")
    if not 1 <= len(reason) <= 300:
        raise Invalid("Say in up to 300 letters why the rule is wanted.", field="reason")
    if trigger not in Trigger.values:
        raise Invalid("Choose when the rule acts.", field="trigger")
    if action not in Action.values:
        raise Invalid("Choose what the rule does. No rule says yes or no for a person.", field="action")
    if action == Action.WITHDRAW and trigger not in OF_REQUESTS:
        raise Invalid("A rule takes back only a request that nobody has answered. Choose another trigger.", field="action")
    if not timedelta() <= after <= LONGEST_WAIT:
        raise Invalid("Let the rule act at once, or within 90 days.", field="after")
    rule = ProcessRule(organization=organization, name=name)
    if rule_id is not None:
        found = ProcessRule.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=rule_id).first()
        if found is None:
            raise NotFound("That rule is not one of those that you set.")
        rule = found
        rule.name = name
    rule.save()
    newest = rule.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return RuleVersion.objects.create(
        rule=rule,
        number=newest + 1,
        trigger=trigger,
        after_minutes=int(after.total_seconds() // 60),
        conditions=_checked(conditions or {}),
        action=action,
        parameters=_parameters(action, parameters or {}),
        reason=reason,
        by=by,
        at=at,
    )


@transaction.atomic
def switch_on(*, version_id: UUID, reason: str, by: User, at: datetime) -> ProcessRule:
    """Let a version act from now on: on what happens from now on, in place of the version that was on."""
    version = RuleVersion.objects.filter(pk=version_id, rule__in=ProcessRule.objects.visible_to(by)).first()
    if version is None:
        raise NotFound("That rule is not one of those that you set.")
    return _switch(version.rule_id, version, reason, by, at)


@transaction.atomic
def switch_off(*, rule_id: UUID, reason: str, by: User, at: datetime) -> ProcessRule:
    """Stop a rule. What it did stays done."""
    return _switch(rule_id, None, reason, by, at)


@acting.across("what a rule would have done, of which nobody is named")
def dry_run(version: RuleVersion, *, at: datetime) -> Trial:
    """What the version would have done in the last 30 days in place of any other of its rule, beside the other rules that are on now, and
    what would have followed from it with certainty. Nothing is done: the database itself refuses to write meanwhile.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        trial = replay(version, _beside(version), at=at)
        # Given up, so that whatever this stands within may write again.
        transaction.set_rollback(True)
    return trial


def _beside(version: RuleVersion) -> list[RuleVersion]:
    """The other rules that are on for the same referrals."""
    on = ProcessRule.objects.filter(live__isnull=False).exclude(pk=version.rule_id)
    if version.rule.organization_id is not None:
        on = on.filter(Q(organization=None) | Q(organization=version.rule.organization_id))
    return list(RuleVersion.objects.filter(pk__in=on.values("live")).select_related("rule").order_by("rule"))


@acting.across("the clock carries out what a person switched on")
def run(*, at: datetime) -> int:
    """Carry out the live rules: each occasion once, in its own transaction; one that fails stops no other.

    Returns how many things were done or found impossible.
    """
    done = 0
    for rule in ProcessRule.objects.filter(live__isnull=False).select_related("live__rule").order_by("pk"):
        with apart("rules: rule", rule.pk):
            done += _carry_out_all(rule, at)
    return done


def _carry_out_all(rule: ProcessRule, at: datetime) -> int:
    assert rule.live is not None
    assert rule.live_since is not None
    with transaction.atomic():
        known = set(rule.deeds.filter(at__gt=at - LOOKS_BACK).values_list("key", flat=True))
        found = occasions.find(rule.live, after=_from(rule.live_since, at), until=at, now=True)
    done = 0
    for each in found:
        if each.key not in known:
            with apart("rules: occasion", each.key):
                done += _carry_out(rule.live, each, at)
        if done >= MOST_AT_ONCE:
            break
    return done


@transaction.atomic
def _carry_out(version: RuleVersion, occasion: Occasion, at: datetime) -> bool:
    """Look again under the lock, then act, and write what was done and why; or why it could not be."""
    tasks = steps.lock_referral(occasion.referral_id, with_person=True)
    rule = ProcessRule.objects.filter(pk=version.rule_id, live=version).first()
    if rule is None or rule.live_since is None or RuleDeed.objects.filter(rule=rule, key=occasion.key).exists():
        return False
    again = occasions.find(version, after=_from(rule.live_since, at), until=at, referral_id=occasion.referral_id, now=True)
    if all(each.key != occasion.key for each in again):
        return False
    referral = Referral.objects.select_related("patient", "profile", "organization", "match_run__profile").get(pk=occasion.referral_id)
    outcome = RuleDeed.Outcome.DONE
    try:
        with transaction.atomic():
            what = act(version, occasion, referral, tasks, at=at)
    except LuneError as error:
        outcome, what = RuleDeed.Outcome.REFUSED, f"nothing was done: {error.message}"
    RuleDeed.objects.create(
        rule=rule,
        version=version,
        referral=referral,
        task_id=occasion.task_id,
        key=occasion.key,
        outcome=outcome,
        words=f"{_sentence(version, occasion)}, so {what.rstrip('.')}."[:500],
        facts={"trigger": version.trigger, "since": occasion.since.isoformat(), "urgency": referral.urgency, "version": version.number},
        at=at,
    )
    waterfall.tell(referral)
    return True


def _from(live_since: datetime, at: datetime) -> datetime:
    """What came true before the rule was on is not its business, nor what is older than a dry run looks."""
    return max(live_since, at - LOOKS_BACK)


def _sentence(version: RuleVersion, occasion: Occasion) -> str:
    return f"Rule “{version.rule.name}”, version {version.number}: {words.since(version, occasion.words)}"


def _switch(rule_id: UUID, version: RuleVersion | None, reason: str, by: User, at: datetime) -> ProcessRule:
    rule = ProcessRule.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("That rule is not one of those that you set.")
    reason = reason.strip()
    if not 1 <= len(reason) <= 300:
        raise Invalid("Say in up to 300 letters why you switch it.", code="reason-needed", field="reason")
    if rule.live_id == (version.pk if version else None):
        raise Conflict("It is so already. Look again.", code="no-change")
    rule.live, rule.live_since = version, at if version else None
    rule.save(update_fields=["live", "live_since"])
    RuleSwitch.objects.create(rule=rule, version=version, reason=reason, by=by, at=at)
    return rule


def _setting_for(by: User) -> Organization | None:
    """Whose referrals the rules of `by` are about: all of the region, or those that their own organisation sends."""
    if by.role == User.Role.ADMINISTRATOR:
        return None
    if by.is_manager and by.organization is not None:
        return None if by.organization.kind == Organization.Kind.ICB else by.organization
    raise NotAllowed("Rules are set by managers and administrators.")


def _checked(conditions: Mapping[str, list[str]]) -> dict[str, list[str]]:
    kept: dict[str, list[str]] = {}
    for name, values in conditions.items():
        if name not in CONDITIONS:
            raise Invalid(f"“{name}” is not a condition of a rule.", field=name)
        said = sorted({str(value).strip() for value in values if str(value).strip()})
        if name == "area":
            said = sorted({value.upper() for value in said})
            wrong = next((value for value in said if not _AREA.match(value)), None)
            if wrong is not None:
                raise Invalid(
                    f"“{wrong}” is not the first part of a postcode. Write for example PR1, or PR for all of Preston.", field="area"
                )
        if name == "organization":
            said = _organizations(said)
        if said:
            kept[name] = said
    return kept


def _organizations(ids: list[str]) -> list[str]:
    """Those of these that are there: an id that is none would stop the rule when it acts."""
    try:
        known = {str(pk) for pk in Organization.objects.filter(pk__in=[UUID(each) for each in ids]).values_list("pk", flat=True)}
    except ValueError:
        known = set()
    if len(known) < len(ids):
        raise Invalid("Choose one of the organisations.", field="organization")
    return sorted(known)


def _parameters(action: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    if action == Action.ROUTE:
        chosen = parameters.get("hub")
        hub = Hub.objects.filter(pk=chosen, is_active=True).first() if chosen else None
        if hub is None:
            raise Invalid("Choose the hub to which the rule sends.", field="hub")
        return {"hub": str(hub.pk)}
    words = str(parameters.get("words") or "").strip()
    if len(words) > 200:
        raise Invalid("Shorten what is to be done to 200 letters.", field="words")
    return {"words": words} if action == Action.FOLLOW_UP and words else {}
