"""Places over the API: anybody signed in reads them, their own provider changes them."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capacity import operations
from capacity.api.serializers import CapacitySerializer, ReportSerializer
from capacity.models import ServiceCapacity, Via
from capacity.queries import pool_states, with_state
from capacity.status import Rag
from core import clock
from core.api import Page, user_of
from core.errors import Conflict, NotAllowed
from core.preconditions import PreconditionFailed, etag, expected_version

IF_MATCH = OpenApiParameter("If-Match", location=OpenApiParameter.HEADER, required=True, description='The ETag that you read, "v7".')


class CapacityList(APIView):
    """Places of the services that the user may see, with their colour now."""

    @extend_schema(
        operation_id="capacities_list",
        parameters=[
            OpenApiParameter("service", OpenApiTypes.UUID, description="Places of one service."),
            OpenApiParameter("care_type", description="Code of a care type."),
            OpenApiParameter("rag", enum=[rag.value for rag in Rag], description="Only pools that show this colour now."),
            OpenApiParameter("page", OpenApiTypes.INT),
            OpenApiParameter("per_page", OpenApiTypes.INT),
        ],
        responses=CapacitySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        pools = ServiceCapacity.objects.visible_to(user_of(request)).order_by("service__name", "name", "pk")
        if service := request.query_params.get("service"):
            pools = pools.filter(service=_uuid(service))
        if care_type := request.query_params.get("care_type"):
            pools = pools.filter(care_type__code=care_type)
        page, at = Page(), clock.now()
        colour = request.query_params.get("rag")
        if colour and colour not in list(Rag):
            raise ValidationError({"rag": f"Use one of: {', '.join(Rag)}."})
        if colour:
            # A colour is never stored: it is a matter of the instant, so all are looked at.
            states = page.paginate_queryset([state for state in with_state(pools, at) if state.rag == colour], request, self)
        else:
            ids = page.paginate_queryset(pools.values_list("pk", flat=True), request, self)
            found = pool_states(ids, at)
            states = [found[pk] for pk in ids]
        return page.get_paginated_response(CapacitySerializer(states, many=True).data)


class CapacityDetail(APIView):
    """One pool. A change needs the version that it was made on."""

    @extend_schema(operation_id="capacities_retrieve", responses=CapacitySerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return self._answer(request, pk)

    @extend_schema(operation_id="capacities_report", parameters=[IF_MATCH], request=ReportSerializer, responses=CapacitySerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        visible = ServiceCapacity.objects.visible_to(user_of(request))
        get_object_or_404(visible, pk=pk)
        if not visible.run_by(user_of(request)).filter(pk=pk).exists():
            raise NotAllowed("Only the provider that runs these places can change their figures.")
        version = expected_version(request)
        told = ReportSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        try:
            operations.report(
                pool_id=pk, by=user_of(request), at=clock.now(), via=Via.API, expected_version=version, **told.validated_data
            )  # fmt: skip
        except Conflict as error:
            if error.code != "stale-version":
                raise
            raise PreconditionFailed(error.message, version=error.details["version"]) from error
        return self._answer(request, pk)

    def _answer(self, request: Request, pk: UUID) -> Response:
        pools = ServiceCapacity.objects.visible_to(user_of(request)).filter(pk=pk)
        states = with_state(pools, clock.now())
        if not states:
            raise Http404
        state = states[0]
        return Response(CapacitySerializer(state).data, headers={"ETag": etag(state.version)})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({"service": "That is not an id."}) from None
