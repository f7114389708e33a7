"""One message at a time: begun, sent, and what came of it kept; tried again for hours, then put before an administrator.

The attempt is written down before it is made and its outcome after, each in a transaction of its own: nothing is locked while another
machine answers. A worker that dies between the two leaves a message that may have gone: it is sent again, under the same id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from uuid import UUID

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from catalogue.importers import network
from catalogue.importers.run import BrokenSource
from catalogue.models import User
from core import mail, sms
from core.errors import Conflict, NotFound
from notifications.models import Delivery, Notice, PersonChoices
from notifications.models.delivery import Route, State
from notifications.notices import caught, operations, outbox, preferences, signing, stopping, webhooks, words

#: Seconds until the next try. Mail server and gateway are back within hours; a system of others may need two days.
AGAIN: dict[str, tuple[int, ...]] = {
    Route.EMAIL: (6, 36, 240, 1_320, 7_200),
    Route.SMS: (6, 36, 240, 1_320, 7_200),
    Route.WEBHOOK: (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 57_600),
}
#: What a system of others may take to answer, and how much of its answer is looked at: none.
_LIMITS = network.Limits(answer_bytes=0, seconds=15, quiet_seconds=10, redirects=0)
GONE = 410
#: By so much the clocks of worker and database may differ.
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try. `never` says that no other try would end otherwise; `gateway_id` is what the carrier calls it."""

    taken: bool
    because: str = ""
    never: bool = False
    gateway_id: str = ""


def deliver(*, delivery_id: UUID, at: datetime) -> State | None:
    """Send one message, if it is still to be sent and due. Returns what became of it."""
    begun = _begin(delivery_id, at)
    if begun is None:
        return None
    outcome = _send(begun, at)
    return _end(begun.pk, outcome, at)


@transaction.atomic
def _begin(delivery_id: UUID, at: datetime) -> Delivery | None:
    """Lock it, see whether it is still wanted, and write down that it is being tried."""
    found = Delivery.objects.select_for_update(of=("self",)).select_related("webhook", "user").filter(pk=delivery_id).first()
    if found is None or found.state not in (State.WAITING, State.TRYING) or found.due_at > at + _SKEW:
        return None
    to = found.webhook.url if found.webhook else _wanted_at(found)
    if not to or (found.webhook and not found.webhook.works):
        found.state = State.NOT_NEEDED if found.webhook is None else State.FAILED
        found.failed_because = "" if found.webhook is None else "The address was switched off before this was sent."
        found.failed_at = at if found.webhook else None
        found.save(update_fields=["state", "failed_because", "failed_at"])
        return None
    found.state, found.sent_to = State.TRYING, to
    found.attempts += 1
    found.save(update_fields=["state", "sent_to", "attempts"])
    return found


def _wanted_at(delivery: Delivery) -> str:
    """Where it goes; empty when its reader has read all of it on the site, wants no more messages, or has left."""
    user = delivery.user
    if user is None or not user.is_active or user.organization_id != delivery.organization_id:
        return ""
    if not _untold(delivery).exists():
        return ""
    return outbox.address(preferences.of_user(user), Route(delivery.route))


def _untold(delivery: Delivery) -> QuerySet[Notice]:
    """Its notices that were not read meanwhile."""
    return delivery.notices.filter(read_at=None)


def _send(delivery: Delivery, at: datetime) -> Outcome:
    if delivery.webhook is not None:
        return _call(delivery, at)
    told = list(_untold(delivery).order_by("at", "pk"))
    kinds, ids = [notice.kind for notice in told], [notice.pk for notice in told]
    try:
        if delivery.route == Route.SMS:
            return Outcome(taken=True, gateway_id=sms.gateway().send(delivery.sent_to, words.text_message(kinds, ids)))
        letter = words.letter(delivery, kinds, ids, to=delivery.sent_to)
        letter.send()
        return Outcome(taken=True, gateway_id=mail.sent_as(letter, words.message_id(delivery))[:120])
    except SMTPRecipientsRefused:
        return Outcome(taken=False, because="The mail server does not know this address.", never=True)
    except sms.Refused as error:
        return Outcome(taken=False, because=str(error), never=True)
    except OSError as error:  # of which every fault of mail server and gateway is one; its words may quote the address
        return Outcome(taken=False, because=f"The {'gateway' if delivery.route == Route.SMS else 'mail server'} could not be reached "
                                            f"({type(error).__name__}).")  # fmt: skip


def _call(delivery: Delivery, at: datetime) -> Outcome:
    """Tell a system of others. Only a 2xx is a yes; it is never followed elsewhere, and never inside a private network."""
    assert delivery.webhook is not None
    content = signing.body(delivery)
    headers = signing.headers(delivery, delivery.webhook, content, at=at)
    if caught.keeps(delivery.sent_to):
        caught.keep(delivery.sent_to, headers, content, at=at)
        return Outcome(taken=True)
    try:
        with network.Client(allow_private=settings.WEBHOOK_PRIVATE, limits=_LIMITS) as client:
            status = client.post(delivery.sent_to, content, headers)
    except network.Refused:
        return Outcome(taken=False, because="We do not go to this address: it is unknown, or inside a private network.")
    except (httpx.HTTPError, httpx.InvalidURL, BrokenSource, OSError) as error:
        return Outcome(taken=False, because=f"It could not be reached ({type(error).__name__}).")
    if 200 <= status < 300:
        return Outcome(taken=True)
    return Outcome(taken=False, because=f"It answered {status}.", never=status == GONE)


