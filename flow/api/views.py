"""Referrals, tasks and figures over the API. Each view makes one domain call."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import audit, clock, idempotency
from core.api import Page, user_of
from core.errors import Conflict
from core.preconditions import PreconditionFailed, etag, etag_of_mark, expected_version
from flow import moves, operations, queries, revisions
from flow.api import serializers
from flow.lateness import overdue_tasks
from flow.models import Referral, ReferralTask
from flow.workflow import Action, Status

PAGES = [OpenApiParameter("page", OpenApiTypes.INT), OpenApiParameter("per_page", OpenApiTypes.INT)]
KEY = OpenApiParameter(
    idempotency.HEADER, location=OpenApiParameter.HEADER, required=True, description="New for each request; the same when it is repeated."
)
OPTIONAL_KEY = OpenApiParameter(idempotency.HEADER, location=OpenApiParameter.HEADER, description="Makes a repeat of this step safe.")
IF_MATCH = OpenApiParameter("If-Match", location=OpenApiParameter.HEADER, description="The ETag of the request as it was read.")
TASK = PolymorphicProxySerializer(
    component_name="Task",
    serializers=[serializers.SenderTaskSerializer, serializers.ProviderTaskSerializer],
    resource_type_field_name=None,
)
TASK_LINE = PolymorphicProxySerializer(
    component_name="TaskLine",
    serializers=[serializers.SenderTaskSerializer, serializers.AnonymisedSerializer],
    resource_type_field_name=None,
    many=True,
)
#: The steps that have an address: sending is a POST to `referrals/`.
STEPS = {str(action): getattr(operations, action) for action in Action if action != Action.SEND}


class ReferralList(APIView):
    """Referrals that one's organisation sent. Each one shown is a row of the read audit."""

    @extend_schema(operation_id="referrals_list", parameters=PAGES, responses=serializers.ReferralSerializer(many=True))
    @transaction.atomic
    def get(self, request: Request) -> Response:
        page = Page()
        sent = page.paginate_queryset(_referrals(request), request, self)
        audit.record_reads(user=user_of(request), record_type="referral", record_ids=[referral.pk for referral in sent])
        return page.get_paginated_response(serializers.ReferralSerializer(sent, many=True).data)

    @extend_schema(
        operation_id="referrals_send",
        parameters=[KEY],
        request=serializers.NewReferralSerializer,
        responses={201: serializers.ReferralSerializer},
    )
    def post(self, request: Request) -> Response:
        told = serializers.NewReferralSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            asked = told.validated_data
            referral = operations.send(
                patient_id=asked["patient"],
                profile_id=asked["profile"],
                pool_ids=asked["pools"],
                hold_pool_ids=asked["hold_pools"],
                episode_id=asked.get("episode"),
                match_run_id=asked.get("match_run"),
                urgency=asked["urgency"],
                reason=asked["reason"],
                consent=asked["consent"],
                wanted=asked["wanted"],
                in_order=asked["in_order"],
                keep_asked=asked["keep_asked"],
                answer_within=timedelta(minutes=asked["answer_within"]) if asked["answer_within"] else None,
                even_so=asked["even_so"],
                version_id=asked["pathway_version"],
                typed=asked["pathway_answers"],
                by=user_of(request),
                at=clock.now(),
            )
            referral.move = moves.of_new(referral, referral.created_at)  # type: ignore[attr-defined]  # what `get_move` would ask for
            return serializers.NewlySentSerializer(referral).data, status.HTTP_201_CREATED

        return idempotency.once(request, act)


class TaskList(APIView):
    """Requests: for a provider those to it, without a person; for a sender those it sent.

    `move=mine`: those that wait for the provider that reads them, to answer, to begin, or to go on after a pause. Of a sender no request
    waits: whose move a referral is stands in `referrals/`.
    """

    @extend_schema(
        operation_id="tasks_list",
        parameters=[
            *PAGES,
            OpenApiParameter("status", enum=list(Status.values), many=True, description="Open ones, unless said."),
            OpenApiParameter("move", enum=["mine"], description="Those that wait for the provider that reads them."),
            OpenApiParameter("overdue", OpenApiTypes.BOOL, description="Those whose time to answer or to begin has passed."),
        ],
        responses=TASK_LINE,
    )
    @transaction.atomic
    def get(self, request: Request) -> Response:
        wanted = [value for value in request.query_params.getlist("status") if value in Status.values] or Status.open()
        if request.query_params.get("move") == "mine":
            wanted = [value for value in wanted if value in moves.AWAITED and user_of(request).is_provider]
        late_at = clock.now() if request.query_params.get("overdue") in ("true", "1") else None
        page = Page()
        if user_of(request).is_provider:
            asked = page.paginate_queryset(queries.inbox_tasks(user_of(request), statuses=wanted, late_at=late_at), request, self)
            lines = [queries.anonymised(task) for task in asked or []]
            return page.get_paginated_response(serializers.AnonymisedSerializer(lines, many=True).data)
        sent = _tasks(request).filter(status__in=wanted)
        if late_at is not None:
            sent = sent.filter(overdue_tasks(late_at))
        tasks = page.paginate_queryset(sent.order_by("-requested_at", "pk"), request, self)
        audit.record_reads(user=user_of(request), record_type="referral", record_ids=[task.referral_id for task in tasks])
        return page.get_paginated_response(serializers.SenderTaskSerializer(tasks, many=True).data)


