"""Notices and webhooks over the API. Each view makes one domain call."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from core.api import Page, user_of
from notifications.api import serializers
from notifications.models import Notice, Webhook
from notifications.notices import operations, webhooks, words

PAGES = [OpenApiParameter("page", OpenApiTypes.INT), OpenApiParameter("per_page", OpenApiTypes.INT)]
UNREAD = OpenApiParameter("unread", OpenApiTypes.BOOL, description="true: only those that were not read.")
KIND = OpenApiParameter("kind", OpenApiTypes.STR, description="Only those of one kind.")


class NoticeList(APIView):
    """What the caller is told, the newest first."""

    @extend_schema(operation_id="notices_list", parameters=[UNREAD, KIND, *PAGES], responses=serializers.NoticeSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = Notice.objects.visible_to(user_of(request)).filter(listed=True).order_by("-at", "-pk")
        if request.query_params.get("unread") == "true":
            found = found.filter(read_at=None)
        if kind := request.query_params.get("kind"):
            found = found.filter(kind=kind)
        page = Page()
        lines = words.lines(page.paginate_queryset(found, request, self), user_of(request))
        return page.get_paginated_response(serializers.NoticeSerializer(lines, many=True).data)


class NoticeRead(APIView):
    """One was read."""

    @extend_schema(operation_id="notices_mark_read", request=None, responses=serializers.NoticeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        found = operations.mark_read(notice_id=pk, by=user_of(request), at=clock.now())
        return Response(serializers.NoticeSerializer(words.lines([found], user_of(request))[0]).data)


class NoticesRead(APIView):
    """All were read."""

    @extend_schema(operation_id="notices_mark_all_read", request=None, responses=serializers.ReadSerializer)
    def post(self, request: Request) -> Response:
        marked = operations.mark_all_read(by=user_of(request), at=clock.now())
        return Response(serializers.ReadSerializer({"marked": marked}).data)


class WebhookList(APIView):
    """The addresses of one's organisation's systems, for whoever connects them."""

    @extend_schema(operation_id="webhooks_list", parameters=PAGES, responses=serializers.WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = Page()
        found = page.paginate_queryset(_webhooks(request).order_by("created_at", "pk"), request, self)
        return page.get_paginated_response(serializers.WebhookSerializer(found, many=True).data)

    @extend_schema(operation_id="webhooks_create", request=serializers.WebhookSerializer, responses={201: serializers.KeySerializer})
    def post(self, request: Request) -> Response:
        webhooks.require_manager(user_of(request))
        told = serializers.WebhookSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        asked: dict[str, Any] = {"types": [], **told.validated_data}
        made, key = webhooks.make(by=user_of(request), at=clock.now(), **asked)
        return Response(serializers.KeySerializer({"webhook": made, "key": key}).data, status=status.HTTP_201_CREATED)


class WebhookDetail(APIView):
    @extend_schema(operation_id="webhooks_retrieve", responses=serializers.WebhookSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(serializers.WebhookSerializer(get_object_or_404(_webhooks(request), pk=pk)).data)

    @extend_schema(operation_id="webhooks_remove", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        webhooks.remove(webhook_id=pk, by=user_of(request), at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class WebhookRotate(APIView):
    """A new key; for a day messages bear the signature of the one before too."""

    @extend_schema(operation_id="webhooks_rotate", request=None, responses=serializers.KeySerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        made, key = webhooks.rotate(webhook_id=pk, by=user_of(request), at=clock.now())
        return Response(serializers.KeySerializer({"webhook": made, "key": key}).data)


class WebhookTry(APIView):
    """A message that says nothing, to see whether it arrives."""

    @extend_schema(operation_id="webhooks_try", request=None, responses={202: serializers.TrialSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        trial = webhooks.send_trial(webhook_id=pk, by=user_of(request), at=clock.now())
        return Response(serializers.TrialSerializer(trial).data, status=status.HTTP_202_ACCEPTED)


def _webhooks(request: Request) -> Any:
    return Webhook.objects.visible_to(user_of(request)).filter(removed_at=None)
