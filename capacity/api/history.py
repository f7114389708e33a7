"""The history of one pool over the API, and what may come."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capacity.models import PoolDay
from capacity.outlook import outlooks
from capacity.series import SMALL, of, told
from core import clock
from core.api import user_of
from core.errors import Invalid

from .views import seen

MOST_DAYS, USUAL_DAYS = 730, 28


class PoolDaySerializer(serializers.ModelSerializer):
    """One day. Of another organisation's pool, numbers of people under 5 are null."""

    filled = serializers.SerializerMethodField()
    reopened = serializers.SerializerMethodField()
    holds = serializers.SerializerMethodField()
    expired = serializers.SerializerMethodField()

    class Meta:
        model = PoolDay
        fields = (
            "day", "maximum", "available", "held", "occupied", "least_free", "most_free", "free_hours", "known_hours", "reports", "filled",
            "reopened", "holds", "expired",
        )  # fmt: skip

    def _told(self, number: int) -> int | None:
        return told(number, small=self.context["small"])

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_filled(self, row: PoolDay) -> int | None:
        return self._told(row.filled)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_reopened(self, row: PoolDay) -> int | None:
        return self._told(row.reopened)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_holds(self, row: PoolDay) -> int | None:
        return self._told(row.holds)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_expired(self, row: PoolDay) -> int | None:
        return self._told(row.expired)


class PeriodSerializer(serializers.Serializer):
    """The days together. Shares are of one; null: not known, or of too few people to be told."""

    occupancy = serializers.FloatField(allow_null=True)
    with_place = serializers.FloatField(allow_null=True, help_text="Of the time in which the figure could be believed.")
    stale = serializers.FloatField(help_text="The share of the time in which no figure could be believed.")
    taken = serializers.IntegerField(allow_null=True, help_text="Through Lune, less those given back.")
    turnover = serializers.FloatField(allow_null=True, help_text="Taken, of each 100 places.")
    days_to_fill = serializers.FloatField(allow_null=True, help_text="Median days from free until taken.")
    reports = serializers.IntegerField()


class ChanceSerializer(serializers.Serializer):
    days = serializers.IntegerField(help_text="Within so many days.")
    chance = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class OutlookSerializer(serializers.Serializer):
    """What may come. No chances: too little history, or nobody has told the figure for a week."""

    made_on = serializers.DateField()
    days = serializers.IntegerField(help_text="Days of history that it rests on; 28 are needed.")
    is_forecast = serializers.BooleanField(help_text="False: chances say what was usual, for a forecast was no better than a guess.")
    chances = ChanceSerializer(many=True)
    wait = serializers.DecimalField(6, 1, allow_null=True, help_text="Median days until a place came when it was full.")
    wait_low = serializers.DecimalField(6, 1, allow_null=True)
    wait_high = serializers.DecimalField(6, 1, allow_null=True)


class CapacityHistorySerializer(serializers.Serializer):
    pool = serializers.UUIDField()
    days = PoolDaySerializer(many=True)
    period = PeriodSerializer()
    forecast = OutlookSerializer(allow_null=True)


class CapacityHistory(APIView):
    """Whole days, up to yesterday, the newest first."""

    for_keys = problems = True

    @extend_schema(
        operation_id="capacities_history",
        parameters=[OpenApiParameter("days", OpenApiTypes.INT, description=f"How many days, up to {MOST_DAYS}; usually {USUAL_DAYS}.")],
        responses=CapacityHistorySerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        visible = seen(request).filter(pk=pk)
        pool = get_object_or_404(visible.select_related("service"))
        small = 0 if pool.service.organization_id == user_of(request).organization_id else SMALL
        at = clock.now()
        last = clock.local_date(at) - timedelta(days=1)
        first = last - timedelta(days=_days(request.query_params.get("days")) - 1)
        rows = PoolDay.objects.visible_to(user_of(request)).filter(pool=pk, day__range=(first, last)).order_by("-day")
        answer: dict[str, Any] = {
            "pool": pk,
            "days": rows,
            "period": of(visible, first=first, last=last, small=small).whole,
            "forecast": outlooks([pk], at).get(pk),
        }
        return Response(CapacityHistorySerializer(answer, context={"small": small}).data)


def _days(text: str | None) -> int:
    if not text:
        return USUAL_DAYS
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DAYS):
        raise Invalid(f"“days” is a number from 1 to {MOST_DAYS}.")
    return int(text)
