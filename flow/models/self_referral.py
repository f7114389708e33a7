"""Somebody asks a service for help by a form, without an account. Who it is nobody has checked: it waits apart from all referrals."""

import uuid
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q

from catalogue.models import Service, User
from core import sms
from core.scoping import VisibleQuerySet
from flow.workflow import Reason

from .referral import Referral


class SelfReferralQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Sent to a service of one's own. A curator sees those for services of which nobody signs in; nobody sees what is not sent yet."""
        if not getattr(user, "is_authenticated", False) or not user.is_active:
            return self.none()
        sent = self.exclude(state=SelfReferral.State.DRAFT)
        if user.is_provider and user.organization_id:
            return sent.filter(service__organization_id=user.organization_id)
        if user.is_curator:
            answers = User.objects.filter(organization=OuterRef("service__organization"), role=User.Role.PROVIDER, is_active=True)
            return sent.exclude(Exists(answers))
        return self.none()

    def waiting(self) -> Self:
        """Neither accepted nor at an end."""
        return self.filter(state__in=SelfReferral.State.waiting())


class SelfReferral(models.Model):
    """What somebody asked of one service, for themselves or somebody they care for. A yes makes a `Referral` of it."""

    class State(models.TextChoices):
        DRAFT = "draft", "Not sent yet"
        RECEIVED = "received", "New"
        ASKED = "asked", "We asked for more"
        ACCEPTED = "accepted", "We said yes"
        DECLINED = "declined", "We said no"
        WITHDRAWN = "withdrawn", "Taken back"
        DOUBLE = "double", "Same as another"

        @classmethod
        def waiting(cls) -> list[str]:
            """For an answer of the service, or of the person."""
            return [cls.RECEIVED, cls.ASKED]

        @classmethod
        def going_on(cls) -> list[str]:
            """Not at an end."""
            return [*cls.waiting(), cls.ACCEPTED]

    class ForWhom(models.TextChoices):
        ME = "me", "Me"
        OTHER = "other", "Somebody I care for or help"

    class ToldBy(models.TextChoices):
        """Who told them of the service: whether a practice sent them is otherwise known to nobody."""

        PRACTICE = "practice", "A doctor’s practice told me, or gave me a leaflet"
        HOSPITAL = "hospital", "A hospital told me"
        OTHERS = "others", "Family, a friend or a neighbour told me"
        MYSELF = "myself", "I found it myself"

    class Check(models.TextChoices):
        """How somebody made sure that the person is who the form says."""

        PHONE = "phone", "We spoke to them, and what they said agrees"
        SEEN = "seen", "We met them"
        KNOWN = "known", "We know them already"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="self_referrals")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    typed = models.JSONField(default=dict, blank=True, help_text="The boxes as they were left; empty once it is sent.")

    for_whom = models.CharField(max_length=10, choices=ForWhom.choices, default=ForWhom.ME)
    asker_name = models.CharField(max_length=200, blank=True, help_text="Who filled it in, for somebody else.")
    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    age = models.PositiveSmallIntegerField(null=True, blank=True, help_text="When it was sent; without a date of birth.")
    postcode = models.CharField(max_length=8, blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164.")
    may_leave_message = models.BooleanField(default=False, help_text="A spoken message may be left on that telephone.")
    email = models.EmailField(blank=True)
    contact_note = models.CharField(max_length=300, blank=True, help_text="When, and how it is safe, to reach them.")
    needs = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    words = models.TextField(max_length=2000, blank=True)

    told_by = models.CharField(max_length=10, choices=ToldBy.choices, blank=True, default="", db_default="")

    share_agreed_at = models.DateTimeField(null=True, blank=True, help_text="The service may have what is written here.")
    news_agreed_at = models.DateTimeField(null=True, blank=True, help_text="Lune may write that there is news.")
    news_stopped_at = models.DateTimeField(null=True, blank=True)
    gp_agreed_at = models.DateTimeField(null=True, blank=True, help_text="The service may speak to their general practice.")

    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()
    reason = models.CharField(max_length=40, choices=Reason.choices, blank=True, help_text="Why the service said no.")
    reason_text = models.CharField(max_length=300, blank=True, help_text="The person reads this.")
    double_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="doubles")
    identity_check = models.CharField(max_length=10, choices=Check.choices, blank=True, help_text="Empty: nobody has checked who it is.")
    identity_checked_at = models.DateTimeField(null=True, blank=True)
    identity_checked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    referral = models.OneToOneField(Referral, on_delete=models.CASCADE, null=True, blank=True, related_name="self_referral")
    version = models.PositiveIntegerField(default=1)

    objects = SelfReferralQuerySet.as_manager()

    class Meta:
        ordering = ["sent_at"]
        indexes = [models.Index(fields=["service", "state", "sent_at"], name="self_referral_queue")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft")
                | (~Q(given_name="") & ~Q(family_name="") & ~Q(postcode="") & Q(share_agreed_at__isnull=False, sent_at__isnull=False)),
                name="sent_with_name_and_consent",
                violation_error_message="Give the name and the postcode, and say that the service may have what you wrote.",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | ~Q(phone="") | ~Q(email=""),
                name="can_be_reached",
                violation_error_message="Give a phone number or an e-mail address.",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(birth_date__isnull=False) | Q(age__isnull=False, age__lte=125),
                name="asker_has_an_age",
                violation_error_message="Give the age or the date of birth.",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(typed={}),
                name="nothing_half_typed_is_kept",
                violation_error_message="What was typed is kept only until it is sent.",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(referral__isnull=False),
                name="a_yes_is_a_referral",
                violation_error_message="A request that was accepted has a referral.",
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | (~Q(reason="") & ~Q(reason_text="")),
                name="a_no_says_why",
                violation_error_message="Say why, so that the person knows what to do next.",
            ),
            models.CheckConstraint(
                condition=Q(identity_check="", identity_checked_at__isnull=True)
                | (~Q(identity_check="") & Q(identity_checked_at__isnull=False)),
                name="a_check_has_a_day",
                violation_error_message="Say how it was checked who the person is, and when.",
            ),
            models.CheckConstraint(
                condition=Q(double_of__isnull=True) | ~Q(double_of=models.F("id")),
                name="no_double_of_itself",
                violation_error_message="Choose another request: this is the one that you are looking at.",
            ),
        ]

    def __str__(self) -> str:
        # Never a name: this string reaches logs and errors.
        return f"Request {self.pk} ({self.state})"

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def news_to(self) -> tuple[str, str] | None:
        """Where news can be sent, as the way and the address; None when they agreed to none, said stop, or no message goes there."""
        if self.news_agreed_at is None or self.news_stopped_at is not None:
            return None
        if self.email:
            return "email", self.email
        return ("sms", self.phone) if self.phone and sms.is_set_up() else None


class SelfReferralLink(models.Model):
    """By it the person goes on with what they began, and follows what becomes of it. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(SelfReferral, on_delete=models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    sent_to = models.CharField(max_length=254, blank=True, help_text="Empty: shown on the page alone.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["sent_to", "created_at"], name="link_by_address")]

    def __str__(self) -> str:
        return f"Link {self.pk}"

    def is_open(self, at: datetime) -> bool:
        """Whether it can be used."""
        return self.revoked_at is None and at < self.expires_at


class SelfReferralNote(models.Model):
    """A question of the service to the person, or the answer. Never changed."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(SelfReferral, on_delete=models.CASCADE, related_name="notes")
    from_person = models.BooleanField()
    words = models.TextField(max_length=1000)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"Note {self.pk}"