class TaskDetail(APIView):
    @extend_schema(operation_id="tasks_retrieve", responses=TASK)
    def get(self, request: Request, pk: UUID) -> Response:
        return _show(request, pk)


class TaskStep(APIView):
    """Take one step of the workflow table, made on a version that was read: `If-Match` with its ETag, or `version` in the body.

    428 without either; when the request has changed since 412, or 409 `stale-version` for one named in the body. With an
    `Idempotency-Key` the same step may be sent again safely.
    """

    @extend_schema(
        operation_id="tasks_step",
        parameters=[OpenApiParameter("action", location=OpenApiParameter.PATH, enum=list(STEPS)), IF_MATCH, OPTIONAL_KEY],
        request=serializers.StepRequestSerializer,
        responses=TASK,
    )
    def post(self, request: Request, pk: UUID, action: str) -> Response:
        if action not in STEPS:
            raise Http404
        get_object_or_404(ReferralTask.objects.visible_to(user_of(request)), pk=pk)
        told = serializers.StepRequestSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        version = told.validated_data["version"]
        if version is None or "If-Match" in request.headers:
            version = expected_version(request)

        def act() -> tuple[Any, int]:
            said = {"even_so": told.validated_data["even_so"]} if action == Action.ACCEPT else {}
            try:
                task = STEPS[action](
                    task_id=pk,
                    by=user_of(request),
                    at=clock.now(),
                    reason=told.validated_data["reason"],
                    reason_text=told.validated_data["reason_text"],
                    expected_version=version,
                    **said,
                )
            except Conflict as error:
                if error.code == "stale-version" and "If-Match" in request.headers:
                    raise PreconditionFailed(error.message) from error
                raise
            # What is kept for a repeat names nobody.
            return {"id": task.pk, "status": task.status, "version": task.version}, status.HTTP_200_OK

        if idempotency.HEADER not in request.headers:
            act()
            return _show(request, pk)
        kept = idempotency.once(request, act)
        shown = _show(request, pk)
        if "Idempotency-Replayed" in kept.headers:
            shown["Idempotency-Replayed"] = kept.headers["Idempotency-Replayed"]
        return shown


class DashboardView(APIView):
    @extend_schema(operation_id="dashboard_retrieve", responses=serializers.DashboardSerializer)
    def get(self, request: Request) -> Response:
        return Response(serializers.DashboardSerializer(queries.dashboard(user_of(request), clock.now())).data)


def _referrals(request: Request) -> QuerySet[Referral]:
    with_tasks = Referral.objects.visible_to(user_of(request)).order_by("-created_at", "pk")
    return with_tasks.prefetch_related(*queries.SHOWN)


def _tasks(request: Request) -> QuerySet[ReferralTask]:
    return ReferralTask.objects.visible_to(user_of(request)).select_related(
        "referral__organization", "referral__profile", "pool__service", "provider", "reservation"
    )


@transaction.atomic
def show_referral(request: Request, pk: UUID) -> Response:
    referral = get_object_or_404(_referrals(request), pk=pk)
    audit.record_read(user=user_of(request), record_type="referral", record_id=referral.pk)
    shown = serializers.ReferralDetailSerializer(referral).data
    return Response(shown, headers={"ETag": etag_of_mark(revisions.mark(referral))})


@transaction.atomic
def _show(request: Request, pk: UUID) -> Response:
    task = get_object_or_404(_tasks(request), pk=pk)
    if user_of(request).is_provider:
        shown = serializers.ProviderTaskSerializer(queries.provider_view(task, user_of(request))).data
    else:
        audit.record_read(user=user_of(request), record_type="referral", record_id=task.referral_id)
        shown = serializers.SenderTaskSerializer(task).data
    return Response(shown, headers={"ETag": etag(task.version)})
