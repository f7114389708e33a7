"""The queue of a hub over the API: what waits there, and the steps of its people. Each view makes one domain call."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from core.api import Page, user_of
from core.errors import Conflict, Invalid
from core.preconditions import PreconditionFailed, etag, expected_version
from flow.api.views import IF_MATCH, PAGES
from flow.hubs import operations, queries
from flow.models import HubEntry, Referral, ReferralTask

#: The operation of each step, and what it takes besides.
STEPS: dict[str, tuple[Callable[..., HubEntry], tuple[str, ...]]] = {
    "take": (operations.take, ()),
    "put-back": (operations.put_back, ()),
    "triage": (operations.triage, ("urgency",)),
    "ask": (operations.ask, ("words",)),
    "return": (operations.return_, ("words",)),
    "take-back": (operations.take_back, ("task_id", "words")),
}


class AskedSerializer(serializers.ModelSerializer):
    """A service that was asked."""

    service_name = serializers.CharField(source="pool.service.name")

    class Meta:
        model = ReferralTask
        fields = ["id", "pool", "service_name", "status", "respond_by"]
        read_only_fields = fields


class HubEntrySerializer(serializers.ModelSerializer):
    """A referral in a hub: ids and states. Who the person is stands in `patients/<id>/`."""

    patient = serializers.UUIDField(source="referral.patient_id")
    urgency = serializers.CharField(source="referral.urgency")
    pathway = serializers.CharField(source="referral.pathway_version.pathway.code", default="", help_text="Empty: on none.")
    tasks = AskedSerializer(source="referral.tasks", many=True)

    class Meta:
        model = HubEntry
        fields = [
            "id", "hub", "referral", "patient", "state", "urgency", "pathway", "assigned_to", "due_at", "queued_at", "changed_at",
            "version", "tasks",
        ]  # fmt: skip
        read_only_fields = fields


class HubStepRequestSerializer(serializers.Serializer):
    """What a step needs: `urgency` for triage, `words` for ask, return and take-back, and `task` for take-back."""

    urgency = serializers.ChoiceField(choices=Referral.Urgency.choices, required=False)
    words = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
    task = serializers.UUIDField(required=False, allow_null=True, default=None)


class HubEntryList(APIView):
    """The queue of the hubs where one works, the oldest deadline first. Each person in it is a row of the read audit."""

    @extend_schema(
        operation_id="hub_entries_list",
        parameters=[*PAGES, OpenApiParameter("show", enum=list(queries.SHOWN))],
        responses=HubEntrySerializer(many=True),
    )
    @transaction.atomic
    def get(self, request: Request) -> Response:
        show = request.query_params.get("show", "open")
        if show not in queries.SHOWN:
            raise Invalid(f"Use one of these for `show`: {', '.join(queries.SHOWN)}.", field="show")
        page = Page()
        found = queries.queue(user_of(request), show=show).prefetch_related("referral__tasks__pool__service")
        shown: Any = page.paginate_queryset(found, request, self)
        queries.looked_at(user_of(request), shown)
        return page.get_paginated_response(HubEntrySerializer(shown, many=True).data)


class HubEntryDetail(APIView):
    @extend_schema(operation_id="hub_entries_retrieve", responses=HubEntrySerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return _show(request, pk)


class HubEntryStep(APIView):
    """One step of the hub, made on the version that was read: 428 without `If-Match`, 412 when it has changed since."""

    @extend_schema(
        operation_id="hub_entries_step",
        parameters=[OpenApiParameter("action", location=OpenApiParameter.PATH, enum=list(STEPS)), IF_MATCH],
        request=HubStepRequestSerializer,
        responses=HubEntrySerializer,
    )
    def post(self, request: Request, pk: UUID, action: str) -> Response:
        if action not in STEPS:
            raise Http404
        get_object_or_404(_entries(request), pk=pk)
        told = HubStepRequestSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        sent = told.validated_data
        given = {"urgency": sent.get("urgency", ""), "words": sent["words"], "task_id": sent["task"]}
        verb, takes = STEPS[action]
        try:
            verb(
                entry_id=pk,
                by=user_of(request),
                at=clock.now(),
                expected_version=expected_version(request),
                **{name: given[name] for name in takes},
            )
        except Conflict as error:
            if error.code != "stale-version":
                raise
            raise PreconditionFailed(error.message, version=error.details.get("version")) from error
        if action == "return":  # the hub may read it no longer
            return Response(status=204)
        return _show(request, pk)


def _entries(request: Request) -> QuerySet[HubEntry]:
    return HubEntry.objects.visible_to(user_of(request)).in_queue_of(user_of(request))


@transaction.atomic
def _show(request: Request, pk: UUID) -> Response:
    found = get_object_or_404(
        _entries(request).select_related("referral__pathway_version__pathway").prefetch_related("referral__tasks__pool__service"), pk=pk
    )
    queries.looked_at(user_of(request), [found])
    return Response(HubEntrySerializer(found).data, headers={"ETag": etag(found.version)})
