"""What is worked out from history: a line for each pool and day, and what may come."""

from typing import Self

from django.db import models
from django.db.models import Q

from core.scoping import VisibleQuerySet

from .pool import ServiceCapacity


class OfSeenPoolsQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of the pools that the user may see."""
        return self.filter(pool__in=ServiceCapacity.objects.visible_to(user))


class PoolDay(models.Model):
    """One pool on one day of London's calendar, summed up from its reports."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    maximum = models.PositiveIntegerField(null=True)
    available = models.PositiveIntegerField(null=True, help_text="At the end of the day; null: not known.")
    held = models.PositiveIntegerField(default=0)
    occupied = models.PositiveIntegerField(null=True)
    least_free = models.PositiveIntegerField(null=True)
    most_free = models.PositiveIntegerField(null=True)
    free_hours = models.DecimalField(max_digits=4, decimal_places=2, help_text="With a place known to be free.")
    known_hours = models.DecimalField(max_digits=4, decimal_places=2, help_text="In which the figure was young enough to be believed.")
    reports = models.PositiveIntegerField(default=0, help_text="Told by the provider.")
    filled = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    holds = models.PositiveIntegerField(default=0)
    expired = models.PositiveIntegerField(default=0)

    objects = OfSeenPoolsQuerySet.as_manager()

    class Meta:
        ordering = ["pool", "day"]
        constraints = [models.UniqueConstraint(fields=["pool", "day"], name="one_line_per_day")]
        indexes = [models.Index(fields=["day"], name="pool_day_day")]

    def __str__(self) -> str:
        return f"{self.pool}, {self.day}"


class PoolForecast(models.Model):
    """How likely a place is, worked out from a pool's own history. The newest row of a pool counts."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(ServiceCapacity, on_delete=models.CASCADE, related_name="forecasts")
    made_on = models.DateField()
    days = models.PositiveIntegerField(help_text="Days of history that it rests on.")
    method = models.CharField(max_length=40, help_text="Name and version of the method; empty: too little history.", blank=True)
    chances = models.JSONField(default=list, help_text="[{days, chance, low, high}] for 1, 3, 7 and 14 days; shares of one.")
    wait_days = models.DecimalField(max_digits=6, decimal_places=1, null=True, help_text="Median wait for a place.")
    wait_low = models.DecimalField(max_digits=6, decimal_places=1, null=True)
    wait_high = models.DecimalField(max_digits=6, decimal_places=1, null=True)

    objects = OfSeenPoolsQuerySet.as_manager()

    class Meta:
        ordering = ["pool", "-made_on"]
        constraints = [models.UniqueConstraint(fields=["pool", "made_on"], name="one_forecast_per_day")]

    def __str__(self) -> str:
        return f"{self.pool}, {self.made_on}"


class ForecastSkill(models.Model):
    """How good the forecast was on days that it had not seen, beside two plain guesses. Shown wherever it is."""

    id = models.BigAutoField(primary_key=True)
    made_on = models.DateField()
    group = models.CharField(max_length=80, blank=True, help_text="Group of care types; empty: all.")
    horizon = models.PositiveSmallIntegerField(help_text="Days ahead.")
    method = models.CharField(max_length=40)
    count = models.PositiveIntegerField(help_text="Forecasts that were held against what came.")
    brier = models.FloatField(help_text="Mean squared error of the chances: 0 is perfect.")
    brier_last = models.FloatField(help_text="Of “as it was last”.")
    brier_weekday = models.FloatField(help_text="Of “as on the same weekday”.")
    calibration = models.JSONField(default=list, help_text="[{said, came, count}]: of those told a chance, how many had a place.")

    class Meta:
        ordering = ["-made_on", "group", "horizon"]
        constraints = [
            models.UniqueConstraint(fields=["made_on", "group", "horizon"], name="one_skill_per_day"),
            models.CheckConstraint(condition=Q(count__gt=0), name="skill_is_measured"),
        ]

    def __str__(self) -> str:
        return f"{self.group or 'all'}, {self.horizon} days: {self.brier:.3f}"
