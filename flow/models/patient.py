"""The person."""

import uuid
from typing import Self

import pghistory
import pgtrigger
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from stdnum.exceptions import ValidationError as NumberError
from stdnum.gb import nhs

from catalogue.models import Organization, User
from core.geo import BNG
from core.scoping import VisibleQuerySet

from .sharing import grants_of, is_among, is_caring
from .team import Team, own


def validate_nhs_number(value: str) -> None:
    """Ten digits whose last is the modulus 11 check digit."""
    try:
        nhs.validate(value)
    except NumberError:
        raise ValidationError("That is not an NHS number: it has ten digits, and the last one checks the others.") from None


class PatientQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """The referring organisation's own people, but whom a team keeps to itself; whom one's organisation has taken on; and who was
        granted, by a grant of their record or of one referral.
        """
        if not is_caring(user):
            return self.none()
        grants = grants_of(user)
        seen = Q(is_among("id", grants.filter(patient__isnull=False).values("patient")))
        seen |= Q(is_among("id", grants.filter(referral__isnull=False).values("referral__patient")))
        if user.is_referrer:
            return self.filter(seen | own(user, patient=""))
        from .referral import ReferralTask

        taken_on = ReferralTask.objects.taken_on_by(user.organization_id).order_by().values("referral__patient_id")
        return self.filter(seen | Q(pk__in=taken_on))

    def kept_by(self, user) -> Self:
        """Whose record one may change: people of one's own organisation, and those whose whole record was granted. A grant of one referral
        shows whom it is about and changes nothing.
        """
        if not is_caring(user) or not user.is_referrer:
            return self.none()
        return self.filter(Q(is_among("id", grants_of(user).filter(patient__isnull=False).values("patient"))) | own(user, patient=""))


class CurrentPatients(models.Manager.from_queryset(PatientQuerySet)):  # type: ignore[misc]  # a class made at run time
    """People as everybody meets them: a record that was merged into another is found by nobody, but by `Patient.with_merged`."""

    def get_queryset(self) -> PatientQuerySet:
        return super().get_queryset().filter(merged_into__isnull=True)


def counted_versions(*ignored: str) -> pgtrigger.Trigger:
    """The database counts each change of a row itself, so that whoever edits an older version is told, whichever way the change came."""
    return pgtrigger.Trigger(
        name="count_versions",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        level=pgtrigger.Row,
        condition=pgtrigger.AnyChange(exclude=["version", *ignored]),
        func="NEW.version := OLD.version + 1; RETURN NEW;",
    )


