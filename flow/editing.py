"""What a referral says to its reader, changed after it was sent: how urgent it is, why, by when it is needed, how long services have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

import capacity.operations as places
from capacity.models import Reservation
from catalogue.models import User
from core import acting, clock
from core.errors import Conflict, Invalid
from core.events import drafted, publish, publish_all
from flow import asking, consents, deadlines, fit, lateness, steps, waterfall, workflow
from flow.hubs.ending import end_sent_on
from flow.hubs.journal import tell_change
from flow.hubs.operations import triage_by
from flow.hubs.steps import HubState
from flow.models import Episode, HubEntry, QueuedAsk, Referral, ReferralChange, ReferralTask, Team
from flow.outside import asked as asked_by_link
from flow.waterfall import State
from flow.workflow import Action, Side, Status
from matching import profiles
from matching.engine import explain
from matching.models import NeedProfile

#: What can be changed. Whom it asks, and in which order, is changed by `flow.asking`.
EDITABLE = ("urgency", "reason", "needed_by", "answer_within")
LONGEST_REASON, LONGEST_WHY = 4000, 300
FURTHEST_DAYS = 730
#: What is done with services that the change makes unfit: they stay asked, or the request is withdrawn.
KEEP, WITHDRAW = "keep", "withdraw"
#: Requests whose support has not begun: of these it is asked again whether the service fits.
_NOT_BEGUN = (Status.REQUESTED, Status.ACCEPTED)


def stands(referral: Referral) -> dict[str, Any]:
    """What can be changed, as it is now. `answer_within` is a time or None."""
    minutes = referral.answer_within
    return {
        "urgency": referral.urgency,
        "reason": referral.reason,
        "needed_by": referral.profile.needed_by,
        "answer_within": None if minutes is None else timedelta(minutes=minutes),
    }


def locked(referral: Referral) -> str:
    """Why a referral cannot be changed any more, in words; empty when it can. Reads its tasks and its entry at a hub."""
    if referral.source == Referral.Source.SELF:
        return "These are the words of the person who asked. They stay as they are."
    if referral.closed_at is not None:
        return "This referral is closed, so it stays as it is. Send a new one if something is needed."
    tasks = list(referral.tasks.all())
    if any(task.status in Status.open() for task in tasks):
        return ""
    if referral.episode is not None and referral.episode.ended_at is not None:
        return "The stay or wait for which this was sent has ended, so it stays as it is."
    if tasks and all(task.status == Status.ENTERED_IN_ERROR for task in tasks):
        return "This was sent by mistake, so it stays as it is. Send a new one."
    entry: HubEntry | None = getattr(referral, "hub_entry", None)
    if entry is not None and entry.state == HubState.WITHDRAWN:
        return "This referral is withdrawn, so it stays as it is. Send a new one."
    if sum(task.status in Status.taken_on() for task in tasks) >= referral.wanted:
        return "What was asked for is finished, so this stays as it is."
    return ""


@acting.across("what a sender changes is read by whoever was asked", seen=lambda **told: _seen(told["referral_id"]))
@transaction.atomic
def edit_referral(
    *, referral_id: UUID, why: str, by: User, at: datetime, unfit: str = "", expected: str | None = None, **changes: Any
) -> ReferralChange:
    """Change what a sent referral says: fields of `EDITABLE`. Deadlines that follow from it are worked out anew, and each side is told.

    Where a service that has not begun does not fit what is needed now, nothing is saved (Conflict, `no-longer-fits`, with `services`)
    until the sender says what becomes of it: `unfit` is KEEP or WITHDRAW. Raises NotFound, NotAllowed, Invalid (with the `field`) and
    Conflict (`locked`, `stale-version` when something has changed since `expected` was read, and what consent forbids).
    """
    referral, tasks = asking.lock(referral_id, by, expected)
    before = stands(referral)
    after = before | _checked(changes, before, at)
    why = why.strip()
    if reason := locked(referral):
        raise Conflict(reason, code="locked")
    if after == before:
        raise Invalid("Nothing is different from what it says now. Change something, or go back.", code="nothing-changed")
    if not 1 <= len(why) <= LONGEST_WHY:
        raise Invalid("Say in a few words why it is changed, in up to 300 letters.", code="reason-needed", field="why")
    if unfit not in ("", KEEP, WITHDRAW):
        raise Invalid("Choose what becomes of the services that no longer fit.", field="unfit")
    open_tasks = [task for task in tasks if task.status in Status.open()]
    consents.require_not_refused(referral.patient, kinds={task.provider.kind for task in open_tasks})
    old_need = referral.profile
    if after["needed_by"] != before["needed_by"]:
        referral.profile = profiles.with_changes(old_need, by=by, at=at, needed_by=after["needed_by"])
    turned = _turned(referral, old_need, open_tasks, at)
    if turned.any and not unfit:
        raise turned.refusal()

    _save(referral, old_need, after)
    ours = [task for task in open_tasks if unfit != WITHDRAW or task not in turned.tasks]
    moved = _move_deadlines(referral, ours, terms=any(before[name] != after[name] for name in ("urgency", "answer_within")), at=at)
    change = ReferralChange.objects.create(
        referral=referral, number=referral.edits, why=why, deadlines=moved, by=by, organization_id=referral.organization_id, at=at,
        urgency_before=before["urgency"], urgency=after["urgency"], reason_before=before["reason"], reason=after["reason"],
        rewrites=before["reason"] != after["reason"],
        needed_by_before=before["needed_by"], needed_by=after["needed_by"],
        answer_within_before=_minutes(before["answer_within"]), answer_within=_minutes(after["answer_within"]),
    )  # fmt: skip
    if unfit == WITHDRAW:
        turned.withdraw(referral, why, by=by, at=at)
    elif unfit == KEEP:
        turned.keep()
    _tell(referral, ours, by)
    _at_the_hub(referral, by, at)
    if old_need.pk != referral.profile_id and referral.episode_id:
        # Where the stay waits for the same need, its plan reads the new day. Its row is locked last, as everywhere.
        Episode.objects.filter(pk=referral.episode_id, profile=old_need, ended_at=None).update(profile=referral.profile)
    return change


@dataclass(frozen=True, slots=True)
class _Turned:
    """What the change makes unfit: requests that are open, and services of the list that are still to be asked."""

    codes: dict[UUID, tuple[str, ...]]
    tasks: list[ReferralTask]
    entries: list[QueuedAsk]

    @property
    def any(self) -> bool:
        return bool(self.tasks or self.entries)

    def refusal(self) -> Conflict:
        turned: list[ReferralTask | QueuedAsk] = [*self.tasks, *self.entries]
        told = [
            {
                "pool": str(one.pool_id),
                "service": one.pool.service.name,
                "said_yes": isinstance(one, ReferralTask) and one.status == Status.ACCEPTED,
                "rules": list(self.codes[one.pool_id]),
                "words": " and ".join(map(_label, self.codes[one.pool_id])),
            }
            for one in turned
        ]
        named = "; ".join(f"{each['service']} ({each['words']})" for each in told)
        return Conflict(
            f"By what is known of them, not all services fit what would then be needed: {named}. "
            "Nothing is saved yet. Choose whether they stay asked or are asked no longer.",
            code="no-longer-fits",
            field="unfit",
            services=told,
        )

    def keep(self) -> None:
        """They stay asked, and it is known by whom: a yes is not stopped by what the sender has read."""
        for task in self.tasks:
            if not task.checked:
                continue
            task.checked = task.checked | {"failed": sorted({*task.checked.get("failed", []), *self.codes[task.pool_id]})}
            task.save(update_fields=["checked"])
        for entry in self.entries:
            entry.even_so = True
            entry.save(update_fields=["even_so"])

    def withdraw(self, referral: Referral, why: str, *, by: User, at: datetime) -> None:
        places.lock({task.pool_id for task in self.tasks})
        plain = "It does not fit what is needed now."
        reason = f"{plain} {why}"[:300]
        for task in self.tasks:
            step = workflow.step(Action.WITHDRAW, status=task.status, side=Side.REFERRER)
            steps.give_back(task, by=by, at=at)
            # The sender's own words may name somebody: they are for who has said yes.
            steps.take(task, step, by=by, at=at, reason=("", plain if task.status == Status.REQUESTED else reason))
        for entry in self.entries:
            waterfall.settle(entry, State.DROPPED, reason, at)
        end_sent_on([referral.pk], by=by, at=at)
        if (referral.package or referral.wanted > 1) and referral.wait_is_over:
            steps.end_wait(referral.episode_id, at)


def _seen(referral_id: UUID) -> QuerySet[Referral]:
    return Referral.objects.filter(pk=referral_id)


def _checked(changes: dict[str, Any], before: dict[str, Any], at: datetime) -> dict[str, Any]:
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise Invalid(f"A referral has no field that can be changed called {', '.join(unknown)[:100]}.")
    told: dict[str, Any] = {name: value.strip() if isinstance(value, str) else value for name, value in changes.items()}
    told = {name: value for name, value in told.items() if value != before[name]}
    if "urgency" in told and told["urgency"] not in Referral.Urgency.values:
        raise Invalid("Choose how urgent it is.", field="urgency")
    if len(told.get("reason", "")) > LONGEST_REASON:
        raise Invalid(f"Shorten this to {LONGEST_REASON} letters or fewer.", field="reason")
    day: date | None = told.get("needed_by")
    if day is not None and not 0 <= (day - clock.local_date(at)).days <= FURTHEST_DAYS:
        raise Invalid("Give a day from today on, within two years, or none.", field="needed_by")
    term: timedelta | None = told.get("answer_within")
    if term is not None and not deadlines.SHORTEST <= term <= deadlines.LONGEST:
        raise Invalid("Give from a quarter of an hour to 14 days to answer.", code="deadline", field="answer_within")
    return told


def _turned(referral: Referral, old_need: NeedProfile, tasks: Sequence[ReferralTask], at: datetime) -> _Turned:
    """Asked only of another need. Whoever keeps a place for the person, or has given one, is not measured by its waiting list."""
    if referral.profile is old_need:
        return _Turned({}, [], [])
    asked = [task for task in tasks if task.status in _NOT_BEGUN]
    listed = waterfall.waiting(referral) if referral.in_order else []
    codes = fit.newly_against(old_need, referral.profile, {task.pool_id for task in asked} | {entry.pool_id for entry in listed}, at)
    for task in asked:
        kept = task.took_place or (task.reservation is not None and task.reservation.state == Reservation.State.HELD)
        if kept and task.pool_id in codes:
            codes[task.pool_id] = tuple(code for code in codes[task.pool_id] if code != "place")
    codes = {pool: left for pool, left in codes.items() if left}
    return _Turned(codes, [task for task in asked if task.pool_id in codes], [entry for entry in listed if entry.pool_id in codes])


def _save(referral: Referral, old_need: NeedProfile, after: dict[str, Any]) -> None:
    if referral.profile is not old_need:
        referral.profile.save(force_insert=True)
        referral.first_profile_id = referral.first_profile_id or old_need.pk
    referral.urgency, referral.reason, referral.answer_within = after["urgency"], after["reason"], _minutes(after["answer_within"])
    referral.edits += 1
    referral.save(update_fields=["urgency", "reason", "answer_within", "profile", "first_profile", "edits"])


def _move_deadlines(referral: Referral, tasks: Sequence[ReferralTask], *, terms: bool, at: datetime) -> dict[str, Any]:
    """Every open request is another version: who answers it has read what it said before. Returns each with both its deadlines."""
    moved: dict[str, Any] = {}
    for task in tasks:
        task.referral = referral
        before = lateness.due_at(task)
        if terms and task.status == Status.REQUESTED:
            task.respond_by = deadlines.moved(before, partial(deadlines.respond_by, referral), since=task.requested_at or at, at=at)
        elif terms and task.status == Status.ACCEPTED:
            task.start_by = deadlines.moved(before, partial(deadlines.start_by, referral), since=task.answered_at or at, at=at)
        after = lateness.due_at(task)
        if after is not None and after > at:
            task.late = 0
        moved[str(task.pk)] = [due.isoformat() if due else None for due in (before, after)]
        task.version += 1
        task.save(update_fields=["version", "late", "respond_by", "start_by"])
    return moved


def _tell(referral: Referral, tasks: Sequence[ReferralTask], by: User) -> None:
    """One event for each service that is asked, and one for the sender's own side: its colleagues are told once."""
    sender, here = referral.organization_id, f"referral:{referral.pk}"
    data = {"referral": str(referral.pk), "by": str(by.pk)}
    publish_all([
        *(
            drafted(
                "referral.edited",
                topics=[here, f"org:{task.provider_id}"],
                audience=[task.provider_id],
                data=data | {"task": str(task.pk), "status": str(task.status), "version": task.version},
            )
            for task in tasks
        ),
        drafted("referral.edited", topics=[here, f"org:{sender}"], audience=[sender], data=data),
    ])  # fmt: skip
    publish("flow.changed", topics=["region"])
    asked_by_link.tell([task for task in tasks if task.status == Status.REQUESTED])


