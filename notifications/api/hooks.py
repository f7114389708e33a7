"""Where gateways of text messages and of e-mail tell us what came in. Each call is signed; the same message twice is one."""

from django.conf import settings
from django.http import HttpRequest

from capacity import replies, reply_mail
from capacity.api.hooks import hook
from core import sms
from core.clock import now
from flow.reminders import answers, sending
from notifications.notices import bounces, delivering, stopping


@hook
def sms_in(request: HttpRequest) -> None:
    """Text messages that came in, and what became of those that went out."""
    at = now()
    for one in sms.gateway().parse_inbound(request):
        if isinstance(one, sms.Receipt):
            replies.receipt(told=one)
            delivering.receipt(gateway_id=one.id, route="sms", delivered=one.delivered, because=one.reason, at=at)
            sending.receipt(gateway_id=one.id, delivered=one.delivered, because=one.reason, at=at)
        else:
            stopping.stop_by_text(sender=one.sender, text=one.text, at=at)
            # A number at which a service is asked answers that question; STOP is for everything that we send there.
            asked = replies.is_asked(one.sender)
            theirs = (not asked or answers.is_stop(one.text)) and answers.take_text(inbound=one, at=at)
            if asked or not theirs:
                replies.receive_sms(message=one, at=at)


@hook
def mail_in(request: HttpRequest) -> None:
    """One e-mail, as it came (RFC 5322), signed with `LUNE_MAIL_SECRET`: an answer, or word that one of ours did not arrive."""
    body = sms.check_signature(request, secret=settings.MAIL_SECRET, at=now(), largest=reply_mail.LARGEST)
    if not bounces.take(body, at=now()):
        replies.receive_mail(mail=reply_mail.read(body), at=now())
