"""Entering a referral quickly: who it is, where it came from and one service, in one transaction."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalogue.models import Organization, User
from core.clock import local_date
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow import operations
from flow.models import Episode, Launch, Patient, Referral, ReferralOrigin
from flow.people import with_number
from matching.models import MatchRun, NeedProfile

#: What is older than this was not received now: somebody mistyped the year.
OLDEST = timedelta(days=365)
#: So many of the last searches say what a team usually looks for.
LAST = 200
#: What each kind of organisation asks for most, until its own searches say better.
_USUAL: dict[str, tuple[str, ...]] = {
    Organization.Kind.PRACTICE: (
        "social-prescribing", "befriending", "debt-advice", "physical-activity", "talking-therapies", "community-nursing", "carer-support",
        "welfare-benefits",
    ),
    Organization.Kind.HOSPITAL: (
        "home-general-residential", "home-general-nursing", "home-care", "reablement", "community-bed", "equipment", "home-transitional",
        "community-nursing",
    ),
}  # fmt: skip
_ELSE = (
    "befriending", "debt-advice", "welfare-benefits", "housing-advice", "poverty-crisis", "carer-support", "physical-activity", "transport",
)  # fmt: skip
SHOWN = 8
#: Who makes the referrals of an organisation of each kind, where a record system launched them.
_SECTORS: dict[str, str] = {
    Organization.Kind.PRACTICE: ReferralOrigin.Sector.PRACTICE,
    Organization.Kind.HOSPITAL: ReferralOrigin.Sector.WARD,
    Organization.Kind.CHARITY: ReferralOrigin.Sector.VOLUNTARY,
}


class Origin(TypedDict):
    """Where a referral came from, as `enter` takes it."""

    channel: str
    sector: str
    sender: str
    received_on: date


def usual_kinds(user: User) -> list[str]:
    """The kinds of service to offer first: what the organisation looked for most lately, then what its like usually do."""
    lately = NeedProfile.objects.visible_to(user).order_by("-created_at").values_list("care_types", flat=True)[:LAST]
    counted = Counter(code for codes in lately for code in codes)
    kind = user.organization.kind if user.organization else ""
    own = [code for code, _ in counted.most_common(SHOWN)]
    return list(dict.fromkeys([*own, *_USUAL.get(kind, _ELSE)]))[:SHOWN]


@transaction.atomic
def enter(
    *,
    person: dict[str, Any],
    origin: Origin,
    profile_id: UUID,
    match_run_id: UUID,
    pool_ids: list[UUID],
    by: User,
    at: datetime,
    reason: str = "",
    consent: bool = False,
    urgency: str = Referral.Urgency.ROUTINE,
    is_record: UUID | None = None,
    is_another: bool = False,
    version_id: UUID | None = None,
    typed: Mapping[str, str] | None = None,
) -> Referral:
    """Send what arrived on paper, by e-mail or by phone. Their wait began on the day on which it arrived.

    Somebody on record is not recorded again. `version_id` and `typed`: a pathway and its answers, as in `flow.operations.send`. Raises
    what `person_of` and `send` do, and Invalid (`field`).
    """
    _check(origin, by, at)
    patient = person_of(person, by=by, at=at, is_record=is_record, is_another=is_another)
    episode = waiting_since(patient, origin["received_on"], by=by, at=at)
    referral = operations.send(
        patient_id=patient.pk, profile_id=profile_id, match_run_id=match_run_id, pool_ids=pool_ids, episode_id=episode.pk, urgency=urgency,
        reason=reason, consent=consent, version_id=version_id, typed=typed, by=by, at=at,
    )  # fmt: skip
    note_origin(referral, origin)
    return referral


@transaction.atomic
def refer(
    *,
    patient_id: UUID,
    match_run_id: UUID,
    pool_id: UUID,
    by: User,
    at: datetime,
    consent: bool = False,
    reason: str = "",
    urgency: str = "",
    version_id: UUID | None = None,
    typed: Mapping[str, str] | None = None,
) -> Referral:
    """Ask one service for somebody, with what is known of them already: the third of three clicks. Of a pathway whoever names one
    (`version_id`) has answered the questions (`typed`).

    Raises what `flow.operations.send` does.
    """
    run = MatchRun.objects.visible_to(by).filter(pk=match_run_id).first()
    if run is None:
        raise NotFound("That list of matches is not one of your organisation’s. Search again.")
    open_stay = Episode.objects.of_ones_own(by).filter(patient=patient_id, ended_at__isnull=True).order_by("-started_at").first()
    referral = operations.send(
        patient_id=patient_id, profile_id=run.profile_id, match_run_id=run.pk, pool_ids=[pool_id], by=by, at=at, consent=consent,
        episode_id=open_stay.pk if open_stay else None, reason=reason, urgency=urgency or Referral.Urgency.ROUTINE,
        version_id=version_id, typed=typed,
    )  # fmt: skip
    if Launch.objects.visible_to(by).filter(patient=patient_id, opened_by=by, expires_at__gt=at).exists():
        kind = by.organization.kind if by.organization else ""
        sector = _SECTORS.get(kind, ReferralOrigin.Sector.OTHER)
        channel = ReferralOrigin.Channel.RECORD
        note_origin(referral, Origin(channel=channel, sector=sector, sender=str(by.organization), received_on=local_date(at)))
    return referral


def note_origin(referral: Referral, origin: Origin) -> ReferralOrigin:
    """Note by which way a referral came."""
    told = {**origin, "sender": " ".join(origin["sender"].split())[:120]}
    return ReferralOrigin.objects.create(referral=referral, **told)


@transaction.atomic
def person_of(person: dict[str, Any], *, by: User, at: datetime, is_record: UUID | None = None, is_another: bool = False) -> Patient:
    """The person on record, or a new record. Whoever has the NHS number must be born on the day that was given.

    Without a number, somebody of the same name, day of birth and postcode is the same person. Where only the name and the day are the
    same, somebody looks: `is_record` is the record of theirs, which takes the number if it has none; `is_another` says that there is none.

    Raises what `flow.operations.add_patient` does, NotFound, and Conflict (`other-person`: number and day of birth are of two people).
    """
    if by.organization is None or not by.is_referrer:
        raise NotAllowed("Only somebody who refers can enter a referral.")
    known = Patient.objects.visible_to(by).filter(organization=by.organization)
    number = "".join(str(person.get("nhs_number", "")).split()).replace("-", "")
    if number and (found := with_number(number, by.organization.pk, by)):
        if found.birth_date != person["birth_date"]:
            raise Conflict(
                "The NHS number is of somebody who was born on another day. Check both; nothing has been kept.", code="other-person"
            )
        return found
    named = known.filter(
        given_name__iexact=person["given_name"].strip(), family_name__iexact=person["family_name"].strip(), birth_date=person["birth_date"]
    )
    if is_record is not None:
        return _looked_at(named.filter(pk=is_record).first(), number, by=by, at=at)
    if not number and not is_another:
        alike = list(named.filter(postcode=person["postcode"])[:2])
        if len(alike) == 1:
            return alike[0]
    return operations.add_patient(by=by, at=at, is_another=is_another, **person)


def _looked_at(found: Patient | None, number: str, *, by: User, at: datetime) -> Patient:
    """The record that somebody chose as that of the person."""
    if found is None:
        raise NotFound("That record is not of this name and day of birth any more. Look at the list again.")
    if number and found.nhs_number:
        raise Conflict(
            "The record that you chose has another NHS number. Check both; nothing has been kept. If it is somebody else, say so.",
            code="other-person",
        )
    if number:
        return operations.edit_patient(patient_id=found.pk, version=found.version, by=by, at=at, nhs_number=number)
    return found


def waiting_since(patient: Patient, day: date, *, by: User, at: datetime) -> Episode:
    """The open stay or wait of a person; else a wait in the community since that day."""
    found = Episode.objects.of_ones_own(by).filter(patient=patient, ended_at__isnull=True).order_by("-started_at").first()
    if found is not None:
        return found
    since = min(timezone.make_aware(datetime.combine(day, time.min)), at)
    return operations.start_episode(
        patient_id=patient.pk, by=by, at=at, kind=Episode.Kind.COMMUNITY, discharge_pathway=Episode.Pathway.COMMUNITY, started_at=since,
        ready_at=since,
    )  # fmt: skip


def _check(origin: Origin, by: User, at: datetime) -> None:
    if origin["channel"] not in ReferralOrigin.Channel.values:
        raise Invalid("Choose how it came.", field="channel")
    if origin["sector"] not in ReferralOrigin.Sector.values:
        raise Invalid("Choose who made it.", field="sector")
    if not timedelta() <= local_date(at) - origin["received_on"] <= OLDEST:
        raise Invalid("The day on which it arrived is today or before, and within a year.", field="received_on")
