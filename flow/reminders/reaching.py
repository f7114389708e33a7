"""By which way a message reaches a person: as they chose, where they agreed, or through whoever is told in their place."""

from dataclasses import dataclass

import phonenumbers

from capacity.models import Channel
from core import sms
from core.errors import Invalid
from flow import consents
from flow.models import Consent, Patient, PersonMessage, RelatedPerson

_Route = Patient.Route
_PURPOSE: dict[str, Consent.Purpose] = {Channel.SMS: Consent.Purpose.TEXT, Channel.EMAIL: Consent.Purpose.EMAIL}
#: By these ways, and no other, anybody can be written to.
WRITTEN = (_Route.TEXT, _Route.EMAIL, _Route.THROUGH)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a message goes, and through whom."""

    channel: str
    address: str
    related: RelatedPerson | None = None


def way(patient: Patient) -> Reach | None:
    """How messages about appointments reach a person; None where they are told some other way, or want none."""
    if patient.preferred_contact == _Route.THROUGH:
        return _through(patient)
    channel = {_Route.TEXT: Channel.SMS, _Route.EMAIL: Channel.EMAIL}.get(_Route(patient.preferred_contact))
    if channel is None or not consents.may_message(patient, patient.preferred_contact):
        return None
    address = _address(channel, patient.phone, patient.email)
    return Reach(channel, address) if address else None


def _through(patient: Patient) -> Reach | None:
    """Whoever cares for them, or is next of kin, whom they agree to have told: as that person prefers, where they have a record."""
    people = RelatedPerson.objects.filter(patient=patient, may_be_told=True).current().select_related("person")
    for related in sorted(people, key=lambda one: (one.care != RelatedPerson.Care.CARES, not one.is_next_of_kin, one.created_at)):
        own = related.person
        phone, email = related.phone or (own.phone if own else ""), related.email or (own.email if own else "")
        chosen = own.preferred_contact if own else ""
        for channel in (Channel.SMS, Channel.EMAIL) if chosen != _Route.EMAIL else (Channel.EMAIL, Channel.SMS):
            address = _address(channel, phone, email)
            refused = consents.says_no(patient, _PURPOSE[channel]) or (own is not None and consents.says_no(own, _PURPOSE[channel]))
            if address and not refused and not has_stopped(patient, address):
                return Reach(channel, address, related)
    return None


def has_stopped(patient: Patient, address: str) -> bool:
    """Whether whoever has this address wanted no more messages about this person."""
    return PersonMessage.objects.filter(patient=patient, sent_to=address, stopped_at__isnull=False).exists()


def _address(channel: str, phone: str, email: str) -> str:
    """The mobile number in E.164, or the e-mail address; empty where there is none by which this site could write."""
    if channel == Channel.EMAIL:
        return email.strip().lower()
    if not (phone.strip() and sms.is_set_up()):
        return ""
    try:
        number = sms.number(phone)
    except Invalid:
        return ""
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    landline = kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.TOLL_FREE)
    return "" if landline else number


def in_words(patient: Patient) -> str:
    """For whoever must tell them by another way: how they would rather be reached."""
    return str(_Route(patient.preferred_contact).label)
