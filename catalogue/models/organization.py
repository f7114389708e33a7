"""Organisations that provide, refer, commission or curate."""

import uuid
from typing import Self

import pghistory
from django.db import models

from core.scoping import VisibleQuerySet


class OrganizationQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Organisations are public facts, except those that are confidential (a refuge's, for example)."""
        if getattr(user, "is_authenticated", False) and user.is_professional:
            return self.all()
        return self.filter(is_confidential=False)


@pghistory.track()
class Organization(models.Model):
    """A legal or working body: trust, practice, council, care provider, charity, ICB."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", "Hospital"
        PRACTICE = "practice", "General practice"
        COUNCIL = "council", "Council"
        PROVIDER = "provider", "Care provider"
        CHARITY = "charity", "Charity or community group"
        NHS_COMMUNITY = "nhs-community", "NHS community or mental health provider"
        ICB = "icb", "Integrated care board"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.PROVIDER)
    email = models.EmailField(blank=True)
    website = models.URLField(max_length=500, blank=True)
    ods_code = models.CharField(max_length=10, null=True, blank=True, unique=True)
    cqc_provider_id = models.CharField(max_length=20, null=True, blank=True, unique=True)
    company_number = models.CharField(max_length=12, blank=True)
    charity_number = models.CharField(max_length=12, blank=True)
    is_confidential = models.BooleanField(default=False)
    edits_need_approval = models.BooleanField(default=False, help_text="A curator approves what this organisation changes in its entries.")
    source = models.CharField(max_length=100, blank=True, help_text="Who published this record, and where.")
    source_id = models.CharField(max_length=200, blank=True)
    source_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Practice(models.Model):
    """A general practice's place in the NHS: its PCN and ICB, from the ODS files."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="practice")
    pcn_code = models.CharField(max_length=10, blank=True)
    pcn_name = models.CharField(max_length=200, blank=True)
    icb_code = models.CharField(max_length=10, blank=True)

    def __str__(self) -> str:
        return str(self.organization)
