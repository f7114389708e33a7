"""Who is around a person: next of kin, who cares for them or is cared for by them, whom to speak to."""

import uuid
from typing import Self

import pghistory
from django.db import models
from django.db.models import F, Q

from catalogue.models import Organization, User
from core.scoping import VisibleQuerySet

from .patient import Patient, counted_versions


class RelatedPersonQuerySet(VisibleQuerySet):
    def visible_to(self, user) -> Self:
        """Of people whose record one keeps, unless it names somebody whose record one does not see."""
        kept, seen = (people.order_by().values("pk") for people in (Patient.objects.kept_by(user), Patient.objects.visible_to(user)))
        return self.filter(Q(person__isnull=True) | Q(person__in=seen), patient__in=kept)

    def current(self) -> Self:
        """Not ended."""
        return self.filter(ended_at__isnull=True)

    def naming(self, patient: Patient) -> Self:
        """Those that name a person, on either side."""
        return self.filter(Q(patient=patient) | Q(person=patient))

    def cared_for_by(self, patient: Patient) -> Self:
        """Those by which a person cares for somebody."""
        return self.filter(Q(person=patient, care="cares") | Q(patient=patient, care="cared-for"))


@pghistory.track()
class RelatedPerson(models.Model):
    """Somebody who is something to a person (FHIR RelatedPerson). `person` is their own record, where the organisation has one: then
    the tie is read from both sides, and what is known of them is typed once.
    """

    class Relation(models.TextChoices):
        """What they are to the person."""

        PARTNER = "partner", "Husband, wife or partner"
        PARENT = "parent", "Parent"
        CHILD = "child", "Son or daughter"
        SIBLING = "sibling", "Brother or sister"
        RELATIVE = "relative", "Another relative"
        FRIEND = "friend", "Friend"
        NEIGHBOUR = "neighbour", "Neighbour"
        ATTORNEY = "attorney", "Attorney or deputy"
        PROFESSIONAL = "professional", "A professional who knows them"
        OTHER = "other", "Somebody else"

    class Care(models.TextChoices):
        """Whether one of the two cares for the other, unpaid."""

        NONE = "", "Neither cares for the other"
        CARES = "cares", "They care for this person"
        CARED_FOR = "cared-for", "This person cares for them"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="related_people")
    person = models.ForeignKey(
        Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="related_to", help_text="Their own record, if there is one."
    )
    name = models.CharField(max_length=200, blank=True, help_text="Empty when they have a record of their own.")
    relation = models.CharField(max_length=15, choices=Relation.choices)
    care = models.CharField(max_length=10, choices=Care.choices, blank=True, default="")
    is_next_of_kin = models.BooleanField(default=False)
    may_be_told = models.BooleanField(default=False, help_text="The person agrees that they are spoken to about them.")
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, db_default=1)

    objects = RelatedPersonQuerySet.as_manager()

    class Meta:
        ordering = ["-is_next_of_kin", "created_at"]
        triggers = [counted_versions()]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, name="") | Q(person__isnull=True) & ~Q(name=""),
                name="a_related_person_is_named_once",
                violation_error_message="Give a name, or choose a record of your own; not both.",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True) | ~Q(person=F("patient")),
                name="nobody_is_related_to_themselves",
                violation_error_message="That is the same person. Name the other one.",
            ),
            models.UniqueConstraint(
                fields=["patient", "person"],
                condition=Q(person__isnull=False, ended_at__isnull=True),
                name="related_once",
                violation_error_message="These two are noted already. Change that line instead.",
            ),
        ]

    def __str__(self) -> str:
        # Never a name: this string reaches logs and errors.
        return f"Related person {self.pk}"
