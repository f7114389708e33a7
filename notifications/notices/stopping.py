"""“No more of these”: by one press on a link in an e-mail, by STOP in a text message, or because an address does not work."""

from datetime import datetime
from uuid import UUID

from django.core import signing
from django.db import transaction

from catalogue.models import User
from core.errors import NotFound
from notifications.models import PersonChoices

_SALT = "lune.notices.stop"
ASKED, BOUNCED = "asked", "bounced"
#: Whole messages, as people write them.
_STOP = {"stop", "stop all", "stopall", "unsubscribe", "end", "quit", "cancel"}


def token(user_id: UUID | None, route: str) -> str:
    """What stands in a link: whose messages, by which route. It stops and starts them, and opens nothing else."""
    return signing.dumps([str(user_id), route], salt=_SALT)


def read(text: str) -> tuple[UUID, str]:
    """Whose messages, and by which route. Raises NotFound for what nobody signed."""
    try:
        user_id, route = signing.loads(text, salt=_SALT)
        return UUID(user_id), str(route)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotFound("This link is not whole. Copy all of it from the message.") from error


def is_stopped(text: str) -> bool:
    """Whether the messages of a link have stopped."""
    user_id, route = read(text)
    return PersonChoices.objects.filter(user_id=user_id, **{f"{route}_stopped_at__isnull": False}).exists()


@transaction.atomic
def stop(*, user_id: UUID, route: str, because: str, at: datetime) -> bool:
    """No more messages to this person by this route. Returns whether they came until now; what stands on the site stays."""
    if not User.objects.filter(pk=user_id).exists():
        return False
    PersonChoices.objects.get_or_create(user_id=user_id)
    own = PersonChoices.objects.select_for_update().get(user_id=user_id)
    if getattr(own, f"{route}_stopped_at") is not None:
        # What a person asks for holds, also once an address that bounced works again.
        if because == ASKED and getattr(own, f"{route}_stopped_because") != ASKED:
            setattr(own, f"{route}_stopped_because", because)
            own.save(update_fields=[f"{route}_stopped_because"])
        return False
    setattr(own, f"{route}_stopped_at", at)
    setattr(own, f"{route}_stopped_because", because)
    own.save(update_fields=[f"{route}_stopped_at", f"{route}_stopped_because"])
    return True


@transaction.atomic
def start(*, user_id: UUID, route: str) -> None:
    """Messages come again, as they were chosen."""
    PersonChoices.objects.filter(user_id=user_id).update(**{f"{route}_stopped_at": None, f"{route}_stopped_because": ""})


def stop_by_text(*, sender: str, text: str, at: datetime) -> int:
    """STOP, from a number to which we write. Returns for how many people it was."""
    if text.strip().strip(".!").lower() not in _STOP:
        return 0
    people = PersonChoices.objects.filter(mobile=sender, mobile_confirmed_at__isnull=False).values_list("user_id", flat=True)
    return sum(stop(user_id=user_id, route="sms", because=ASKED, at=at) for user_id in people)