@pghistory.track(exclude=["point"])
class Patient(models.Model):
    """Somebody for whom help is sought, a carer too. Belongs to the organisation that recorded them: of two organisations, two records.

    `flow.people` writes it; each change counts `version` and leaves a row of history.
    """

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Other"
        UNKNOWN = "unknown", "Not known"

    class NumberStatus(models.TextChoices):
        """Whether somebody made sure that the NHS number is this person's. Its check digit only tells that it is a number."""

        VERIFIED = "verified", "Checked: it is theirs"
        UNVERIFIED = "unverified", "Not checked"
        UNKNOWN = "unknown", "Not known whether it was checked"

    class NumberCheck(models.TextChoices):
        """How it was made sure."""

        TRACED = "traced", "Traced in the national register (PDS)"
        DOCUMENT = "document", "Seen on a letter or document of theirs"
        LAUNCHED = "launched", "Came from a record system that had checked it"

    class Route(models.TextChoices):
        """How they would rather be reached."""

        NOT_SAID = "", "Not asked yet"
        PHONE = "phone", "Phone call"
        TEXT = "text", "Text message"
        EMAIL = "email", "E-mail"
        POST = "post", "Letter by post"
        THROUGH = "through", "Through somebody else"

    class AccessNeed(models.TextChoices):
        """What the Accessible Information Standard asks to record, flag and pass on."""

        LARGE_PRINT = "large-print", "Large print"
        BRAILLE = "braille", "Braille"
        AUDIO = "audio", "Audio, or read aloud"
        EASY_READ = "easy-read", "Easy Read: short words with pictures"
        EMAIL_TEXT = "electronic", "Sent as a file that a screen reader can read"
        BSL = "bsl", "British Sign Language interpreter"
        DEAFBLIND = "deafblind", "Deafblind communicator or guide"
        LIPREADING = "lip-reading", "Lip reads: face them, speak clearly"
        HEARING_LOOP = "hearing-loop", "Hearing loop"
        TEXT_RELAY = "text-relay", "Relay UK (text relay)"
        ADVOCATE = "advocate", "An advocate or supporter at their side"
        LONGER = "longer-time", "More time to talk and answer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="patients")
    nhs_number = models.CharField(max_length=10, blank=True, validators=[validate_nhs_number])
    nhs_status = models.CharField(
        max_length=10, choices=NumberStatus.choices, default=NumberStatus.UNKNOWN, db_default=NumberStatus.UNKNOWN
    )
    nhs_checked_how = models.CharField(max_length=10, choices=NumberCheck.choices, blank=True, default="", db_default="")
    nhs_checked_at = models.DateTimeField(null=True, blank=True)
    nhs_checked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    address = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="House and street; the postcode is apart.")
    postcode = models.CharField(max_length=8)
    point = models.PointField(srid=BNG, null=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True, default="", db_default="")
    preferred_contact = models.CharField(max_length=10, choices=Route.choices, blank=True, default="", db_default="")
    contact_note = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="When, through whom and how it is safe to reach them."
    )
    preferred_language = models.CharField(max_length=10, default="en")
    needs_interpreter = models.BooleanField(default=False, db_default=False)
    access_needs = ArrayField(
        models.CharField(max_length=20, choices=AccessNeed.choices), default=list, db_default=[], blank=True,
        help_text="What they need to read, hear and be understood.",
    )  # fmt: skip
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="patients")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1, db_default=1)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = CurrentPatients()
    with_merged = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name"]
        indexes = [models.Index(fields=["organization", "birth_date"], name="patient_born")]
        triggers = [counted_versions()]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "nhs_number"],
                condition=~Q(nhs_number="") & Q(merged_into__isnull=True),
                name="one_patient_per_nhs_number",
                violation_error_message="Your organisation already has a person with this NHS number.",
            ),
            models.CheckConstraint(
                condition=Q(nhs_status="verified", nhs_checked_at__isnull=False) & ~Q(nhs_number="") & ~Q(nhs_checked_how="")
                | ~Q(nhs_status="verified") & Q(nhs_checked_how="", nhs_checked_at__isnull=True),
                name="a_checked_number_says_how",
                violation_error_message="Say how it was made sure that the NHS number is theirs, or leave it as not checked.",
            ),
            models.CheckConstraint(
                condition=Q(preferred_contact__in=["", "post", "through"])
                | Q(preferred_contact__in=["phone", "text"]) & ~Q(phone="")
                | Q(preferred_contact="email") & ~Q(email=""),
                name="reached_as_they_prefer",
                violation_error_message="Enter the phone number or e-mail address by which they would rather be reached.",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
                name="nobody_is_merged_into_themselves",
                violation_error_message="Choose two records: a person cannot be merged into themselves.",
            ),
        ]

    def __str__(self) -> str:
        # Never a name: this string reaches logs and errors.
        return f"Patient {self.pk}"

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def access_words(self) -> list[str]:
        """What they need to read, hear and be understood, in words."""
        return [str(self.AccessNeed(code).label) for code in self.access_needs if code in self.AccessNeed.values]

    def age_on(self, day) -> int:
        """Completed years on that day."""
        return day.year - self.birth_date.year - ((day.month, day.day) < (self.birth_date.month, self.birth_date.day))
