"""What sender and provider say to each other about one request."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet
from flow.workflow import Side, Status

from .referral import ReferralTask
from .sharing import is_caring


class MessageQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Both sides of the request; of the provider only while it has said yes, what was written freely, as that may name the person."""
        if not is_caring(user):
            return self.none()
        found = self.filter(task__in=ReferralTask.objects.visible_to(user).order_by().values("pk"))
        if user.is_provider:
            too_early = Q(task__provider_id=user.organization_id) & ~Q(task__status__in=Status.known_to_provider())
            found = found.exclude(Q(kind=Message.Kind.TEXT) & too_early)
        return found

    def unread_by(self, user) -> Self:
        """What the other side wrote and nobody of the user's side has opened. Who looks on by a grant is on neither side."""
        found = self.visible_to(user).filter(read_at__isnull=True)
        if getattr(user, "is_provider", False):
            return found.filter(side=Side.REFERRER, task__provider_id=user.organization_id)
        return found.filter(side=Side.PROVIDER, task__referral__organization_id=getattr(user, "organization_id", None))


class Message(models.Model):
    """One message of a thread; the thread is the `ReferralTask`. Only that it was read is ever added."""

    class Kind(models.TextChoices):
        QUESTION = "question", "Question"
        ANSWER = "answer", "Answer"
        TEXT = "text", "Message"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(ReferralTask, on_delete=models.PROTECT, related_name="messages")
    side = models.CharField(max_length=10, choices=[(side.value, side.label) for side in (Side.REFERRER, Side.PROVIDER)])
    kind = models.CharField(max_length=10, choices=Kind.choices)
    question = models.CharField(max_length=30, blank=True, help_text="A code of flow.casework.questions; empty: asked in own words.")
    answer = models.CharField(max_length=30, blank=True, help_text="The answer that was chosen, as its code or its day.")
    answers = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="answered_by")
    words = models.TextField(max_length=2000, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    key = models.UUIDField(default=uuid.uuid4, help_text="Of the form or request that sent it, so that it is sent once.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When somebody of the other side first opened it.")
    read_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        triggers = [
            pgtrigger.Protect(
                name="messages_stay",
                operation=pgtrigger.UpdateOf("task_id", "side", "kind", "question", "answer", "answers_id", "words", "at", "key")
                | pgtrigger.Delete,
            )
        ]
        indexes = [
            models.Index(fields=["task", "at"], name="messages_of_a_task"),
            models.Index(fields=["task"], condition=Q(read_at__isnull=True), name="unread_messages"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "side", "key"], name="sent_once", violation_error_message="This message has been sent already."
            ),
            models.CheckConstraint(
                condition=Q(kind="answer", answers__isnull=False, words="") & ~Q(answer="")
                | Q(kind="question", answers__isnull=True, answer="") & (~Q(question="") | ~Q(words=""))
                | Q(kind="text", answers__isnull=True, question="", answer="") & ~Q(words=""),
                name="a_message_says_something",
                violation_error_message="Write a message, or choose a question or an answer.",
            ),
        ]

    def __str__(self) -> str:
        # Never its words: this string reaches logs and errors.
        return f"{self.get_kind_display()} {self.pk}"
