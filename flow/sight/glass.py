"""Breaking the glass: somebody who has no right to a record opens it in an emergency, and others look afterwards whether that was right.

The person must be known by NHS number and date of birth: nobody is found by looking around. Whoever guesses learns nothing – the answer is
the same whether there is such a person or not – and each guess stands in the read audit.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from catalogue.models import User
from core import acting, audit
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import publish
from core.models import AuditEntry
from flow.models import Episode, GlassOpening, Patient, ReferralTask

#: How long a record stays open.
LASTS = timedelta(minutes=60)
#: Wrong guesses in `SPAN` after which no more are taken.
MOST_GUESSES, SPAN = 5, timedelta(hours=1)
#: A review that waits longer is late.
REVIEW_WITHIN = timedelta(days=7)
PURPOSE = "break-glass"
UNKNOWN = "Nobody is recorded with this NHS number and date of birth, or you may not open their record this way. Check both."


@dataclass(frozen=True, slots=True)
class Opened:
    """What may be read of a record that was opened this way. Nothing can be changed by it."""

    opening: GlassOpening
    patient: Patient
    episodes: tuple[Episode, ...]
    tasks: tuple[ReferralTask, ...]


def open_record(*, nhs_number: str, birth_date: date, reason: str, words: str, by: User, at: datetime) -> GlassOpening:
    """Open the record of the one person who has this number and this date of birth, for an hour, to read.

    Raises NotAllowed (whose work needs no record), Invalid (`field`), Conflict (`too-many-guesses`) and NotFound, which says the same
    whether the number, the date or both are wrong. Managers of both organisations are told at once.
    """
    if not (by.is_referrer or by.is_provider) or by.organization_id is None:
        raise NotAllowed("Only somebody who refers or provides care can open a record in an emergency.")
    if reason not in GlassOpening.Reason.values:
        raise Invalid("Choose why you need to see the record.", field="reason")
    words = words.strip()
    if not 10 <= len(words) <= 500:
        raise Invalid("Say why in your own words, in 10 to 500 letters. A manager reads it.", field="words")
    _note_guess(by, at)
    opening = _open("".join(nhs_number.split()).replace("-", ""), birth_date, reason, words, by, at)
    if opening is None:
        raise NotFound(UNKNOWN, code="no-such-person")
    return opening


@acting.across("an emergency opens a record to somebody without a right to it")
@transaction.atomic
def _open(number: str, birth_date: date, reason: str, words: str, by: User, at: datetime) -> GlassOpening | None:
    people = Patient.objects.filter(nhs_number=number, birth_date=birth_date).order_by("-created_at") if number else Patient.objects.none()
    # Held until the opening is written. Where a merge came first, whom it was waited for is nobody any more: look once more.
    held = people.select_for_update(of=("self",), no_key=True)
    found = list(held) or list(held.all())
    own = [person for person in found if person.organization_id == by.organization_id]
    person = next(iter([*own, *found]), None)
    if person is None or by.organization is None:
        return None
    opening = GlassOpening.objects.create(
        patient=person, organization_id=person.organization_id, by=by, by_organization=by.organization, reason=reason, words=words,
        opened_at=at, until=at + LASTS,
    )  # fmt: skip
    audit.record_read(user=by, record_type="patient", record_id=person.pk, purpose=PURPOSE)
    homes = {person.organization_id, by.organization.pk}
    managers = User.objects.filter(organization__in=homes, role=User.Role.MANAGER, is_active=True).exclude(pk=by.pk)
    publish(
        "breakglass.opened",
        topics=[f"org:{home}" for home in homes],
        audience=homes,
        data={"opening": str(opening.pk), "to": sorted(str(pk) for pk in managers.values_list("pk", flat=True))},
    )
    return opening


@transaction.atomic
def read(*, opening_id: UUID, by: User, at: datetime) -> Opened:
    """The record behind an opening, while it lasts. Each look is written down. Raises NotFound, and Conflict (`ended`)."""
    opening = GlassOpening.objects.visible_to(by).filter(pk=opening_id, by=by, by_organization=by.organization_id).first()
    if opening is None:
        raise NotFound("There is no such record.")
    if not opening.is_open(at):
        raise Conflict("The hour is over, and the record is closed again. Open it anew if you still need it.", code="ended")
    audit.record_read(user=by, record_type="patient", record_id=opening.patient_id, purpose=PURPOSE)
    with acting.system("an emergency opens a record to somebody without a right to it"):
        person = Patient.objects.select_related("organization").get(pk=opening.patient_id)
        stays = Episode.objects.filter(patient=person, ended_at=None).order_by("-started_at")
        tasks = ReferralTask.objects.open().filter(referral__patient=person).select_related("pool__service", "provider")
        return Opened(opening, person, tuple(stays), tuple(tasks.order_by("-requested_at", "pk")))


@transaction.atomic
def review(*, opening_id: UUID, verdict: str, words: str, by: User, at: datetime) -> GlassOpening:
    """A manager says whether it was right. Raises NotAllowed, NotFound, Invalid and Conflict (`reviewed`)."""
    if not by.is_manager:
        raise NotAllowed("A manager reviews this.")
    opening = GlassOpening.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=opening_id).first()
    if opening is None:
        raise NotFound("There is no such opening.")
    if opening.verdict:
        raise Conflict("This was reviewed already.", code="reviewed")
    if opening.by_id == by.pk:
        raise NotAllowed("You opened this record yourself. Another manager reviews it.")
    if verdict not in (GlassOpening.Verdict.JUSTIFIED, GlassOpening.Verdict.NOT_JUSTIFIED):
        raise Invalid("Choose whether it was justified.", field="verdict")
    words = words.strip()
    if not 5 <= len(words) <= 500:
        raise Invalid("Say in 5 to 500 letters how you came to this.", field="words")
    opening.verdict, opening.verdict_words, opening.reviewed_by, opening.reviewed_at = verdict, words, by, at
    opening.save(update_fields=["verdict", "verdict_words", "reviewed_by", "reviewed_at"])
    return opening


def open_now(user: User, at: datetime) -> QuerySet[GlassOpening]:
    """What a user has open now."""
    return GlassOpening.objects.visible_to(user).filter(by=user.pk, until__gt=at)


@transaction.atomic(durable=True)
def _note_guess(by: User, at: datetime) -> None:
    """Each try is written down before anything is looked up, one of a user after the other, so that many at once are not more than few.

    It stays though nothing is found; as it belongs to nobody's record, it is told of who guessed. What was opened was not wrong. Raises
    Conflict (`too-many-guesses`).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(by.pk.bytes[:8], "big", signed=True)])
    tries = AuditEntry.objects.filter(user_id=by.pk, action="guess", purpose=PURPOSE, at__gt=at - SPAN).count()
    if tries - GlassOpening.objects.filter(by=by, opened_at__gt=at - SPAN).count() >= MOST_GUESSES:
        raise Conflict("You have tried too often. Wait an hour, or ring the team that looks after the person.", code="too-many-guesses")
    AuditEntry.objects.create(
        at=at, user_id=by.pk, organization_id=by.organization_id, role=by.role, action="guess", record_type="patient",
        record_id=by.pk, purpose=PURPOSE,
    )  # fmt: skip
