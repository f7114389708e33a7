"""What PostgreSQL itself keeps from whoever may not see it: each table that points at a person or a referral, however far away.

The tables are found by walking the foreign keys, and their rules are made of `visible_to`. So a new model needs nothing here when it has a
`visible_to` of its own; without one it is closed. Only what differs is written down:

- a model without `visible_to` that is seen together with another: a line in `WITH`;
- words that not everybody who sees the row may read: `guarded`, and a `GuardedText` in the model;
- a table of which pages read hundreds of rows: `fast`, the commonest case without a call of the function.

`tests/flow/test_row_security.py` compares both lines for every table, row by row and role by role.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

from core.row_security import ORGANIZATION, WORK, Policy, Question, function
from flow.models import Episode, Patient, Referral, ReferralChange, ReferralTask, SelfReferral
from flow.workflow import Status

#: Where the walk begins.
ROOTS: tuple[type[models.Model], ...] = (Patient, Referral, SelfReferral)

#: Models without a `visible_to` of their own, by label: the foreign key to the record with which they are seen.
WITH = {
    "flow.Transition": "task",
    "flow.SelfReferralNote": "request",
    "flow.HubStep": "entry",
}

#: Somebody refers, the row is their organisation's, and no team of it keeps anything from them.
_OWN = f"{WORK} = 'referrer' AND organization_id = {ORGANIZATION} AND (SELECT lune_hides_nothing())"
_KNOWN = ", ".join(f"'{status}'" for status in Status.known_to_provider())
#: Its provider reads words on a task that are its own answer, and the sender's while it has the person.
_TASK = f"""
    lune_sees_flow_referraltask(r.id) AND (current_setting('lune.role', true) <> 'provider'
    OR r.provider_id IS DISTINCT FROM lune_organization OR r.status IN ({_KNOWN}, 'rejected', 'failed'))"""
_STEP = f"""
    lune_sees_flow_referraltask(r.task_id) AND (current_setting('lune.role', true) <> 'provider' OR r.organization_id = lune_organization
    OR r.organization_id IS NULL OR EXISTS (SELECT FROM flow_referraltask t WHERE t.id = r.task_id AND t.status IN ({_KNOWN})))"""
_WORDS = f"""
    lune_sees_flow_referral(r.id) OR EXISTS (SELECT FROM flow_referraltask t WHERE t.referral_id = r.id
    AND t.provider_id = lune_organization AND t.status IN ({_KNOWN}) AND current_setting('lune.role', true) = 'provider')"""
#: What a sender typed when it changed a referral: for its own side; why it did, also for whoever has the person.
_TYPED = "lune_sees_flow_referral(r.referral_id)"
_WHY = f"""
    lune_sees_flow_referral(r.referral_id) OR EXISTS (SELECT FROM flow_referraltask t WHERE t.referral_id = r.referral_id
    AND t.provider_id = lune_organization AND t.status IN ({_KNOWN}) AND current_setting('lune.role', true) = 'provider')"""
#: Who was asked and has not said yes reads the answers that the version shows before it, as `flow.pathways.configuration.answered` says.
_SHOWN_BEFORE = """
    SELECT jsonb_object_agg(asked->>'key', r.pathway_answers->(asked->>'key'))
    FROM flow_pathwayversion v, jsonb_array_elements(v.questions) asked
    WHERE v.id = r.pathway_version_id AND lune_is_asked(r.id) AND current_setting('lune.role', true) = 'provider'
    AND asked->>'shown' = 'before' AND asked->>'kind' NOT IN ('text', 'date') AND jsonb_exists(r.pathway_answers, asked->>'key')"""

DIFFERENT = [
    Policy(Patient, fast=_OWN, manager="with_merged"),
    Policy(Episode, fast=_OWN),
    # A provider that was asked needs the row for its anonymised request; the words only after its yes.
    Policy(
        Referral,
        fast=_OWN,
        also=f"{WORK} = 'provider' AND lune_is_asked(id)",
        guarded={"reason": _WORDS, "closed_because": _WORDS, "pathway_answers": _WORDS},
        instead={"pathway_answers": _SHOWN_BEFORE},
    ),
    Policy(
        ReferralTask,
        fast=f"""CASE {WORK} WHEN 'provider' THEN provider_id = {ORGANIZATION} AND status <> 'draft'
            WHEN 'referrer' THEN (SELECT lune_hides_nothing()) AND lune_is_own(referral_id) ELSE false END""",
        guarded={"status_reason_text": _TASK},
    ),
    Policy(ReferralChange, guarded={"reason_before": _TYPED, "reason": _TYPED, "deadlines": _TYPED, "why": _WHY}),
]


def questions() -> list[Question]:
    """What the conditions above ask."""
    return [
        Question(
            "lune_hides_nothing()",
            "boolean",
            """NOT EXISTS (SELECT FROM flow_team t WHERE t.organization_id = lune_organization AND t.keeps_to_itself AND NOT EXISTS (
                SELECT FROM flow_team_members m WHERE m.team_id = t.id AND m.user_id = lune_user))""",
        ),
        Question(
            "lune_is_own(referral uuid)",
            "boolean",
            "EXISTS (SELECT FROM flow_referral r WHERE r.id = $1 AND r.organization_id = lune_organization)",
        ),
        Question(
            "lune_is_asked(referral uuid)",
            "boolean",
            """EXISTS (SELECT FROM flow_referraltask t WHERE t.referral_id = $1 AND t.provider_id = lune_organization
                AND t.status <> 'draft')""",
        ),
    ]


def protected() -> Iterator[type[models.Model]]:
    """Every model that names or points at a person or a referral, nearest first."""
    found: dict[type[models.Model], None] = dict.fromkeys(ROOTS)
    everything = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy]
    grew = True
    while grew:
        grew = False
        for model in everything:
            if model not in found and any(related in found for related in _points_at(model)):
                found[model] = None
                grew = True
    yield from found


def _points_at(model: type[models.Model]) -> Iterator[Any]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            yield field.related_model
    if tracked := getattr(model, "pgh_tracked_model", None):
        yield tracked


def policies() -> list[Policy]:
    """One for each protected model."""
    different = {policy.model: policy for policy in DIFFERENT}
    return [different.get(model) or _usual(model) for model in protected()]


def _usual(model: type[models.Model]) -> Policy:
    if name := WITH.get(model._meta.label):
        parent: Any = model._meta.get_field(name)
        guarded = {"reason_text": _STEP} if model._meta.label == "flow.Transition" else {}
        return Policy(model, sees=f'{function(parent.related_model._meta.db_table)}("{parent.column}")', guarded=guarded)
    return Policy(model)
