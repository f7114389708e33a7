"""One referral over the API: as it stands, and what its sender changes of it after it was sent."""

from datetime import timedelta
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from core.api import user_of
from core.preconditions import expected_mark
from flow import editing, operations
from flow.api.asking import IF_MATCH, once_shown
from flow.api.serializers import ReferralDetailSerializer
from flow.api.views import OPTIONAL_KEY, show_referral
from flow.models import Referral


class ReferralEditSerializer(serializers.Serializer):
    """What is to be changed; what is left out stays. `why` is for both sides, for a provider once it has said yes."""

    urgency = serializers.ChoiceField(choices=Referral.Urgency.choices, required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=editing.LONGEST_REASON)
    needed_by = serializers.DateField(required=False, allow_null=True)
    answer_within = serializers.IntegerField(
        required=False, allow_null=True, min_value=15, max_value=20160, help_text="Minutes to answer; null: as the urgency says."
    )
    why = serializers.CharField(max_length=editing.LONGEST_WHY)
    unfit = serializers.ChoiceField(
        choices=[editing.KEEP, editing.WITHDRAW], required=False, help_text="Of services that no longer fit, after `no-longer-fits`."
    )


class ReferralDetail(APIView):
    """One referral, with the ETag that a change of it, or of its list, names."""

    @extend_schema(operation_id="referrals_retrieve", responses=ReferralDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return show_referral(request, pk)

    @extend_schema(
        operation_id="referrals_edit",
        parameters=[IF_MATCH, OPTIONAL_KEY],
        request=ReferralEditSerializer,
        responses=ReferralDetailSerializer,
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what it says: 428 without `If-Match`, 412 when anything of it has changed since, 409 `no-longer-fits` when a service
        would not fit any more and `unfit` does not say what becomes of it, 409 `locked` once it is closed or finished.
        """
        get_object_or_404(Referral.objects.visible_to(user_of(request)), pk=pk)
        mark = expected_mark(request)
        told = ReferralEditSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        changes = dict(told.validated_data)
        if changes.get("answer_within") is not None:
            changes["answer_within"] = timedelta(minutes=changes["answer_within"])

        def change() -> object:
            return operations.edit_referral(referral_id=pk, by=user_of(request), at=clock.now(), expected=mark, **changes)

        return once_shown(request, pk, change)
