"""Addresses to which no letters go, and why."""

from typing import Self

from django.db import models

from core.scoping import VisibleQuerySet


class NoLettersQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Those who keep the directory see who is not written to."""
        if getattr(user, "is_authenticated", False) and (user.is_curator or user.is_administrator):
            return self.all()
        return self.none()


class NoLetters(models.Model):
    """No letters go to an address: about one service, or about any."""

    class Why(models.TextChoices):
        STOPPED = "stopped", "The owner stopped letters"
        BOUNCED = "bounced", "Mail came back"

    id = models.BigAutoField(primary_key=True)
    email = models.EmailField(help_text="In small letters.")
    service = models.ForeignKey("catalogue.Service", on_delete=models.CASCADE, null=True, blank=True, related_name="no_letters")
    why = models.CharField(max_length=10, choices=Why.choices)
    since = models.DateTimeField()
    code = models.CharField(max_length=20, blank=True, help_text="What the receiver's mail server said: 5.1.1 is “no such mailbox”.")

    objects = NoLettersQuerySet.as_manager()

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(fields=["email", "service", "why"], name="no_letters_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=~models.Q(why="bounced") | models.Q(service__isnull=True),
                name="mail_comes_back_from_an_address",
                violation_error_message="Mail that came back says something of the address, not of one service.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_why_display()}"
