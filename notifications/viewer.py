"""Who is at the other end of a socket, and what of a change they may learn."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet

from capacity.models import ServiceCapacity
from catalogue.models import Service
from core import acting
from flow.models import Referral, ReferralTask

#: Kinds of topic that concern one organisation or person: permission is read anew at each delivery, never remembered. Of the others a
#: viewer is told only the name, which it knew when it was let in; what is behind it is fetched, and checked, page by page.
PRIVATE = ("org:", "referral:", "user:")


class Viewer:
    """A user, signed in or not, as known when the socket was opened. The consumer closes the socket when that changes."""

    def __init__(self, user: Any) -> None:
        self.user = user

    @cached_property
    def catalogue(self) -> str:
        """The SQL of the places this viewer sees. Two viewers with the same text see the same places, by construction.

        Writing it takes milliseconds: `watch.answer` does so in its thread, so that the hub never writes a thousand in a row.
        """
        try:
            return sys.intern(str(ServiceCapacity.objects.visible_to(self.user).order_by().query))
        except EmptyResultSet:
            return ""

    @property
    def standing(self) -> tuple[Any, ...]:
        """What permissions hang on. When it changes, the socket starts over."""
        user = self.user
        return (user.pk, user.is_active, getattr(user, "role", None), getattr(user, "organization_id", None))


def in_audience(user: Any, audience: frozenset[UUID] | None) -> bool:
    """Whether `user` belongs to an organisation that may learn of an event; an audience of None is everybody."""
    return audience is None or getattr(user, "organization_id", None) in audience


def pools_seen(user: Any, ids: Iterable[UUID]) -> set[UUID]:
    """Those of `ids` that `user` may see."""
    wanted = set(ids)
    return set(ServiceCapacity.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


def topics_seen(user: Any, topics: Iterable[str]) -> set[str]:
    """Those of `topics` that `user` may listen to; what nobody knows is left out like what is not theirs."""
    with acting.for_user(user):
        return _topics_seen(user, topics)


def _topics_seen(user: Any, topics: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    by_kind: dict[str, dict[UUID, str]] = defaultdict(dict)
    for topic in topics:
        kind, _, name = topic.partition(":")
        if topic == "region":
            if user.is_authenticated and user.is_professional:
                seen.add(topic)
        else:
            try:
                by_kind[kind][UUID(name)] = topic
            except ValueError:
                continue
    if pools := by_kind["pool"]:
        seen.update(pools[pk] for pk in pools_seen(user, pools))
    if services := by_kind["service"]:
        found = Service.objects.visible_to(user).filter(pk__in=services).values_list("pk", flat=True)
        seen.update(services[pk] for pk in found)
    own = getattr(user, "organization_id", None)
    if own in by_kind["org"] and user.is_active:
        seen.add(by_kind["org"][own])
    if user.pk in by_kind["user"] and user.is_active:
        seen.add(by_kind["user"][user.pk])
    if referrals := by_kind["referral"]:
        sent = Referral.objects.visible_to(user).filter(pk__in=referrals).values_list("pk", flat=True)
        received = ReferralTask.objects.visible_to(user).filter(referral_id__in=referrals).values_list("referral_id", flat=True)
        seen.update(referrals[pk] for pk in {*sent, *received})
    return seen
