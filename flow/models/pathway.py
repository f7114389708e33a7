"""Pathways: what is asked, of whom, by when, as configuration of which each version stays as it was."""

import uuid
from typing import Any, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, Service, User
from core.scoping import VisibleQuerySet


class PathwayQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Everybody who is signed in may read how care is meant to go; an administrator sees those that are not in use too."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        return self.all() if user.is_administrator else self.in_use()

    def in_use(self) -> Self:
        """Those that somebody may refer on."""
        published = PathwayVersion.objects.filter(published_at__isnull=False).order_by().values("pathway")
        return self.filter(is_active=True, pk__in=published)

    def open_to(self, user) -> Self:
        """Those on which `user` may refer now: in use, and for everybody or for the organisation of `user`."""
        chosen = Pathway.organizations.through.objects
        anybody = ~models.Exists(chosen.filter(pathway=models.OuterRef("pk")))
        own = models.Exists(chosen.filter(pathway=models.OuterRef("pk"), organization=user.organization_id))
        return self.visible_to(user).in_use().filter(anybody | own)


class Pathway(models.Model):
    """A way through care, such as cancer support. What it asks stands in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", "Use small letters, digits and single hyphens.")],
        error_messages={"unique": "Another pathway has this code."},
    )
    name = models.CharField(max_length=100)
    for_whom = models.CharField(max_length=300)
    organizations = models.ManyToManyField(Organization, blank=True, related_name="+", help_text="Who refers on it. None: everybody.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = PathwayQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def current(self) -> "PathwayVersion | None":
        """The newest version that is published."""
        return self.versions.filter(published_at__isnull=False).order_by("-number").first()


class PathwayVersionQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Published ones; drafts are the administrator's."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        return self.all() if user.is_administrator else self.filter(published_at__isnull=False)


class PathwayVersion(models.Model):
    """What a pathway asked and expected from one day on. A draft until it is published; then it never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pathway = models.ForeignKey(Pathway, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    questions = models.JSONField(default=list, blank=True, help_text="See `flow.pathways.configuration.Question`.")
    steps = models.JSONField(default=list, blank=True, help_text="See `flow.pathways.configuration.Expected`.")
    care_types = ArrayField(models.CharField(max_length=100), default=list, blank=True, help_text="Empty: any kind of care.")
    services = models.ManyToManyField(Service, blank=True, related_name="+", help_text="None: any service of these kinds.")
    outcome_tools = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    outcome_days = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Days after the yes on which each tool is due, by its name."
    )
    role_names = models.JSONField(default=list, blank=True, help_text="See `flow.pathways.configuration.RoleName`.")
    note = models.CharField(max_length=200, blank=True, help_text="What changed.")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = PathwayVersionQuerySet.as_manager()

    class Meta:
        ordering = ["pathway", "-number"]
        triggers = [
            pgtrigger.Protect(
                name="published_stays",
                operation=pgtrigger.UpdateOf(
                    "pathway_id",
                    "number",
                    "questions",
                    "steps",
                    "care_types",
                    "outcome_tools",
                    "outcome_days",
                    "role_names",
                    "published_at",
                ),
                condition=pgtrigger.Q(old__published_at__isnull=False),
            ),
            pgtrigger.Protect(name="published_is_kept", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__published_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["pathway", "number"], name="version_of_a_pathway"),
            models.UniqueConstraint(
                fields=["pathway"],
                condition=Q(published_at__isnull=True),
                name="one_draft_of_a_pathway",
                violation_error_message="Somebody is changing this pathway already. Open that draft.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pathway} {self.number}"

    def role_name(self, role: str, *, area: str = "") -> str:
        """What people call a role where they live: the area's own name, else the general one, else the plain words."""
        return _role_name(self.role_names, role, area)


def _role_name(names: list[dict[str, Any]], role: str, area: str) -> str:
    found = {entry["area"]: entry["name"] for entry in names if entry["role"] == role}
    return found.get(area) or found.get("") or role.replace("-", " ")
