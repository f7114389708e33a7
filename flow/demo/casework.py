"""What shows that people are worked with: notes, a question and its answer, messages, a document, and calls that are due today."""

import random
from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from catalogue.models import Organization, User
from core.clock import local_date
from flow.casework import operations
from flow.demo.logins import LOGINS
from flow.models import Episode, ReferralTask
from flow.workflow import Status

#: So many people of each log-in that refers are told more of.
PEOPLE = 4
NOTES = (
    "Prefers to be rung in the morning. Hard of hearing: speak slowly.", "Her son visits on Sundays and wants to see the place first.",
    "Does not want to share a room.", "Walks with a frame to the bathroom and back, rests in between.",
)  # fmt: skip
#: What a ward has to do for somebody; then what a practice or a link worker has to do for somebody at home.
TO_DO = ("Ring the family about what was found", "Ask the ward whether the medicines are ready", "Ask how the first days went")
TO_DO_AT_HOME = ("Ring the family about what was found", "Ask the carer how the nights are", "Ask how the first days went")
LETTER = "Discharge letter (invented for the demonstration).\n\nDear colleague,\n\nthis person is ready to leave us.\n"
LETTER_FROM_HOME = (
    "Summary (invented for the demonstration).\n\nDear colleague,\n\nthis person lives at home and would be glad of your help.\n"
)


def load(*, seed: int, at: datetime) -> int:
    """Write these by the doors that people use. Returns how many things were written. The region must be there."""
    chance = random.Random(f"{seed}/casework")
    written = 0
    for by in User.objects.filter(role=User.Role.REFERRER, email__in=[login.email for login in LOGINS]).order_by("email"):
        of_hospital = by.organization is not None and by.organization.kind == Organization.Kind.HOSPITAL
        to_do = TO_DO if of_hospital else TO_DO_AT_HOME
        title, letter = ("Discharge letter", LETTER) if of_hospital else ("Summary of needs", LETTER_FROM_HOME)
        waiting = Episode.objects.visible_to(by).waiting().order_by("ready_at", "pk")[:PEOPLE]
        for number, stay in enumerate(waiting):
            ago = at - timedelta(hours=3 + number * 5)
            operations.write_note(patient_id=stay.patient_id, words=chance.choice(NOTES), by=by, at=ago)
            due = local_date(at) + timedelta(days=number - 1 if number > 1 else 0)
            operations.follow_up(patient_id=stay.patient_id, words=to_do[number % 3], due_on=due, user_id=by.pk, by=by, at=ago)
            written += 2
        if waiting:
            file = ContentFile(letter.encode(), name="letter.txt")
            operations.add_document(patient_id=waiting[0].patient_id, title=title, file=file, by=by, at=at)
            written += 1
        written += _talk(by, at)
    return written


def _talk(by: User, at: datetime) -> int:
    """A service that is asked wants to know something; one that has said yes writes."""
    tasks = ReferralTask.objects.visible_to(by).select_related("pool__service").order_by("requested_at", "pk")
    asked, taken_on = tasks.filter(status=Status.REQUESTED).first(), tasks.filter(status=Status.ACCEPTED).first()
    if asked is not None:
        first = operations.ask(task_id=asked.pk, code="stairs", by=None, at=at - timedelta(minutes=50))
        operations.answer(message_id=first.pk, answer="with-help", by=by, at=at - timedelta(minutes=40))
        operations.ask(task_id=asked.pk, code="ready-when", by=None, at=at - timedelta(minutes=20))
    if taken_on is not None:
        operations.write(task_id=taken_on.pk, words="Which day suits the family for a visit?", by=by, at=at - timedelta(minutes=30))
    return 3 * (asked is not None) + (taken_on is not None)
