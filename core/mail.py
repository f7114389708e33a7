"""Mail through a provider's own HTTP interface, by django-anymail, for sites that choose one (`LUNE_MAIL_PROVIDER`); else by SMTP.

Its errors are told as those of SMTP, so that whoever sends knows one kind alone: an address that takes nothing, and a server that is away.
"""

from smtplib import SMTPRecipientsRefused
from typing import Any

from anymail import urls
from anymail.exceptions import AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

_NO_SUCH_ADDRESS = 550


class ProviderAway(OSError):
    """The provider cannot be reached, is too busy, or has not been set up rightly: the same message may be sent again later."""


class ProviderBackend(BaseEmailBackend):
    """Hands letters to the backend of the chosen provider."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        options.pop("fail_silently", None)
        self._backend = import_string(f"anymail.backends.{settings.MAIL_PROVIDER}.EmailBackend")(*args, **options)

    def open(self) -> bool | None:
        opened: bool | None = self._backend.open()
        return opened

    def close(self) -> None:
        self._backend.close()

    def send_messages(self, email_messages: Any) -> int:
        sent = 0
        for letter in email_messages:
            try:
                sent += self._backend.send_messages([letter]) or 0
            except (AnymailRecipientsRefused, AnymailInvalidAddress):
                raise SMTPRecipientsRefused(dict.fromkeys(letter.recipients(), (_NO_SUCH_ADDRESS, b"refused"))) from None
            except (AnymailError, OSError) as error:
                # Also where the interface refuses the call itself: that may be our own setting, for which no reader's address is stopped.
                # What it says may quote an address: only the kind of the fault is kept.
                raise ProviderAway(f"The provider of mail could not be reached ({type(error).__name__}).") from None
        return sent


def sent_as(letter: EmailMessage, ours: str) -> str:
    """What the carrier calls a letter that was just sent, by which its receipt will name it: our own id, unless a provider gave one."""
    status = getattr(letter, "anymail_status", None)
    return ours if status is None or status.message_id is None else str(status.message_id)


@csrf_exempt
def receipts(request: HttpRequest) -> HttpResponse:
    """Where the provider tells what became of letters, signed in with `LUNE_MAIL_RECEIPT_SECRET`; without that there is no such address."""
    name = f"{settings.MAIL_PROVIDER}_tracking_webhook"
    view = next((one.callback for one in urls.urlpatterns if one.name == name), None)
    if view is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    answer: HttpResponse = view(request)
    return answer
