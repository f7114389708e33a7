"""Matching over HTTP: ask, look again, and ask why not."""

from uuid import UUID

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
from matching.api.serializers import ExplanationSerializer, LinesSerializer, MatchRunSerializer, NeedSerializer
from matching.models import MatchRun

_told = teller(MatchRunSerializer())
#: Made once: it keeps nothing of what it is given.
_need = NeedSerializer()
_page = LinesSerializer()


class IsReferrer(BasePermission):
    """Only those who look for places on behalf of people may search."""

    message = "Only referrers can search for a place. Ask your administrator if that is your work."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return bool(user.is_authenticated and user.is_referrer and user.organization_id)


def _answer(request: Request, run: MatchRun, status: int = 200) -> Response:
    """The run with the lines that were asked for. What is asked was looked at before."""
    asked = _page.run_validation(request.query_params)
    start = (asked["page"] - 1) * asked["per_page"]
    fields = ("id", "at", "profile_id", "considered", "weights_version", "engine_version")
    stored = {name: getattr(run, name) for name in fields}
    told = {"count": operations.how_many(run), "lines": operations.lines(run, start=start, stop=start + asked["per_page"])}
    told |= {"nearest_misses": operations.nearest_misses(run), "parts": operations.parts_of(run)}
    answer = stored | told
    return Response(_told(answer), status=status)


class MatchRunsView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(
        request=NeedSerializer, parameters=[LinesSerializer], responses={201: MatchRunSerializer}, summary="Rank what is free for a need"
    )
    def post(self, request: Request) -> Response:
        _page.run_validation(request.query_params)  # before anything is stored
        run = operations.ask(_need.run_validation(request.data), by=user_of(request), at=clock.now())
        return _answer(request, run, status=201)


class MatchRunView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(parameters=[LinesSerializer], responses=MatchRunSerializer, summary="A ranking as it was")
    def get(self, request: Request, run_id: UUID) -> Response:
        return _answer(request, get_object_or_404(MatchRun.objects.visible_to(request.user), pk=run_id))


class WhyNotView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(responses=ExplanationSerializer, summary="Why a service is not in a ranking")
    def get(self, request: Request, run_id: UUID, pool_id: UUID) -> Response:
        run = get_object_or_404(MatchRun.objects.visible_to(request.user), pk=run_id)
        pool = get_object_or_404(ServiceCapacity.objects.visible_to(request.user), pk=pool_id)
        return Response(ExplanationSerializer(operations.why_not(run, pool.pk)).data)
