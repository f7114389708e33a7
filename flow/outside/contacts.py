"""Who answers for a service without an account: registered by whoever keeps the directory, or chosen by a provider for itself."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from catalogue.models import Service, User
from core import acting, sms
from core.errors import Invalid, NotAllowed, NotFound
from flow.models import ReferralTask, ReplyContact
from flow.outside import asked, links
from flow.workflow import Status


def signs_in(organization_id: UUID) -> bool:
    """Whether anybody signs in for a provider and answers there."""
    return User.objects.filter(organization=organization_id, role=User.Role.PROVIDER, is_active=True).exists()


@acting.across("requests that wait go out by the new link")
@transaction.atomic
def register(*, service_id: UUID, name: str, check_made: str, by: User, at: datetime, email: str = "", phone: str = "") -> ReplyContact:
    """From now on requests to this service go to this address as a link; those that wait are sent at once. The contact before ends.

    Raises NotFound, NotAllowed and Invalid (with `field`).
    """
    service = _own(service_id, by)
    if not by.is_provider and signs_in(service.organization_id):
        raise NotAllowed(f"Somebody signs in for {service.organization.name} and answers there. They may choose links for themselves.")
    if not Service.objects.public().filter(pk=service.pk).exists():
        raise Invalid("This service is confidential or not listed, so no links to it are sent.", code="no-links")
    name, email = " ".join(name.split()), email.strip().lower()
    if not name or len(name) > 80:
        raise Invalid("Enter who answers, in at most 80 letters: a person or a desk.", field="name")
    if check_made not in ReplyContact.Check.values:
        raise Invalid("Say how you know that the address is theirs.", field="check_made")
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise Invalid("Enter an e-mail address, like name@example.org.", field="email") from error
    if phone.strip():
        try:
            phone = sms.number(phone)
        except Invalid as error:
            raise Invalid(error.message, field="phone") from error
    if not email and not (phone.strip() and sms.is_set_up()):
        missing = "Enter an e-mail address: this site sends no text messages." if phone.strip() else "Enter an e-mail address or a number."
        raise Invalid(missing, field="email")
    _end(service, by, at)
    contact = ReplyContact.objects.create(
        service=service, name=name, email=email, phone=phone.strip(), check_made=check_made, created_at=at, created_by=by
    )
    asked.tell(list(ReferralTask.objects.filter(pool__service=service, status=Status.REQUESTED).select_related("pool").order_by("pk")))
    return contact


@acting.across("links that were sent end with who answers by them")
@transaction.atomic
def end(*, service_id: UUID, by: User, at: datetime) -> int:
    """No more links for this service; those that were sent end. Returns how many were open. Raises NotFound and NotAllowed."""
    return _end(_own(service_id, by), by, at)


def _end(service: Service, by: User, at: datetime) -> int:
    contact = ReplyContact.objects.active().select_for_update(of=("self",), no_key=True).filter(service=service).first()
    if contact is None:
        return 0
    contact.ended_at, contact.ended_by = at, by
    contact.save(update_fields=["ended_at", "ended_by"])
    return links.revoke_all(contact, at)


def _own(service_id: UUID, by: User) -> Service:
    service = Service.objects.visible_to(by).select_related("organization").filter(pk=service_id).first()
    if service is None:
        raise NotFound("That service is not in the directory. Search again.", code="no-such-service")
    owns = by.is_provider and service.organization_id == by.organization_id
    if not (owns or by.is_curator or by.is_administrator):
        raise NotAllowed("Only those who run this service, or a curator, say who answers for it.")
    return service
