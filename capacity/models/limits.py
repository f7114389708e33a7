"""What a provider says about taking people in: how many newcomers a day, and rooms that people share."""

from typing import Self

from django.db import models
from django.db.models import Q

from catalogue.models import Service
from core.scoping import VisibleQuerySet

from .pool import ServiceCapacity


class Infection(models.TextChoices):
    """An infection for which somebody is kept apart. Not a diagnosis: only what decides whose room it may be."""

    NONE = "", "None known"
    COVID = "covid-19", "COVID-19"
    FLU = "flu", "Flu"
    NOROVIRUS = "norovirus", "Norovirus (sickness and diarrhoea)"
    C_DIFFICILE = "c-difficile", "C. difficile"
    MRSA = "mrsa", "MRSA"
    OTHER = "other", "Another one: a room of their own"


class AdmissionLimitQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of the services that the user may see."""
        return self.filter(service__in=Service.objects.visible_to(user))


class AdmissionLimit(models.Model):
    """At most so many newcomers a day, to one pool of places (a ward, a unit) or, without one, to the whole service."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="admission_limits")
    pool = models.OneToOneField(ServiceCapacity, on_delete=models.CASCADE, null=True, blank=True, related_name="admission_limit")
    a_day = models.PositiveSmallIntegerField()

    objects = AdmissionLimitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service"],
                condition=Q(pool__isnull=True),
                name="one_limit_of_a_service",
                violation_error_message="This service already says how many newcomers it takes a day.",
            ),
            models.CheckConstraint(
                condition=Q(a_day__gte=1),
                name="a_limit_lets_somebody_in",
                violation_error_message="Allow at least one newcomer a day. To take nobody, say that the places are closed for now.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.a_day} a day"


class SharedRoomQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of the pools that the user may see."""
        return self.filter(pool__in=ServiceCapacity.objects.visible_to(user))


class SharedRoom(models.Model):
    """The places of a pool are in one room that people share: women or men, and nobody beside somebody with an infection.

    `sex` and `infection` tell who is in it now; an empty room takes whoever comes first.
    """

    pool = models.OneToOneField(ServiceCapacity, on_delete=models.CASCADE, primary_key=True, related_name="shared_room")
    sex = models.CharField(max_length=10, choices=[("", "Nobody"), ("female", "Women"), ("male", "Men")], blank=True, default="")
    infection = models.CharField(max_length=20, choices=Infection.choices, blank=True, default="")

    objects = SharedRoomQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(sex="") | Q(infection=""),
                name="an_empty_room_has_no_infection",
                violation_error_message="Say whether women or men are in the room, as somebody in it has an infection.",
            )
        ]

    def __str__(self) -> str:
        return f"Room of {self.pool_id}"
