"""Taking a launch in, opening it, and beginning a referral from it."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from catalogue.models import Organization, User
from core import acting
from core.errors import Conflict, Invalid, NotAllowed
from flow.intake.operations import person_of
from flow.launch import tokens
from flow.launch.tokens import Refused
from flow.models import Launch, LaunchKey, Patient

#: For so long an opened launch can be used.
LASTS = timedelta(minutes=15)
#: For so long it is remembered that a launch came, so that it is not taken twice; its token is too old by then.
REMEMBERED = timedelta(days=1)
#: A key lasts no longer.
LONGEST_KEY = timedelta(days=366)


@transaction.atomic
def make_key(*, organization: Organization, name: str, days: int, by: User | None, at: datetime) -> tuple[LaunchKey, str]:
    """A key for the record system of an organisation, and its secret, which is told this once. Raises NotAllowed and Invalid."""
    if by is not None and not by.is_administrator:
        raise NotAllowed("Only an administrator makes keys for record systems.")
    if not organization.ods_code:
        raise Invalid("Give the organisation its ODS code first: each launch names it.")
    if not 1 <= days <= LONGEST_KEY.days:
        raise Invalid(f"A key lasts from 1 to {LONGEST_KEY.days} days.")
    key = LaunchKey.objects.create(organization=organization, name=name.strip()[:80], created_at=at, expires_at=at + timedelta(days=days))
    return key, tokens.secret_of(key.pk)


@acting.across("a record system vouches for somebody before anybody has signed in")
@transaction.atomic
def receive(*, token: str, at: datetime) -> str:
    """Take in what a record system signed. Returns the opaque word by which it is opened, once, by somebody who is signed in.

    Raises Refused, and Conflict (`replayed`).
    """
    told = tokens.read(token, at=at)
    word = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            Launch.objects.create(
                organization_id=told.key.organization_id,
                key=told.key,
                jti=told.jti,
                token_digest=tokens.digest_of(word),
                told=told.person,
                practitioner=told.practitioner,
                at=at,
                expires_at=at + LASTS,
            )
    except IntegrityError as error:
        raise Conflict("This link has been used already. Open it again from the patient’s record.", code="replayed") from error
    return word


@transaction.atomic
def open_with(*, word: str, by: User, at: datetime) -> Launch:
    """Open a launch: from now on it is this user's. The NHS number and the date of birth are held against the organisation's records.

    Raises Refused and Conflict (`other-person`); then nothing of it may be shown.
    """
    launch = Launch.objects.select_for_update(of=("self",)).filter(token_digest=tokens.digest_of(word)).first()
    if launch is None or launch.expires_at <= at:
        raise Refused("This link is too old, or not for you. Open it again from the patient’s record.", code="expired")
    if launch.organization_id != by.organization_id:
        raise Refused("This link is for another organisation than the one for which you signed in.", code="other-organisation")
    if launch.opened_by_id not in (None, by.pk):
        raise Refused("Somebody else has opened this link. Open it again from the patient’s record.", code="replayed")
    if launch.practitioner and launch.practitioner != by.email.lower():
        raise Refused("This link was made for another user. Sign in as the one who opened the record.", code="other-user")
    _cross_check(launch, by)
    if launch.opened_by_id is None:
        launch.opened_by, launch.opened_at = by, at
        launch.save(update_fields=["opened_by", "opened_at"])
    return launch


@transaction.atomic
def person(*, word: str, by: User, at: datetime, is_record: UUID | None = None, is_another: bool = False) -> Patient:
    """The record of whom a launch is about: found, or made from what the record system told. What it told is then wiped.

    Raises what `open_with` and `flow.intake.operations.person_of` raise, which say what `is_record` and `is_another` are.
    """
    launch = open_with(word=word, by=by, at=at)
    if launch.patient is not None:
        return launch.patient
    launch.patient = person_of(_typed(launch.told), by=by, at=at, is_record=is_record, is_another=is_another)
    launch.told = {}
    launch.save(update_fields=["patient", "told"])
    return launch.patient


def forget(*, at: datetime) -> int:
    """Wipe what launches told that nobody used in time, and delete those that no token could bring again. Returns how many went."""
    Launch.objects.filter(expires_at__lte=at).exclude(told={}).update(told={})
    return Launch.objects.filter(at__lte=at - REMEMBERED).delete()[0]


def _cross_check(launch: Launch, by: User) -> None:
    told = launch.told
    if not told:
        return
    known = Patient.objects.visible_to(by).filter(organization_id=launch.organization_id, nhs_number=told["nhs_number"]).first()
    if known is not None and known.birth_date != date.fromisoformat(told["birth_date"]):
        raise Conflict(
            "The NHS number and the date of birth that your record system sent do not belong together in your records here. Nothing is "
            "shown. Check the record there.",
            code="other-person",
        )


def _typed(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "birth_date": date.fromisoformat(told["birth_date"])}
