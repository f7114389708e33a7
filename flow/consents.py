"""What people agreed to: recording it, and what holds now. Sending, saying yes and messages ask here."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from catalogue.models import Organization, User
from core import acting, clock
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow.hubs.closing import close_after_no
from flow.models.consent import Consent
from flow.models.patient import Patient
from flow.models.referral import ReferralTask

Purpose, Decision, Source = Consent.Purpose, Consent.Decision, Consent.Source
WITHDRAWN = "They have taken back their agreement to be referred, or said no."


@transaction.atomic
def record_consent(
    *,
    patient_id: UUID,
    purpose: str,
    decision: str,
    source: str,
    by: User,
    at: datetime,
    decided_on: date | None = None,
    kind: str = "",
    decided_by: str = "",
    basis: str = "",
) -> Consent:
    """Add what somebody decided to the person's history; it holds from now on, unless a later day's decision is there already.

    When agreement to referrals or to sharing is taken back, everybody who holds an open referral of theirs is told that something of it
    has changed. Raises NotAllowed, NotFound and Invalid (with `field`).
    """
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers can record what a person agreed to.")
    patient = Patient.objects.kept_by(by).select_for_update(of=("self",), no_key=True).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("That person is not in your organisation’s records.")
    for value, known, field, words in (
        (purpose, Purpose, "purpose", "Choose what it is for."),
        (decision, Decision, "decision", "Choose what they decided."),
        (source, Source, "source", "Choose how you know it."),
    ):
        if value not in known.values:
            raise Invalid(words, field=field)
    today = clock.local_date(at)
    day = decided_on or today
    if not patient.birth_date <= day <= today:
        raise Invalid("The day of a decision is in the person’s life and not in the future.", field="decided_on")
    if (purpose == Purpose.SHARING) != bool(kind) or (kind and kind not in Organization.Kind.values):
        raise Invalid("Choose with which kind of organisation it is shared, for that purpose alone.", field="kind")
    if source == Source.BEST_INTERESTS and not decided_by.strip():
        raise Invalid("Say who decided in their best interests, and as what: daughter and attorney, or ward manager.", field="decided_by")
    if source == Source.LEGAL_BASIS and not basis.strip():
        raise Invalid("Name the legal basis.", field="basis")
    if decision == Decision.WITHDRAWN and not consented(patient, purpose, kind):
        raise Invalid("No agreement is recorded that could be taken back. Choose “Said no”.", field="decision")
    consent = keep(
        patient,
        purpose=purpose,
        decision=decision,
        source=source,
        decided_on=day,
        kind=kind,
        decided_by=decided_by,
        basis=basis,
        by=by,
        at=at,
    )
    # A no of an earlier day does not hold against what was decided since.
    holds = decision != Decision.GIVEN and purpose in (Purpose.CARE, Purpose.SHARING) and of(patient, purpose, kind) == consent
    _tell(patient, kind, says_no=holds)
    if holds:
        close_after_no(patient, kind, by=by, at=at)
    return consent


def keep(
    patient: Patient,
    *,
    purpose: str,
    decision: str,
    source: str,
    decided_on: date,
    by: User | None,
    at: datetime,
    kind: str = "",
    decided_by: str = "",
    basis: str = "",
) -> Consent:
    """Write one line, without asking whether it may be written."""
    return Consent.objects.create(
        organization_id=patient.organization_id, patient=patient, purpose=purpose, kind=kind, decision=decision, source=source,
        decided_by=decided_by.strip()[:200], basis=basis.strip()[:300], decided_on=decided_on, recorded_at=at, recorded_by=by,
    )  # fmt: skip


def current(patient: Patient) -> list[Consent]:
    """What holds now: one line for each purpose, and for each kind of organisation."""
    return list(Consent.objects.filter(patient=patient).current().select_related("recorded_by"))


def of(patient: Patient, purpose: str, kind: str = "") -> Consent | None:
    """The decision about one purpose that holds now."""
    return Consent.objects.filter(patient=patient, purpose=purpose, kind=kind).current().first()


def consented(patient: Patient, purpose: str, kind: str = "") -> bool:
    """Whether an agreement is recorded and holds."""
    found = of(patient, purpose, kind)
    return found is not None and found.decision == Decision.GIVEN


def says_no(patient: Patient, purpose: str, kind: str = "") -> bool:
    """Whether the person refused it, or took it back: not the same as that nobody has asked."""
    found = of(patient, purpose, kind)
    return found is not None and found.decision != Decision.GIVEN


def may_message(patient: Patient, route: str) -> bool:
    """Whether a text (`text`) or an e-mail (`email`) may go to the person: only where agreement is recorded and holds."""
    return consented(patient, Purpose.TEXT if route == Patient.Route.TEXT else Purpose.EMAIL)


def satisfy(patient: Patient, *, ticked: bool, kinds: set[str], by: User, at: datetime) -> None:
    """Before a referral goes out to organisations of `kinds`: agreement is recorded and holds, or is said now (`ticked`) and recorded.

    A no that is on record is not ticked away: it is changed on the person's page, with the day and how it is known. Raises Invalid
    (`no-consent`) and Conflict (`consent-withdrawn`, `sharing-refused`).
    """
    if require_not_refused(patient, kinds=kinds) is not None:
        return
    if not ticked:
        raise Invalid(
            "Ask the person, or somebody who may decide for them, and record that they agree. Then send.",
            code="no-consent",
        )
    keep(patient, purpose=Purpose.CARE, decision=Decision.GIVEN, source=Source.SAID, decided_on=clock.local_date(at), by=by, at=at)


def require_not_refused(patient: Patient, *, kinds: set[str]) -> Consent | None:
    """No no is on record, to referrals or to sharing with one of these kinds. Returns the agreement to referrals, when it was recorded.

    Raises Conflict (`consent-withdrawn`, `sharing-refused`).
    """
    lines = {(line.purpose, line.kind): line for line in current(patient)}
    care = lines.get((Purpose.CARE, ""))
    if care is not None and care.decision != Decision.GIVEN:
        raise Conflict(f"{WITHDRAWN} Nothing has been sent. If they agree now, record that on their page first.", code="consent-withdrawn")
    refused = sorted(kind for kind in kinds if (line := lines.get((Purpose.SHARING, kind))) and line.decision != Decision.GIVEN)
    if refused:
        words = " or ".join(f"“{Organization.Kind(kind).label}”" for kind in refused)
        raise Conflict(
            f"They do not want their details shared with the kind of organisation {words}. Leave it out, or record that they agree now.",
            code="sharing-refused",
            kinds=refused,
        )
    return care


def require_not_withdrawn(task: ReferralTask) -> None:
    """Before who it is is told to a service: raises Conflict (`consent-withdrawn`) when the person no longer agrees."""
    if withdrawn_of(task) is not None:
        raise Conflict(
            "The person no longer agrees to this. Do not take it further: the team that sent it has been told, and takes it back.",
            code="consent-withdrawn",
        )


@acting.across("whether the person still agrees, which whoever is asked must know")
def withdrawn_of(task: ReferralTask) -> Consent | None:
    """What the person refused or took back since, that this request rests on: referrals at all, or sharing with this kind of service."""
    patient = task.referral.patient_id
    lines = Consent.objects.filter(patient=patient, purpose__in=[Purpose.CARE, Purpose.SHARING]).current()
    kinds = {"", task.provider.kind}
    return next((line for line in lines if line.kind in kinds and line.decision != Decision.GIVEN), None)


def _tell(patient: Patient, kind: str, *, says_no: bool) -> None:
    """To one's own organisation that something changed; to those who have an open request that there is something to read, never what."""
    own = patient.organization_id
    publish("consent.changed", topics=[f"org:{own}"], audience=[own])
    if not says_no:
        return
    tasks = ReferralTask.objects.open().filter(referral__patient=patient, **({"provider__kind": kind} if kind else {}))
    for task, referral, provider in tasks.values_list("pk", "referral", "provider"):
        publish(
            "consent.withdrawn",
            topics=[f"org:{own}", f"org:{provider}", f"referral:{referral}"],
            audience={own, provider},
            data={"task": str(task), "referral": str(referral)},
        )
