"""Held places over the API: a team holds, extends and gives back its own; a provider reads which team holds its places, never for whom."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capacity.models import Reservation
from core import audit, clock, idempotency
from core.api import Page, user_of
from flow import operations
from flow.api.views import KEY, PAGES

State = Reservation.State


class HoldSerializer(serializers.ModelSerializer):
    """One held place. `episode` and `referral` are told to the team that holds it, and are null for the provider."""

    service = serializers.UUIDField(source="pool.service_id")
    service_name = serializers.CharField(source="pool.service.name")
    team = serializers.CharField(source="organization.name")
    state_words = serializers.CharField(source="get_state_display")
    episode = serializers.SerializerMethodField()
    referral = serializers.SerializerMethodField()

    class Meta:
        model = Reservation
        fields = [
            "id", "pool", "service", "service_name", "team", "state", "state_words", "created_at", "expires_at", "extended_at", "ended_at",
            "ended_because", "episode", "referral",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_episode(self, hold: Reservation) -> Any:
        kept = getattr(hold, "episode_hold", None)
        return kept.episode_id if kept and self._is_own(hold) else None

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_referral(self, hold: Reservation) -> Any:
        task = getattr(hold, "referral_task", None)
        return task.referral_id if task and self._is_own(hold) else None

    def _is_own(self, hold: Reservation) -> bool:
        user = self.context["user"]
        return user.is_referrer and user.organization_id == hold.organization_id


class NewHoldSerializer(serializers.Serializer):
    """A place of `pool`, kept for the person of `episode`, for as long as the policy of its care type says."""

    episode = serializers.UUIDField()
    pool = serializers.UUIDField()


class HoldList(APIView):
    """Holds of one's own organisation, or on its own places. For a team each person's is a row of the read audit."""

    @extend_schema(
        operation_id="holds_list",
        parameters=[*PAGES, OpenApiParameter("state", enum=list(State.values), description="Held ones, unless said.")],
        responses=HoldSerializer(many=True),
    )
    @transaction.atomic
    def get(self, request: Request) -> Response:
        state = request.query_params.get("state", State.HELD)
        if state not in State.values:
            raise ValidationError({"state": f"Use one of: {', '.join(State.values)}."})
        page = Page()
        found = page.paginate_queryset(_holds(request).filter(state=state).order_by("expires_at", "pk"), request, self)
        _note(request, found)
        return page.get_paginated_response(_shown(request, found))

    @extend_schema(operation_id="holds_create", parameters=[KEY], request=NewHoldSerializer, responses={201: HoldSerializer})
    def post(self, request: Request) -> Response:
        told = NewHoldSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            asked = told.validated_data
            hold = operations.hold_place(episode_id=asked["episode"], pool_id=asked["pool"], by=user_of(request), at=clock.now())
            found = [_holds(request).get(pk=hold.reservation_id)]
            _note(request, found)
            return _shown(request, found)[0], status.HTTP_201_CREATED

        return idempotency.once(request, act)


class HoldDetail(APIView):
    @extend_schema(operation_id="holds_retrieve", responses=HoldSerializer)
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        return _one(request, pk)


class HoldExtend(APIView):
    """Keep a place longer, once: 409 `extended-already`, `hold-ended` or `not-extended` when that cannot be."""

    @extend_schema(operation_id="holds_extend", request=None, responses=HoldSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return _do(request, pk, operations.extend_hold)


class HoldRelease(APIView):
    """Give a place back. Giving back what has ended changes nothing."""

    @extend_schema(operation_id="holds_release", request=None, responses=HoldSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return _do(request, pk, operations.let_go)


def _holds(request: Request) -> QuerySet[Reservation]:
    found = Reservation.objects.visible_to(user_of(request))
    return found.select_related("pool__service", "organization", "episode_hold__episode", "referral_task__referral")


def _note(request: Request, holds: list[Reservation]) -> None:
    """Ids of a person's stay and referral are a look at that person."""
    people = set()
    for hold in holds:
        if not user_of(request).is_referrer or hold.organization_id != user_of(request).organization_id:
            continue
        if kept := getattr(hold, "episode_hold", None):
            people.add(kept.episode.patient_id)
        elif task := getattr(hold, "referral_task", None):
            people.add(task.referral.patient_id)
    audit.record_reads(user=user_of(request), record_type="patient", record_ids=people)


def _shown(request: Request, holds: list[Reservation]) -> Any:
    return HoldSerializer(holds, many=True, context={"user": user_of(request)}).data


@transaction.atomic
def _one(request: Request, pk: UUID) -> Response:
    hold = get_object_or_404(_holds(request), pk=pk)
    _note(request, [hold])
    return Response(_shown(request, [hold])[0])


def _do(request: Request, pk: UUID, verb: Callable[..., Reservation]) -> Response:
    get_object_or_404(Reservation.objects.visible_to(user_of(request)), pk=pk)
    verb(hold_id=pk, by=user_of(request), at=clock.now())
    return _one(request, pk)
