"""“There is news”: all that an e-mail or a text message to somebody who asked for help ever says."""

from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse

from catalogue.models import Service
from core import sms
from core.clock import LONDON
from flow import consents
from flow.models import Consent, SelfReferral, SelfReferralLink
from flow.self_referral import links

#: Anybody can type anybody's address: it gets no more than this in a day, whatever is asked.
MOST_A_DAY_TO_AN_ADDRESS = 4
_PURPOSES = {"sms": Consent.Purpose.TEXT, "email": Consent.Purpose.EMAIL}


def tell(request_id: UUID) -> None:
    """Let the person know, once this transaction is done, that there is something to read. For who agreed to none, nothing is sent."""
    from flow.tasks import send_self_referral_news  # the task calls this module

    send_self_referral_news.defer(request_id=str(request_id))


@transaction.atomic
def send(*, request_id: UUID, at: datetime) -> bool:
    """Send one message with a link of its own. Returns whether it was taken; a fault of mail server or gateway is tried again."""
    requests = SelfReferral.objects.select_for_update(of=("self",)).filter(service__in=Service.objects.public())
    request = requests.filter(pk=request_id).first()
    if request is None or request.news_to is None:
        return False
    channel, address = request.news_to
    if request.referral is not None and consents.says_no(request.referral.patient, _PURPOSES[channel]):
        return False  # they told the service since that they want none
    lately = SelfReferralLink.objects.filter(sent_to__iexact=address, created_at__gt=at - timedelta(days=1))
    if lately.count() >= MOST_A_DAY_TO_AN_ADDRESS:
        return False
    token = links.issue(request, at=at, sent_to=address)
    words = _words(request, f"{settings.SITE_URL}{reverse('my-request', args=[token])}", at)
    try:
        with transaction.atomic():
            if channel == "sms":
                sms.gateway().send(address, " ".join(words))
            else:
                headers = {"Auto-Submitted": "auto-generated"}
                EmailMessage(subject=words[0], body="\n\n".join([*words, settings.SITE_NAME]) + "\n", to=[address], headers=headers).send()
    except (sms.Refused, SMTPRecipientsRefused):
        request.links.filter(sent_to=address, created_at=at).delete()
        return False
    return True


def _words(request: SelfReferral, url: str, at: datetime) -> list[str]:
    """Nothing of who, what or whom: whoever else reads it learns that there is a page."""
    if request.state == SelfReferral.State.DRAFT:
        until = (at + links.lasts(request)).astimezone(LONDON)
        return [f"Your link to {settings.SITE_NAME}", f"You can go on until {until:%-d %B}: {url}", "Do not pass it on."]
    return [f"There is news on {settings.SITE_NAME}", f"Read it here: {url}", "Not for you? Open it, and end the messages."]
