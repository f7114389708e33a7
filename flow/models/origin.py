"""How a referral came to the team that entered it."""

from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet

from .referral import Referral


class ReferralOriginQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of referrals that one may see."""
        return self.filter(referral__in=Referral.objects.visible_to(user))


class ReferralOrigin(models.Model):
    """By which way, from whom and on which day a referral arrived, when it was not typed by who made it."""

    class Channel(models.TextChoices):
        PAPER = "paper", "On paper"
        EMAIL = "email", "By e-mail"
        PHONE = "phone", "By phone"
        IN_PERSON = "in-person", "In person"
        RECORD = "record", "From a patient record system"

    class Sector(models.TextChoices):
        """Who made it: every door into the system, in or out of the NHS."""

        PRACTICE = "practice", "A GP practice"
        WARD = "ward", "A hospital ward: discharge"
        EMERGENCY = "emergency", "An emergency department"
        AMBULANCE = "ambulance", "The ambulance service"
        MENTAL = "mental-health", "A mental health team"
        COMMUNITY = "community", "A community health team"
        SOCIAL = "social-care", "A council or social care"
        VOLUNTARY = "voluntary", "A charity or advice service"
        FAITH = "faith", "A faith group"
        HOUSING = "housing", "A housing association"
        PERSON = "person", "The person, or their family"
        OTHER = "other", "Somebody else"

    referral = models.OneToOneField(Referral, on_delete=models.CASCADE, primary_key=True, related_name="origin")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    sector = models.CharField(max_length=16, choices=Sector.choices)
    sender = models.CharField(max_length=120, blank=True, help_text="Who sent it: a person or organisation.")
    received_on = models.DateField(help_text="The day on which it arrived. The person has waited since.")

    objects = ReferralOriginQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.channel} {self.received_on}"
