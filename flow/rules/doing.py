"""What a rule may do. There is no yes and no no among it: each function asks, tells, takes back or hands on."""

from collections.abc import Callable
from datetime import datetime

import capacity.operations as places
import matching.operations
from capacity.models import ServiceCapacity
from core.clock import local_date
from core.errors import Conflict
from core.events import publish
from flow import consents, lateness, steps, waterfall, workflow
from flow.asking import MOST_ASKED
from flow.casework.follow_ups import follow_up
from flow.hubs.operations import hand_over
from flow.models import Hub, Referral, ReferralTask, RuleVersion
from flow.pathways import choosing
from flow.rules.occasions import Occasion
from flow.workflow import Action, Side, Status
from matching.models import MatchRun

#: Tried of the list of matches before a rule gives up.
TRIED = 10


def act(version: RuleVersion, occasion: Occasion, referral: Referral, tasks: list[ReferralTask], *, at: datetime) -> str:
    """Do what the rule says, under the locks of the referral, and say what was done. Raises LuneError when it is not possible."""
    task = next((each for each in tasks if each.pk == occasion.task_id), None)
    return _DOES[version.action](version, referral, task, tasks, at)


def _remind(version: RuleVersion, referral: Referral, task: ReferralTask | None, tasks: list[ReferralTask], at: datetime) -> str:
    _tell("referral.overdue", referral, task, {"reminder": True})
    return "a reminder was sent to whose move it is"


def _escalate(version: RuleVersion, referral: Referral, task: ReferralTask | None, tasks: list[ReferralTask], at: datetime) -> str:
    _tell("referral.escalated", referral, task, {"level": "manager"} if task else {"level": "manager", "side": "referrer"})
    return "the team and its manager were told"


def _withdraw(version: RuleVersion, referral: Referral, task: ReferralTask | None, tasks: list[ReferralTask], at: datetime) -> str:
    if task is None or task.status != Status.REQUESTED:
        raise Conflict("A rule takes back only what nobody has answered.", code="moved-on")
    places.lock({task.pool_id} | waterfall.pools_waiting(referral))
    steps.give_back(task, by=None, at=at)
    step = workflow.step(Action.WITHDRAW, status=task.status, side=Side.SYSTEM)
    why = f"By the rule “{version.rule.name}”, version {version.number}."
    steps.take(task, step, by=None, at=at, reason=("", why), rule=version)
    asked = waterfall.go_on(referral, number=waterfall.missing(referral, tasks), by=None, at=at, rule=version)
    publish("flow.changed", topics=["region"])
    return "the request was withdrawn" + (f", and {asked[0].pool.service.name} was asked" if asked else "")


def _offer_next(version: RuleVersion, referral: Referral, task: ReferralTask | None, tasks: list[ReferralTask], at: datetime) -> str:
    """Ask, and no more: whoever is asked says yes or no themselves."""
    _require_needed(referral, tasks)
    if consents.says_no(referral.patient, consents.Purpose.CARE):
        raise Conflict("The person no longer agrees to be referred.", code="consent-withdrawn")
    asked = []
    if referral.in_order and waterfall.waiting(referral):
        places.lock(waterfall.pools_waiting(referral))
        asked = waterfall.go_on(referral, number=1, by=None, at=at, rule=version)
    elif referral.match_run is not None:
        pool = _next_match(referral, referral.match_run, tasks, at)
        asked = waterfall.ask(referral, [pool], by=None, at=at, rule=version) if pool else []
    if not asked:
        raise Conflict("Nobody else could be asked: the list is empty, or its services are full or no longer fit.", code="nobody-left")
    publish("flow.changed", topics=["region"])
    return f"{asked[0].pool.service.name} was asked"


def _next_match(referral: Referral, run: MatchRun, tasks: list[ReferralTask], at: datetime) -> ServiceCapacity | None:
    known = {task.pool_id for task in tasks} | set(referral.queue.values_list("pool_id", flat=True))
    if len(known) >= MOST_ASKED:
        return None
    lines = matching.operations.next_best(run, exclude_pools=known, at=at, limit=TRIED)
    pools = places.lock(line.pool_id for line in lines)
    for line in lines:
        pool = pools[line.pool_id]
        beyond = referral.pathway_version is not None and choosing.outside(referral.pathway_version, [pool.pk])
        if not beyond and not waterfall.obstacle(referral, pool, at):
            return pool
    return None


def _route(version: RuleVersion, referral: Referral, task: ReferralTask | None, tasks: list[ReferralTask], at: datetime) -> str:
    """To the team of the hub, which reads the person's record: looked at as before a service is asked."""
    _require_needed(referral, tasks)
    hub = Hub.objects.select_related("organization", "team").filter(pk=version.parameters.get("hub"), is_active=True).first()
    if hub is None:
        raise Conflict("The hub that the rule names takes no referrals now.", code="no-hub")
    hand_over(referral, hub, at=at, words=f"By the rule “{version.rule.name}”, version {version.number}.")
    return f"the referral was sent to {hub.name}"


def _follow_up(version: RuleVersion, referral: Referral, task: ReferralTask | None, tasks: list[ReferralTask], at: datetime) -> str:
    follow_up(
        patient_id=referral.patient_id,
        words=version.parameters.get("words") or "Look at this referral: nobody has moved it on.",
        due_on=local_date(at),
        at=at,
        by=None,
        referral_id=referral.pk,
    )
    return "a follow-up was made for the team that sent it"


def _require_needed(referral: Referral, tasks: list[ReferralTask]) -> None:
    ended = referral.episode is not None and referral.episode.ended_at is not None
    if ended or referral.closed_at is not None or sum(each.status in Status.taken_on() for each in tasks) >= referral.wanted:
        raise Conflict("As many services as are wanted have said yes, or nothing more is needed.", code="moved-on")


def _tell(type: str, referral: Referral, task: ReferralTask | None, more: dict[str, object]) -> None:
    """To both sides; of a referral of which nobody is asked, to its sender alone."""
    among = [referral.organization_id, *([task.provider_id] if task else [])]
    due = lateness.due_at(task) if task else None
    data = {"referral": str(referral.pk), "due": due.isoformat() if due else "", **({"task": str(task.pk)} if task else {}), **more}
    publish(type, topics=[*(f"org:{pk}" for pk in among), f"referral:{referral.pk}"], audience=among, data=data)


Does = Callable[[RuleVersion, Referral, ReferralTask | None, list[ReferralTask], datetime], str]
_DOES: dict[str, Does] = {
    RuleVersion.Action.REMIND: _remind,
    RuleVersion.Action.ESCALATE: _escalate,
    RuleVersion.Action.WITHDRAW: _withdraw,
    RuleVersion.Action.OFFER_NEXT: _offer_next,
    RuleVersion.Action.ROUTE: _route,
    RuleVersion.Action.FOLLOW_UP: _follow_up,
}
