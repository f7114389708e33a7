"""Matching over HTTP: ask, look again, and ask why not."""

from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capacity.models import ServiceCapacity
from core import clock
from core.api import user_of
from matching import operations
from matching.api.plain import teller
from matching.api.serializers import ExplanationSerializer, MatchRunSerializer, NeedSerializer
from matching.models import MatchRun

_told = teller(MatchRunSerializer())


class IsReferrer(BasePermission):
    """Only those who look for places on behalf of people may search."""

    message = "Only referrers can search for a place. Ask your administrator if that is your work."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return bool(user.is_authenticated and user.is_referrer and user.organization_id)


def _answer(run: MatchRun, status: int = 200) -> Response:
    fields = ("id", "at", "profile_id", "considered", "weights_version", "engine_version")
    stored = {name: getattr(run, name) for name in fields}
    told = {"lines": operations.lines(run), "nearest_misses": operations.nearest_misses(run), "parts": operations.parts_of(run)}
    answer = stored | told
    return Response(_told(answer), status=status)


class MatchRunsView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(request=NeedSerializer, responses={201: MatchRunSerializer}, summary="Rank what is free for a need")
    def post(self, request: Request) -> Response:
        need = NeedSerializer(data=request.data)
        need.is_valid(raise_exception=True)
        user = user_of(request)
        with transaction.atomic():
            profile = operations.profile_from(need.validated_data, by=user)
            run = operations.match(profile, by=user, at=clock.now())
        return _answer(run, status=201)


class MatchRunView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(responses=MatchRunSerializer, summary="A ranking as it was")
    def get(self, request: Request, run_id: UUID) -> Response:
        return _answer(get_object_or_404(MatchRun.objects.visible_to(request.user), pk=run_id))


class WhyNotView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(responses=ExplanationSerializer, summary="Why a service is not in a ranking")
    def get(self, request: Request, run_id: UUID, pool_id: UUID) -> Response:
        run = get_object_or_404(MatchRun.objects.visible_to(request.user), pk=run_id)
        pool = get_object_or_404(ServiceCapacity.objects.visible_to(request.user), pk=pool_id)
        return Response(ExplanationSerializer(operations.why_not(run, pool.pk)).data)
