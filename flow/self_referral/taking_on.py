"""From a request that a service says yes to, to the records of an ordinary referral: place, person, need and words."""

from datetime import date, datetime
from uuid import UUID

from capacity.models import ServiceCapacity
from catalogue.models import User
from catalogue.queries import find_place
from core import clock
from core.errors import Invalid
from flow import consents
from flow.models import Consent, Patient, Referral, SelfReferral
from flow.self_referral.queries import places_of
from matching.models import NeedProfile

#: Where those are counted who came by themselves to a service that counts no places.
UNCOUNTED = "People who asked themselves"


def pool_for(request: SelfReferral, pool_id: UUID | None, at: datetime) -> ServiceCapacity:
    """The places that the person gets one of; where the service counts none, a list of its own, which is offered to nobody."""
    places = places_of(request.service, at)
    if pool_id is None and len(places) == 1:
        return places[0]
    if places:
        if chosen := next((pool for pool in places if pool.pk == pool_id), None):
            return chosen
        raise Invalid("Choose for which of your places this is.", field="pool")
    assert request.service.care_type is not None  # only such services take these requests
    return ServiceCapacity.objects.get_or_create(
        service=request.service, location=None, name=UNCOUNTED, starts_at=None,
        defaults={"care_type": request.service.care_type, "is_open": False, "shown_to_public": False},
    )[0]  # fmt: skip


def patient_for(request: SelfReferral, born: date, by: User, at: datetime) -> Patient:
    """The person as a record of the organisation that takes them on; one who asked it before, and was checked, is not recorded again."""
    if request.identity_check:
        before = Patient.objects.filter(
            organization=request.service.organization_id, given_name__iexact=request.given_name, family_name__iexact=request.family_name,
            birth_date=born, postcode=request.postcode, referrals__source=Referral.Source.SELF,
        ).exclude(referrals__self_referral__identity_check="")  # fmt: skip
        if known := before.order_by("created_at").first():
            return known
    return Patient.objects.create(
        organization_id=request.service.organization_id,
        given_name=request.given_name,
        family_name=request.family_name,
        birth_date=born,
        postcode=request.postcode,
        point=find_place(request.postcode).point,
        phone=request.phone,
        email=request.email,
        created_at=at,
        created_by=by,
    )


def profile_for(request: SelfReferral, patient: Patient, by: User, at: datetime) -> NeedProfile:
    """What they need, as matching reads it."""
    place = find_place(request.postcode)
    assert request.service.care_type is not None  # only such services take these requests
    return NeedProfile.objects.create(
        organization_id=request.service.organization_id,
        created_by=by,
        created_at=at,
        age=patient.age_on(at.date()),
        outcode=place.outcode,
        point=place.point,
        place_is_approximate=place.approximate,
        care_types=[request.service.care_type.code],
        needs=request.needs,
        referral_source="self" if request.for_whom == SelfReferral.ForWhom.ME else "carer",
    )


def note_agreements(request: SelfReferral, patient: Patient, by: User, at: datetime) -> None:
    """What they ticked on the form is the beginning of the history of what they agreed to."""
    ways = {"sms": Consent.Purpose.TEXT, "email": Consent.Purpose.EMAIL}
    told = [(Consent.Purpose.CARE, request.share_agreed_at)]
    if request.news_to is not None:
        told.append((ways[request.news_to[0]], request.news_agreed_at))
    for purpose, agreed in told:
        if agreed is not None and not consents.consented(patient, purpose):
            consents.keep(
                patient, purpose=purpose, decision=Consent.Decision.GIVEN, source=Consent.Source.WRITTEN,
                decided_on=clock.local_date(agreed), by=by, at=at,
            )  # fmt: skip


def as_asked(request: SelfReferral) -> str:
    """What the service goes on reading with the referral: the person's own words, and how to reach them."""
    voice = "A spoken message may be left." if request.may_leave_message else "Do not leave a spoken message."
    parts = [
        request.words,
        f"Asked by {request.asker_name}." if request.asker_name else "",
        f"Telephone {request.phone}. {voice}" if request.phone else "",
        f"E-mail {request.email}." if request.email else "",
        request.contact_note,
        "A doctor’s practice told them to ask." if request.told_by == SelfReferral.ToldBy.PRACTICE else "",
        "May speak to the general practice." if request.gp_agreed_at else "Did not agree that you speak to the general practice.",
    ]
    return "\n".join(filter(None, parts))
