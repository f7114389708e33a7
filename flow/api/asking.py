"""Whom a referral asks, over the API: one more service, the order of those to come, one left out, the next now, or enough of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock, idempotency
from core.api import user_of
from core.errors import Conflict
from core.preconditions import PreconditionFailed, expected_mark
from flow import asking
from flow.api.serializers import ReferralSerializer
from flow.api.views import OPTIONAL_KEY, show_referral
from flow.models import QueuedAsk, Referral

IF_MATCH = OpenApiParameter(
    "If-Match", location=OpenApiParameter.HEADER, required=True, description="The ETag of the referral as it was read."
)


class ReferralStepSerializer(serializers.Serializer):
    """What a step needs: `pools` to ask also and for the new order, `pool` to leave out, `reason` to close."""

    pools = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=asking.MOST_ASKED)
    pool = serializers.UUIDField(required=False, help_text="A service of the list that has not been asked.")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    even_so = serializers.BooleanField(default=False, help_text="Ask also those whose entries speak against this person.")


def _ask_also(request: Request, pk: UUID, told: dict[str, Any], how: dict[str, Any]) -> None:
    asking.ask_also(referral_id=pk, pool_ids=told["pools"], even_so=told["even_so"], **how)


def _order(request: Request, pk: UUID, told: dict[str, Any], how: dict[str, Any]) -> None:
    asking.order(referral_id=pk, pool_ids=told["pools"], **how)


def _leave_out(request: Request, pk: UUID, told: dict[str, Any], how: dict[str, Any]) -> None:
    entry = get_object_or_404(QueuedAsk.objects.visible_to(user_of(request)), referral=pk, pool=told.get("pool"))
    asking.leave_out(entry_id=entry.pk, **how)


def _ask_next(request: Request, pk: UUID, told: dict[str, Any], how: dict[str, Any]) -> None:
    asking.ask_next(referral_id=pk, **how)


def _close(request: Request, pk: UUID, told: dict[str, Any], how: dict[str, Any]) -> None:
    asking.close(referral_id=pk, reason=told["reason"], **how)


STEPS: dict[str, Callable[[Request, UUID, dict[str, Any], dict[str, Any]], None]] = {
    "ask-also": _ask_also,
    "order": _order,
    "leave-out": _leave_out,
    "ask-next": _ask_next,
    "close": _close,
}


def once_shown(request: Request, pk: UUID, change: Callable[[], object]) -> Response:
    """Change a referral, once for an idempotency key, and answer with it as it is then. What was read too long ago is 412."""

    def act() -> tuple[Any, int]:
        try:
            change()
        except Conflict as error:
            if error.code != "stale-version":
                raise
            raise PreconditionFailed(error.message) from error
        return {"id": pk}, status.HTTP_200_OK

    if idempotency.HEADER not in request.headers:
        act()
        return show_referral(request, pk)
    kept = idempotency.once(request, act)
    shown = show_referral(request, pk)
    if "Idempotency-Replayed" in kept.headers:
        shown["Idempotency-Replayed"] = kept.headers["Idempotency-Replayed"]
    return shown


class ReferralStep(APIView):
    """Change whom a referral asks, on what was read of it: 428 without `If-Match`, 412 when anything of it has changed since.

    With an `Idempotency-Key` the same change may be sent again safely.
    """

    @extend_schema(
        operation_id="referrals_step",
        parameters=[OpenApiParameter("action", location=OpenApiParameter.PATH, enum=list(STEPS)), IF_MATCH, OPTIONAL_KEY],
        request=ReferralStepSerializer,
        responses=ReferralSerializer,
    )
    def post(self, request: Request, pk: UUID, action: str) -> Response:
        if action not in STEPS:
            raise Http404
        get_object_or_404(Referral.objects.visible_to(user_of(request)), pk=pk)
        told = ReferralStepSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        how = {"by": user_of(request), "at": clock.now(), "expected": expected_mark(request)}

        return once_shown(request, pk, lambda: STEPS[action](request, pk, told.validated_data, how))
