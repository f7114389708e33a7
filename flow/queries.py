"""Questions about people and referrals. What a provider sees before it accepts is built here, from an allow-list, and nowhere else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Prefetch, QuerySet, When

from capacity.models import Reservation
from catalogue.lexicon import name_of
from catalogue.models import Service, User
from catalogue.models.taxonomy import CARE_TYPE, FUNDING, NEED
from core import acting, audit
from core.errors import NotFound
from flow import changes, consents
from flow.figures import Dashboard, dashboard
from flow.lateness import overdue_tasks
from flow.models import Referral, ReferralTask, Transition
from flow.pathways.configuration import answered
from flow.workflow import REFERRER_WORDS, Side, Status, Step, steps_open_to

__all__ = [
    "AnonymisedProfile", "Dashboard", "Identity", "ProviderView", "TimelineEntry",
    "anonymised", "dashboard", "inbox", "inbox_tasks", "provider_view", "summary_status", "timeline",
]  # fmt: skip

#: What is read with a referral that is shown whole.
SHOWN: tuple[Prefetch | str, ...] = (
    Prefetch("tasks", ReferralTask.objects.select_related("pool__service", "provider", "reservation")),
    "queue",
)
#: Which status speaks for a referral whose tasks differ: the first of these that any task has.
_SPEAKS_FIRST = (
    Status.IN_PROGRESS, Status.ON_HOLD, Status.ACCEPTED, Status.COMPLETED, Status.REQUESTED,
    Status.FAILED, Status.REJECTED, Status.CANCELLED, Status.ENTERED_IN_ERROR, Status.DRAFT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnonymisedProfile:
    """All that a provider sees before it accepts. A field that is not here is not shown."""

    task: UUID
    pool: UUID
    service_name: str
    pool_name: str
    status: str
    status_words: str
    version: int
    requested_at: datetime | None
    respond_by: datetime | None
    held_until: datetime | None
    urgency: str
    sender_name: str
    sender_kind: str
    age_band: str
    sex: str
    outcode: str
    care_types: tuple[str, ...]
    needs: tuple[str, ...]
    must_haves: tuple[str, ...]
    conditions: tuple[str, ...]
    funding: tuple[str, ...]
    needed_by: date | None
    pathway: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    """Questions of the pathway whose answers its version shows before a yes. Never what somebody typed freely."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is: for a provider that has said yes, and for nobody before."""

    patient: UUID
    given_name: str
    family_name: str
    birth_date: date
    nhs_number: str
    postcode: str
    phone: str
    email: str
    address: str
    preferred_contact: str  # in words; empty when nobody has asked
    contact_note: str
    preferred_language: str
    needs_interpreter: bool
    access_needs: tuple[str, ...]  # in words
    reason: str
    unchecked: UUID | None  # the request by a form, of which nobody has made sure who it is
    answers: tuple[tuple[str, str], ...] = ()
    """All questions of the pathway that the sender answered."""


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A task as its provider sees it. `identity` is None until the provider has accepted, and again if it was withdrawn."""

    profile: AnonymisedProfile
    identity: Identity | None
    steps: tuple[Step, ...]
    changed: tuple[changes.Changed, ...] = ()
    """What the sender has changed since this service said yes, or since it was asked."""
    agrees: bool = True  # False: the person took back their agreement, or said no, since it was sent


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step that was taken on a referral, in words. `who` is an organisation, or who spoke for it without an account."""

    at: datetime
    task: UUID | None  # None: of the referral itself
    service_name: str
    action: str
    status: str
    status_words: str
    who: str
    reason: str


def anonymised(task: ReferralTask) -> AnonymisedProfile:
    """What may be shown of a task before acceptance. Reads `pool.service`, `reservation`, `referral.organization`, `referral.profile`."""
    referral, profile = task.referral, task.referral.profile
    by_themselves = referral.source == Referral.Source.SELF
    hold = task.reservation if task.reservation and task.reservation.state == Reservation.State.HELD else None
    return AnonymisedProfile(
        task=task.pk,
        pool=task.pool_id,
        service_name=task.pool.service.name,
        pool_name=task.pool.name,
        status=task.status,
        status_words=str(Status(task.status).label),
        version=task.version,
        requested_at=task.requested_at,
        respond_by=task.respond_by,
        held_until=hold.expires_at if hold else None,
        urgency=referral.urgency,
        sender_name=referral.get_source_display() if by_themselves else referral.organization.name,
        sender_kind="" if by_themselves else referral.organization.get_kind_display(),
        age_band=age_band(profile.age),
        sex="" if profile.sex == profile.Sex.UNKNOWN else profile.get_sex_display(),
        outcode=profile.outcode,
        care_types=_names(CARE_TYPE, profile.care_types),
        needs=_names(NEED, profile.needs),
        must_haves=_names(NEED, profile.must_haves),
        conditions=_names("condition", profile.conditions),
        funding=_names(FUNDING, profile.funding),
        needed_by=profile.needed_by,
        pathway=referral.pathway_version.pathway.name if referral.pathway_version else "",
        answers=tuple(answered(referral.pathway_version, referral.pathway_answers, known=False)),
    )