def _at_the_hub(referral: Referral, by: User, at: datetime) -> None:
    """A hub that has still to look works with the new deadline; whoever has the entry there, or else all who work there, are told."""
    entry = HubEntry.objects.select_for_update(of=("self",)).select_related("hub").filter(referral=referral).first()
    if entry is None or entry.state not in (*HubState.open(), HubState.ROUTED):
        return
    entry.referral = referral
    if entry.state in HubState.with_hub():
        entry.due_at = deadlines.moved(entry.due_at, lambda since: triage_by(referral, entry.hub, since), since=entry.queued_at, at=at)
    entry.version += 1
    entry.save(update_fields=["due_at", "version"])
    tell_change(entry)
    staff = Team.members.through.objects.filter(team=entry.hub.team_id, user__is_active=True).values_list("user_id", flat=True)
    to = [entry.assigned_to_id] if entry.assigned_to_id else list(staff)
    publish(
        "referral.edited",
        topics=[f"org:{entry.hub.organization_id}"],
        audience=[entry.hub.organization_id],
        data={"referral": str(referral.pk), "entry": str(entry.pk), "by": str(by.pk), "to": sorted(str(user) for user in to)},
    )


def _minutes(term: timedelta | None) -> int | None:
    return None if term is None else int(term.total_seconds() // 60)


def _label(code: str) -> str:
    return "its waiting list is too long for that day" if code == "place" else f"{explain.label(code)} does not fit"
