"""What a search of the directory compares: one row for each service, kept by triggers of the database."""

from typing import Any, Self

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField

from core.geo import BNG
from core.scoping import VisibleQuerySet

from .service import Service


class ServiceSearchQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Rows of the services that `user` may see. What is public stands in the row; a test holds that against `Service`."""
        if not getattr(user, "is_authenticated", False):
            return self.filter(is_public=True)
        return self.filter(service__in=Service.objects.visible_to(user))


class ServiceSearch(models.Model):
    """A service packed for searching: its words, its marks, its open places.

    Written by triggers (migration `0013_service_search`), so that no way of writing the catalogue escapes it. It decides how long a list
    is, never what is shown: that goes through `Service.objects.visible_to` as well. Confidential places and their towns are in none of it.
    """

    service = models.OneToOneField(
        "catalogue.Service",
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="search",
    )
    is_public = models.BooleanField()
    name = models.CharField(max_length=255)
    names = models.TextField(help_text="Names and towns in small letters, for slips of spelling.")
    words = SearchVectorField(help_text="Words, and marks: terms (#t), those it excludes (#x), days (#d), #free, #online.")
    towns = ArrayField(models.CharField(max_length=100), default=list)
    points = models.MultiPointField(srid=BNG, null=True)
    minimum_age = models.PositiveSmallIntegerField(null=True)
    maximum_age = models.PositiveSmallIntegerField(null=True)
    assured_on = models.DateField(null=True)

    objects = ServiceSearchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "service searches"
        indexes = [
            # Few rows wait to be put into an index: each search reads all of those that do.
            GinIndex(fields=["words"], name="search_words", gin_pending_list_limit=256),
            models.Index(models.F("assured_on").desc(nulls_last=True), "name", "service", name="search_order"),
        ]

    def __str__(self) -> str:
        return self.name
