"""Places over the API: anybody signed in reads them, their own provider changes them."""

from typing import Any
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
from capacity.api.serializers import (
    CapacitySerializer,
    LinesSerializer,
    OutcomesSerializer,
    ProblemSerializer,
    ReportLineSerializer,
    ReportSerializer,
)
from capacity.batch import MOST_LINES, Line, Outcome, report_each
from capacity.models import ServiceCapacity, SystemKey, Via
from capacity.queries import pool_states, with_state
from capacity.status import Rag
from core import clock
from core.api import Page, in_words, user_of
from core.errors import Conflict, Invalid, NotAllowed
from core.idempotency import HEADER, once, once_by_parts
from core.preconditions import PreconditionFailed, etag, expected_version

IF_MATCH = OpenApiParameter("If-Match", location=OpenApiParameter.HEADER, required=True, description='The ETag that you read, "v7".')
PROBLEMS = {(code, "application/problem+json"): ProblemSerializer for code in (400, 403, 404, 409, 412, 422)}


def seen(request: Request) -> Any:
    """The pools that whoever asks may read: a system with a key only those of its own organisation."""
    pools = ServiceCapacity.objects.visible_to(user_of(request))
    return pools.run_by(user_of(request)) if isinstance(request.auth, SystemKey) else pools


def _once(*, needed: bool) -> OpenApiParameter:
    words = "A new one for each request; the same when it is repeated, so that nothing is counted twice."
    return OpenApiParameter(HEADER, location=OpenApiParameter.HEADER, required=needed, description=words)


class CapacityList(APIView):
    """Places of the services that the user may see, with their colour now."""

    for_keys = problems = True

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
        pools = seen(request).order_by("service__name", "name", "pk")
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

    for_keys = problems = True

    @extend_schema(operation_id="capacities_retrieve", responses=CapacitySerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        state = self._state(request, pk)
        return Response(state, headers={"ETag": etag(state["version"])})

    @extend_schema(
        operation_id="capacities_report",
        parameters=[IF_MATCH, _once(needed=False)],
        request=ReportSerializer,
        responses={200: CapacitySerializer, **PROBLEMS},
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        pools = seen(request)
        if not pools.run_by(user_of(request)).filter(pk=pk).exists():
            get_object_or_404(pools, pk=pk)
            raise NotAllowed("Only the provider that runs these places can change their figures.")
        version = expected_version(request)
        told = ReportSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            try:
                operations.report(
                    pool_id=pk, by=user_of(request), at=clock.now(), via=Via.API, expected_version=version, **told.validated_data
                )
            except Conflict as error:
                if error.code != "stale-version":
                    raise
                raise PreconditionFailed(error.message, version=error.details["version"]) from error
            return CapacitySerializer(pool_states([pk], clock.now())[pk]).data, 200

        answer = once(request, act) if HEADER in request.headers else Response(act()[0])
        answer["ETag"] = etag(answer.data["version"])
        return answer

    def _state(self, request: Request, pk: UUID) -> dict[str, Any]:
        states = with_state(seen(request).filter(pk=pk), clock.now())
        if not states:
            raise Http404
        return CapacitySerializer(states[0]).data


class CapacityReports(APIView):
    """Many pools in one request: each line is kept or refused by itself."""

    for_keys = problems = True

    @extend_schema(
        operation_id="capacities_report_many",
        parameters=[_once(needed=True)],
        request=LinesSerializer,
        responses={200: OutcomesSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        sent = request.data.get("reports") if isinstance(request.data, dict) else None
        if not isinstance(sent, list) or not sent:
            raise Invalid("Send an object with “reports”, a list of one line for each pool.")
        if len(sent) > MOST_LINES:
            raise Invalid(f"Send at most {MOST_LINES:,} lines in one request, and the rest in the next.", code="too-many")

        def act(key: str) -> tuple[Any, int]:
            reader = ReportLineSerializer()
            lines = [_line(each, reader) for each in sent]
            outcomes = report_each(lines, by=user_of(request), at=clock.now(), via=Via.API, key=key)
            count = {kind: sum(each.outcome == kind for each in outcomes) for kind in ("kept", "late", "refused")}
            return count | {"reports": [_outcome(*pair) for pair in zip(lines, outcomes, strict=True)]}, 200

        return once_by_parts(request, act)


def _line(sent: Any, reader: ReportLineSerializer) -> Line:
    """What one line says. `reader` reads all lines of a request: to make its fields takes longer than to read with them."""
    try:
        figures = dict(reader.run_validation(sent))
    except ValidationError as error:
        return Line(None, {}, refusal=Invalid(in_words(error.detail)))
    pool, key = figures.pop("pool"), figures.pop("key", "")
    if "version" in figures:
        figures["expected_version"] = figures.pop("version")
    return Line(pool, figures, key)


def _outcome(line: Line, outcome: Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = {"pool": None if line.pool_id is None else str(line.pool_id), "outcome": outcome.outcome}
    if outcome.version is not None:
        answer["version"] = outcome.version
    if outcome.error is not None:
        error = outcome.error
        # What was sent is quoted, and the answer is stored: PostgreSQL keeps no NUL.
        answer["problem"] = {
            "type": f"urn:lune:problem:{error.code}", "title": "Refused", "status": error.http_status, "code": error.code,
            "detail": error.message.replace("\0", ""), **error.details,
        }  # fmt: skip
    return answer


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({"service": "That is not an id."}) from None