@transaction.atomic
def _end(delivery_id: UUID, outcome: Outcome, at: datetime) -> State:
    """Keep what came of a try; the next one, if there is to be one, is put by in the same transaction."""
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("webhook", "user").get(pk=delivery_id)
    if outcome.taken:
        # A receipt may have been faster than we.
        delivery.state = State.ARRIVED if delivery.arrived_at or delivery.webhook else State.SENT
        delivery.sent_at, delivery.gateway_id, delivery.failed_because, delivery.failed_at = at, outcome.gateway_id, "", None
        if delivery.webhook is not None:
            delivery.arrived_at = at
            webhooks.answered(delivery.webhook, at=at)
    elif outcome.never or delivery.attempts > len(AGAIN[delivery.route]):
        delivery.state, delivery.failed_at, delivery.failed_because = State.FAILED, at, outcome.because[:200]
    else:
        delivery.state, delivery.failed_because = State.WAITING, outcome.because[:200]
        delivery.due_at = at + timedelta(seconds=AGAIN[delivery.route][delivery.attempts - 1])
    delivery.save()
    if delivery.state == State.WAITING:
        outbox.enqueue(delivery)
    if not outcome.taken and delivery.webhook is not None:
        webhooks.failed(delivery.webhook, for_good=delivery.state == State.FAILED, because=outcome.because, at=at)
    elif delivery.state == State.FAILED and outcome.never:
        bounced(delivery, at=at)
    return State(delivery.state)


# --- what carriers tell afterwards


@transaction.atomic
def receipt(*, gateway_id: str, route: str, delivered: bool, because: str, at: datetime, to: str = "") -> bool:
    """A carrier says what became of a message. With `to` it must be who that message went to. Returns whether it is one of ours."""
    found = Delivery.objects.select_for_update(of=("self",)).filter(route=route, gateway_id=gateway_id).exclude(gateway_id="").first()
    if found is None or (to and found.sent_to.lower() != to.lower()):
        return False
    if delivered:
        found.state, found.arrived_at, found.failed_at, found.failed_because = State.ARRIVED, at, None, ""
        found.save(update_fields=["state", "arrived_at", "failed_at", "failed_because"])
    elif found.state in (State.SENT, State.TRYING):
        found.state, found.failed_at, found.failed_because = State.FAILED, at, because[:200]
        found.save(update_fields=["state", "failed_at", "failed_because"])
        bounced(found, at=at)
    return True


def bounced(delivery: Delivery, *, at: datetime) -> None:
    """An address that takes nothing is not written to again; its owner is told on the site. Within the caller's transaction."""
    if delivery.user is None or not stopping.stop(user_id=delivery.user.pk, route=delivery.route, because=stopping.BOUNCED, at=at):
        return
    operations.say("stopped", users=[delivery.user], data={"what": delivery.route}, at=at)


# --- what an administrator does


@transaction.atomic
def try_again(*, delivery_id: UUID, by: User, at: datetime) -> Delivery:
    """Begin anew with a message that failed; an address that had been stopped for that is used again. Raises NotFound or Conflict."""
    delivery = _failed(delivery_id, by)
    if delivery.webhook is not None and not delivery.webhook.works:
        raise Conflict("This webhook is switched off. Its organisation switches it on again under “Webhooks”, then try once more.")
    if delivery.user_id is not None:
        PersonChoices.objects.filter(user_id=delivery.user_id, **{f"{delivery.route}_stopped_because": stopping.BOUNCED}).update(
            **{f"{delivery.route}_stopped_at": None, f"{delivery.route}_stopped_because": ""}
        )
    delivery.state, delivery.attempts, delivery.due_at, delivery.settled_by = State.WAITING, 0, at, by
    delivery.failed_at, delivery.gateway_id = None, ""
    delivery.save()
    outbox.enqueue(delivery)
    return delivery


@transaction.atomic
def give_up(*, delivery_id: UUID, by: User, at: datetime) -> Delivery:
    """It will not be sent, and is off the list. Raises NotFound or Conflict."""
    delivery = _failed(delivery_id, by)
    delivery.state, delivery.settled_by = State.GIVEN_UP, by
    delivery.save(update_fields=["state", "settled_by"])
    return delivery


def _failed(delivery_id: UUID, by: User) -> Delivery:
    delivery = Delivery.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=delivery_id).first()
    if delivery is None:
        raise NotFound("There is no such message.")
    if delivery.state != State.FAILED:
        raise Conflict("This message has not failed, or somebody has dealt with it since you looked.", code="moved-on")
    return delivery
