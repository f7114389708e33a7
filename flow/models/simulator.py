"""How fast the demonstration moves. One row, which an administrator changes while it runs."""

from django.db import models


class SimulatorControl(models.Model):
    """The pace of `manage.py simulate`, read before each event. There is only the row with id 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    running = models.BooleanField(default=True, help_text="Untick to let the region stand still.")
    pace = models.FloatField(default=1.0, help_text="Events a second, on average. 0 stands still.")

    class Meta:
        verbose_name_plural = "simulator control"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_simulator_control"),
            models.CheckConstraint(
                condition=models.Q(pace__gte=0, pace__lte=20),
                name="simulator_pace_in_range",
                violation_error_message="Give a pace from 0 to 20 events a second.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pace:g} events a second" if self.running else "standing still"

    @classmethod
    def current(cls) -> "SimulatorControl":
        """The row, made if it is not there."""
        return cls._default_manager.get_or_create(pk=1)[0]

    @property
    def rate(self) -> float:
        """Events a second to make now."""
        return self.pace if self.running else 0.0
