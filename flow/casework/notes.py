"""Notes about a person: written, corrected by a new version, withdrawn in sight. Reached through `flow.casework.operations`."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from flow.casework.words import checked
from flow.models import Note, NoteVersion, Patient, Referral, ReferralTask
from flow.people import hold_record
from flow.workflow import Status

LONGEST = 4000


@transaction.atomic
def write(
    *,
    patient_id: UUID,
    words: str,
    by: User,
    at: datetime,
    referral_id: UUID | None = None,
    audience: str = Note.Audience.OWN,
    team_id: UUID | None = None,
) -> Note:
    """Write down something about a person: for one's own organisation, for a team that one is in, or shared on a referral with the side
    that has said yes to it.

    Raises NotAllowed, NotFound and Invalid (with `field`).
    """
    if by.organization_id is None or not (by.is_referrer or by.is_provider):
        raise NotAllowed("Notes are written by those who refer people or support them.")
    if not hold_record(patient_id, Patient.objects.visible_to(by)):
        raise NotFound("That person is not in your organisation’s records.")
    words = checked(words, "Write the note.", longest=LONGEST, field="words")
    if audience not in Note.Audience.values:
        raise Invalid("Choose who may read the note.", field="audience")
    if audience == Note.Audience.REFERRAL and referral_id is None:
        raise Invalid("Choose the referral on which the note is shared.", field="referral")
    if referral_id is not None and not may_share_on(by, patient_id, referral_id):
        raise NotFound("There is no such referral for this person.")
    if audience == Note.Audience.TEAM and (team_id is None or not by.teams.filter(pk=team_id, organization=by.organization).exists()):
        raise Invalid("Choose a team that you are in.", field="team")
    note = Note.objects.create(
        patient_id=patient_id,
        referral_id=referral_id,
        organization_id=by.organization_id,
        audience=audience,
        team_id=team_id if audience == Note.Audience.TEAM else None,
        created_at=at,
        created_by=by,
    )
    NoteVersion.objects.create(note=note, number=1, words=words, by=by, at=at)
    _tell(note)
    return note


@transaction.atomic
def correct(*, note_id: UUID, words: str, reason: str, by: User, at: datetime, expected_version: int | None = None) -> Note:
    """Write the note anew. What it said before stays readable. Raises NotFound, Invalid and Conflict (`stale-version`, `withdrawn`)."""
    note = _lock(note_id, by, expected_version)
    words = checked(words, "Write the note.", longest=LONGEST, field="words")
    if words == note.versions.values_list("words", flat=True).get(number=note.version):
        raise Invalid("Nothing is changed. Correct the words, or leave the note as it is.", field="words")
    return _next(note, words, checked(reason, "Say why the note is corrected.", longest=300, field="reason"), by, at)


@transaction.atomic
def withdraw(*, note_id: UUID, reason: str, by: User, at: datetime, expected_version: int | None = None) -> Note:
    """Take a note back, for example one about somebody else. It goes on being told that there was one, and why it was withdrawn.

    Raises NotFound, Invalid and Conflict (`stale-version`, `withdrawn`).
    """
    note = _lock(note_id, by, expected_version)
    reason = checked(reason, "Say why the note is withdrawn.", longest=300, field="reason")
    note.withdrawn_at = at
    return _next(note, note.versions.values_list("words", flat=True).get(number=note.version), reason, by, at)


def may_share_on(by: User, patient_id: UUID, referral_id: UUID) -> bool:
    """Whether somebody may put something on a referral of a person: its sender, or who has said yes to it."""
    if Referral.objects.visible_to(by).filter(pk=referral_id, patient_id=patient_id).exists():
        return True
    if not by.is_provider or by.organization_id is None:
        return False
    return ReferralTask.objects.taken_on_by(by.organization_id).filter(referral_id=referral_id, referral__patient_id=patient_id).exists()


def tell_both(organization_id: UUID, referral_id: UUID | None, *, shared: bool, type: str, data: dict[str, object]) -> None:
    """Publish a change about a person to one's own organisation and, of what is shared, to the sides of the referral that may know it."""
    told, topics = {organization_id}, [f"org:{organization_id}"]
    if referral_id is not None and shared:
        told.add(Referral.objects.values_list("organization_id", flat=True).get(pk=referral_id))
        known = ReferralTask.objects.filter(referral_id=referral_id, status__in=Status.known_to_provider())
        told.update(known.values_list("provider_id", flat=True))
        topics = [*(f"org:{each}" for each in told), f"referral:{referral_id}"]
    publish(type, topics=topics, audience=told, data=data)


def _lock(note_id: UUID, by: User, expected_version: int | None) -> Note:
    """A note of one's own organisation: the other side reads what is shared, and changes none of it."""
    note = Note.objects.visible_to(by).filter(organization=by.organization).select_for_update(of=("self",)).filter(pk=note_id).first()
    if note is None:
        raise NotFound("There is no such note of your organisation.")
    if expected_version is not None and expected_version != note.version:
        raise Conflict("Somebody has corrected this note since you looked. Look again.", code="stale-version", version=note.version)
    if note.withdrawn_at is not None:
        raise Conflict("This note is withdrawn. Write a new one.", code="withdrawn")
    return note


def _next(note: Note, words: str, reason: str, by: User, at: datetime) -> Note:
    note.version += 1
    note.save(update_fields=["version", "withdrawn_at"])
    withdraws = note.withdrawn_at is not None
    NoteVersion.objects.create(note=note, number=note.version, words=words, reason=reason, withdraws=withdraws, by=by, at=at)
    _tell(note)
    return note


def _tell(note: Note) -> None:
    tell_both(
        note.organization_id,
        note.referral_id,
        shared=note.audience == Note.Audience.REFERRAL,
        type="note.changed",
        data={"note": str(note.pk), "version": note.version},
    )