def age_band(age: int) -> str:
    """Five years wide: "80–84". The few who are very old or young share a band."""
    if age < 18:
        return "Under 18"
    if age >= 90:
        return "90 or over"
    low = max(18, age // 5 * 5)
    return f"{low}–{age // 5 * 5 + 4}"


@transaction.atomic
def provider_view(task: ReferralTask, user: User, *, refresh: bool = False) -> ProviderView:
    """A task as its provider may see it now. Showing who it is writes a row of the read audit (`refresh`: as in `core.audit`).

    Raises NotFound when `user` does not answer for the task's provider.
    """
    if task.side_of(user) != Side.PROVIDER or task.status == Status.DRAFT:
        raise NotFound("There is no such referral.")
    identity = None
    if task.status in Status.known_to_provider():
        patient = task.referral.patient
        audit.record_read(user=user, record_type="patient", record_id=patient.pk, refresh=refresh)
        identity = Identity(
            patient=patient.pk,
            given_name=patient.given_name,
            family_name=patient.family_name,
            birth_date=patient.birth_date,
            nhs_number=patient.nhs_number,
            postcode=patient.postcode,
            phone=patient.phone,
            email=patient.email,
            address=patient.address,
            preferred_contact=patient.get_preferred_contact_display() if patient.preferred_contact else "",
            contact_note=patient.contact_note,
            preferred_language=patient.preferred_language,
            needs_interpreter=patient.needs_interpreter,
            access_needs=tuple(patient.access_words),
            reason=task.referral.reason,
            unchecked=_unchecked(task.referral),
            answers=tuple(answered(task.referral.pathway_version, task.referral.pathway_answers, known=True)),
        )
    steps = tuple(steps_open_to(status=task.status, side=Side.PROVIDER))
    changed = tuple(changes.since(task)) if task.referral.edits else ()
    return ProviderView(anonymised(task), identity, steps, changed, agrees=consents.withdrawn_of(task) is None)


def _unchecked(referral: Referral) -> UUID | None:
    if referral.source != Referral.Source.SELF or referral.self_referral.identity_check:
        return None
    return referral.self_referral.pk


def inbox(
    user: User, *, statuses: Iterable[str] | None = None, late_at: datetime | None = None, limit: int | None = 200
) -> list[AnonymisedProfile]:
    """Requests to the user's organisation, with no person in them: those to answer soonest first, then the newest.

    `statuses` defaults to those still open. `late_at`: only those whose deadline has passed by then.
    """
    return [anonymised(task) for task in inbox_tasks(user, statuses=statuses, late_at=late_at)[:limit]]


def inbox_tasks(user: User, *, statuses: Iterable[str] | None = None, late_at: datetime | None = None) -> QuerySet[ReferralTask]:
    """The rows of `inbox` in its order, for whoever shows a page of them. A record that was shared brings no other provider's requests."""
    if not user.is_provider:
        return ReferralTask.objects.none()
    tasks = ReferralTask.objects.visible_to(user).filter(
        provider=user.organization_id, status__in=Status.open() if statuses is None else list(statuses)
    )
    if late_at is not None:
        tasks = tasks.filter(overdue_tasks(late_at))
    to_answer = Case(When(status=Status.REQUESTED, then=F("respond_by")))
    return tasks.select_related(
        "referral__organization", "referral__profile", "referral__pathway_version__pathway", "pool__service", "reservation"
    ).order_by(to_answer.asc(nulls_last=True), "-requested_at", "pk")


def summary_status(statuses: Iterable[str]) -> str:
    """The one status that speaks for several tasks of a referral; empty when there is none."""
    present = set(statuses)
    return next((str(status) for status in _SPEAKS_FIRST if status in present), "")


def timeline(referral: Referral) -> list[TimelineEntry]:
    """Every step on every task of a referral, and every change of it, oldest first, as its sender may read it."""
    rows = Transition.objects.filter(task__referral=referral).select_related("task__pool__service", "organization").order_by("at", "pk")
    edits = [
        TimelineEntry(
            at=change.at,
            task=None,
            service_name="The referral",
            action="edit",
            status="",
            status_words="Changed",
            who=change.organization.name,
            reason=". ".join([*changes.to_the_sender(change), change.why]),
        )
        for change in (changes.of_referral(referral) if referral.edits else [])
    ]
    steps = [
        TimelineEntry(
            at=row.at,
            task=row.task_id,
            service_name=row.task.pool.service.name,
            action=row.action,
            status=row.to_status,
            status_words=REFERRER_WORDS[row.to_status],
            who=row.said_by or (row.organization.name if row.organization else "Lune"),
            reason=row.reason_text,
        )
        for row in rows
    ]
    return sorted([*steps, *edits], key=lambda entry: entry.at)


def _names(slug: str, codes: Iterable[str]) -> tuple[str, ...]:
    """The words for codes of a taxonomy; one that there is not stands for itself."""
    return tuple(name_of(slug, code) for code in codes)


@acting.across("whether anybody is on the way there, of whom nothing is said")
def open_requests(service: Service) -> str:
    """Why a record may not be merged away: people are on their way to it, or there. Empty when nobody is."""
    open_tasks = ReferralTask.objects.open().filter(pool__service=service).count()
    if not open_tasks:
        return ""
    referrals = f"{open_tasks} open referral{'' if open_tasks == 1 else 's'}"
    return f"It has {referrals}. Wait until they are finished, or keep this record instead."
