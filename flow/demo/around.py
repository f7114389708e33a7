"""Who is around people in the demonstration, what they agreed to, how they are reached; and one of them recorded twice."""

import random
from datetime import datetime

from catalogue.models import User
from core import clock
from core.errors import Conflict
from flow import consents, operations
from flow.demo.logins import LOGINS
from flow.demo.names import GIVEN
from flow.models import Episode, Patient

#: So many of those who wait at each log-in's organisation have more told of them.
TOLD = 8
ROUTES = ("phone", "phone", "text", "through")
NEEDS: tuple[list[str], ...] = (["large-print"], ["hearing-loop", "longer-time"], ["easy-read"], [], [], [])


def load(*, seed: int, at: datetime) -> int:
    """Tell more of some people who wait. Returns of how many. The region must be there."""
    chance = random.Random(f"{seed}/around")
    told = 0
    for by in User.objects.filter(role=User.Role.REFERRER, email__in=[login.email for login in LOGINS]).order_by("email"):
        waiting = Episode.objects.waiting().filter(organization=by.organization).select_related("patient").order_by("ready_at", "pk")[:TOLD]
        for number, stay in enumerate(waiting):
            _tell(stay, number, chance, by, at)
            told += 1
        if waiting and by.organization is not None and not _twice(by):
            _again(waiting[0].patient, by, at)
    return told


def _tell(stay: Episode, number: int, chance: random.Random, by: User, at: datetime) -> None:
    person = stay.patient
    route = chance.choice(ROUTES) if person.phone else "through"
    operations.edit_patient(
        patient_id=person.pk,
        version=person.version,
        by=by,
        at=at,
        preferred_contact=route,
        contact_note="Through the daughter, after five." if route == "through" else "",
        access_needs=chance.choice(NEEDS),
        **({"nhs_checked_how": "traced"} if person.nhs_number and number % 3 else {}),
    )
    given = chance.choice(GIVEN["female"])
    try:
        operations.add_related(
            patient_id=person.pk, by=by, at=at, name=f"{given} {person.family_name}", relation="child", is_next_of_kin=True,
            may_be_told=True, care="cares" if number % 2 else "", phone=person.phone,
        )  # fmt: skip
    except Conflict:
        return
    for purpose, decision in (("direct-care", "given"), ("text", "given" if route == "text" else "refused")):
        if consents.of(person, purpose) is None:
            consents.keep(person, purpose=purpose, decision=decision, source="said", decided_on=clock.local_date(at), by=by, at=at)
    if stay.kind == Episode.Kind.HOSPITAL and not stay.criteria_to_reside:
        operations.edit_episode(
            episode_id=stay.pk, version=stay.version, by=by, at=at, criteria_to_reside="none", reside_reviewed_on=clock.local_date(at)
        )


def _twice(by: User) -> bool:
    return Patient.objects.filter(organization=by.organization, contact_note__startswith="Recorded again").exists()


def _again(person: Patient, by: User, at: datetime) -> None:
    """The same person as somebody else typed them: without the number, the last letter of the name slipped."""
    operations.add_patient(
        by=by, at=at, given_name=person.given_name, family_name=person.family_name[:-1] + "e", birth_date=person.birth_date,
        postcode=person.postcode, sex=person.sex, is_another=True, contact_note="Recorded again by the night team.",
    )  # fmt: skip
