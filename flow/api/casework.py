"""Messages, documents and follow-ups over the API. What is made answers with ids and codes: such an answer is kept, and names nobody."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import audit, clock, idempotency
from core.api import Page, user_of
from core.errors import Conflict
from core.preconditions import PreconditionFailed, etag, expected_version
from flow.api.views import KEY, PAGES
from flow.casework import operations, queries
from flow.casework.questions import BY_CODE
from flow.casework.sources import said
from flow.models import Document, FollowUp, Message, Patient, ReferralTask
from flow.workflow import Side, Status

MATCH = OpenApiParameter("If-Match", location=OpenApiParameter.HEADER, required=True, description="The ETag of what was read.")


class MadeSerializer(serializers.Serializer):
    """What was made: read it by its address."""

    id = serializers.UUIDField()
    version = serializers.IntegerField(allow_null=True)
    state = serializers.CharField()


class MessageSerializer(serializers.ModelSerializer):
    """One message, as this side may read it. `text` is all of it in words."""

    text = serializers.SerializerMethodField()
    organization = serializers.CharField(source="organization.name")

    class Meta:
        model = Message
        fields = ["id", "task", "side", "kind", "question", "answer", "answers", "text", "organization", "at", "read_at"]
        read_only_fields = fields

    def get_text(self, message: Message) -> str:
        return said(message)


class NewMessageSerializer(serializers.Serializer):
    """A question (its code, or `text`), the `answer` to a `message`, or free `text` once the service has said yes."""

    kind = serializers.ChoiceField(choices=Message.Kind.choices)
    question = serializers.CharField(required=False, default="", help_text=f"One of: {', '.join(BY_CODE)}.")
    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    message = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="The question that is answered.")
    answer = serializers.CharField(required=False, default="", max_length=30, help_text="A code of the question's answers, or a day.")


class DocumentSerializer(serializers.ModelSerializer):
    """A document without its content, which is at `documents/<id>/file/`."""

    state_words = serializers.CharField(source="get_state_display")
    is_readable = serializers.BooleanField()
    shared = serializers.SerializerMethodField()
    organization = serializers.CharField(source="organization.name")

    class Meta:
        model = Document
        fields = [
            "id", "patient", "referral", "organization", "title", "content_type", "size", "sha256", "state", "state_words", "is_readable",
            "shared", "added_at", "withdrawn_at", "withdrawn_reason", "version",
        ]  # fmt: skip
        read_only_fields = fields

    def get_shared(self, document: Document) -> bool:
        return document.shared_at is not None


class NewDocumentSerializer(serializers.Serializer):
    """A file (multipart). `shared`: the other side of `referral` may open it, once the service has said yes."""

    file = serializers.FileField(allow_empty_file=True)
    title = serializers.CharField(max_length=120)
    referral = serializers.UUIDField(required=False, allow_null=True, default=None)
    shared = serializers.BooleanField(required=False, default=False)


class ShareSerializer(serializers.Serializer):
    shared = serializers.BooleanField()
    referral = serializers.UUIDField(required=False, allow_null=True, default=None)


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=300)


class FollowUpSerializer(serializers.ModelSerializer):
    """What is to be done for a person, and by which day."""

    state_words = serializers.CharField(source="get_state_display")

    class Meta:
        model = FollowUp
        fields = [
            "id", "patient", "referral", "words", "kind", "due_on", "assigned_to", "team", "state", "state_words", "outcome", "tool",
            "score", "scored_on", "created_at", "ended_at", "version",
        ]  # fmt: skip
        read_only_fields = fields


class NewFollowUpSerializer(serializers.Serializer):
    patient = serializers.UUIDField()
    words = serializers.CharField(max_length=300)
    due_on = serializers.DateField()
    referral = serializers.UUIDField(required=False, allow_null=True, default=None)
    assigned_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    team = serializers.UUIDField(required=False, allow_null=True, default=None)


class FollowUpChangeSerializer(serializers.Serializer):
    """Either a later day with its `reason`, or whose it is now."""

    due_on = serializers.DateField(required=False)
    reason = serializers.CharField(required=False, default="", max_length=300)
    assigned_to = serializers.UUIDField(required=False, allow_null=True)
    team = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("due_on" in attrs) == bool({"assigned_to", "team"} & attrs.keys()):
            raise serializers.ValidationError("Send either due_on with a reason, or assigned_to and team.")
        return attrs


class FollowUpEndSerializer(serializers.Serializer):
    """What came of it, or why it is not needed."""

    words = serializers.CharField(max_length=500, required=False, allow_blank=True, default="", help_text="May be left out with a score.")
    score = serializers.DecimalField(
        max_digits=8, decimal_places=3, required=False, default=None, help_text="Of the `tool`: only when it is done."
    )
    scored_on = serializers.DateField(required=False, default=None, help_text="The day on which they answered.")


class ReadUpToSerializer(serializers.Serializer):
    """The newest message that was shown."""

    message = serializers.UUIDField(help_text="The newest that was shown to somebody. What came after it stays unread.")


class TaskMessages(APIView):
    """The thread of a request, the oldest first. Reading marks nothing as read: POST to `read/` for that."""

    @extend_schema(operation_id="task_messages_list", parameters=PAGES, responses=MessageSerializer(many=True))
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        task = _task(request, pk)
        page = Page()
        found = (
            Message.objects.visible_to(user_of(request)).filter(task=task).select_related("organization", "answers").order_by("at", "pk")
        )
        shown = page.paginate_queryset(found, request, self)
        if task.side_of(user_of(request)) != Side.PROVIDER or task.status in Status.known_to_provider():
            audit.record_read(user=user_of(request), record_type="patient", record_id=task.referral.patient_id)
        return page.get_paginated_response(MessageSerializer(shown, many=True).data)

    @extend_schema(operation_id="task_messages_send", parameters=[KEY], request=NewMessageSerializer, responses={201: MadeSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        _task(request, pk)
        told = NewMessageSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            sent, by, at = told.validated_data, user_of(request), clock.now()
            match sent["kind"]:
                case Message.Kind.QUESTION:
                    made = operations.ask(task_id=pk, code=sent["question"], words=sent["text"], by=by, at=at)
                case Message.Kind.ANSWER:
                    _one_of(request, pk, sent["message"])
                    made = operations.answer(message_id=sent["message"], answer=sent["answer"], by=by, at=at)
                case _:
                    made = operations.write(task_id=pk, words=sent["text"], by=by, at=at)
            return MadeSerializer({"id": made.pk, "version": None, "state": made.kind}).data, status.HTTP_201_CREATED

        return idempotency.once(request, act)


class TaskMessagesRead(APIView):
    """Somebody of this side has read what was shown."""

    @extend_schema(operation_id="task_messages_read", request=ReadUpToSerializer, responses={204: OpenApiResponse(description="Noted.")})
    def post(self, request: Request, pk: UUID) -> Response:
        task = _task(request, pk)
        told = ReadUpToSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        operations.mark_read(task_id=task.pk, last=told.validated_data["message"], by=user_of(request), at=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class PatientDocuments(APIView):
    """The documents of a person, the newest first."""

    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="patient_documents_list", parameters=PAGES, responses=DocumentSerializer(many=True))
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        patient = get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        page = Page()
        shown = page.paginate_queryset(queries.documents(user_of(request), patient).order_by("-added_at", "pk"), request, self)
        audit.record_read(user=user_of(request), record_type="patient", record_id=patient.pk)
        return page.get_paginated_response(DocumentSerializer(shown, many=True).data)

    @extend_schema(operation_id="patient_documents_add", parameters=[KEY], request=NewDocumentSerializer, responses={201: MadeSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        told = NewDocumentSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            sent = told.validated_data
            made = operations.add_document(
                patient_id=pk,
                title=sent["title"],
                file=sent["file"],
                referral_id=sent["referral"],
                shared=sent["shared"],
                by=user_of(request),
                at=clock.now(),
            )
            return _made(made), status.HTTP_201_CREATED

        return idempotency.once(request, act)


class DocumentDetail(APIView):
    """One document without its content; by PATCH it is shared or shared no more."""

    @extend_schema(operation_id="documents_retrieve", responses=DocumentSerializer)
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        found = get_object_or_404(_documents(request), pk=pk)
        audit.record_read(user=user_of(request), record_type="patient", record_id=found.patient_id)
        return Response(DocumentSerializer(found).data, headers={"ETag": etag(found.version)})

    @extend_schema(operation_id="documents_share", parameters=[MATCH], request=ShareSerializer, responses=MadeSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(_documents(request), pk=pk)
        told = ShareSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        sent = told.validated_data
        return _edit(request, operations.share_document, document_id=pk, shared=sent["shared"], referral_id=sent["referral"])


class DocumentWithdraw(APIView):
    """Nobody opens it any more."""

    @extend_schema(operation_id="documents_withdraw", parameters=[MATCH], request=ReasonSerializer, responses=MadeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(_documents(request), pk=pk)
        told = ReasonSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        return _edit(request, operations.withdraw_document, document_id=pk, **told.validated_data)


class FollowUpList(APIView):
    """What is to be done, what is longest overdue first. Each person named by it is a row of the read audit."""

    @extend_schema(
        operation_id="follow_ups_list",
        parameters=[
            *PAGES,
            OpenApiParameter("show", enum=["due", "open", "ended"]),
            OpenApiParameter("whose", enum=["all", "mine", "team", "free"]),
            OpenApiParameter("patient", OpenApiTypes.UUID),
        ],
        responses=FollowUpSerializer(many=True),
    )
    @transaction.atomic
    def get(self, request: Request) -> Response:
        asked = request.query_params
        try:
            patient = UUID(asked["patient"]) if asked.get("patient") else None
        except ValueError:
            raise ValidationError({"patient": "Send the id of a person."}) from None
        found = queries.follow_ups(
            user_of(request), show=asked.get("show", "open"), whose=asked.get("whose", "all"), at=clock.now(), patient=patient
        )
        page = Page()
        shown = page.paginate_queryset(found, request, self)
        audit.record_reads(user=user_of(request), record_type="patient", record_ids=[one.patient_id for one in shown])
        return page.get_paginated_response(FollowUpSerializer(shown, many=True).data)

    @extend_schema(operation_id="follow_ups_add", parameters=[KEY], request=NewFollowUpSerializer, responses={201: MadeSerializer})
    def post(self, request: Request) -> Response:
        told = NewFollowUpSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            sent = told.validated_data
            made = operations.follow_up(
                patient_id=sent["patient"],
                words=sent["words"],
                due_on=sent["due_on"],
                referral_id=sent["referral"],
                user_id=sent["assigned_to"],
                team_id=sent["team"],
                by=user_of(request),
                at=clock.now(),
            )
            return _made(made), status.HTTP_201_CREATED

        return idempotency.once(request, act)


class FollowUpDetail(APIView):
    """One of them; by PATCH it is postponed or given on."""

    @extend_schema(operation_id="follow_ups_retrieve", responses=FollowUpSerializer)
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        found = get_object_or_404(_follow_ups(request), pk=pk)
        audit.record_read(user=user_of(request), record_type="patient", record_id=found.patient_id)
        return Response(FollowUpSerializer(found).data, headers={"ETag": etag(found.version)})

    @extend_schema(operation_id="follow_ups_change", parameters=[MATCH], request=FollowUpChangeSerializer, responses=MadeSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(_follow_ups(request), pk=pk)
        told = FollowUpChangeSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        sent = told.validated_data
        if "due_on" in sent:
            return _edit(request, operations.postpone, follow_up_id=pk, due_on=sent["due_on"], reason=sent["reason"])
        return _edit(request, operations.assign, follow_up_id=pk, user_id=sent.get("assigned_to"), team_id=sent.get("team"))


class FollowUpEnd(APIView):
    """It is `done`, or not needed any more (`cancel`)."""

    @extend_schema(
        operation_id="follow_ups_end",
        parameters=[MATCH, OpenApiParameter("action", location=OpenApiParameter.PATH, enum=["done", "cancel"])],
        request=FollowUpEndSerializer,
        responses=MadeSerializer,
    )
    def post(self, request: Request, pk: UUID, action: str) -> Response:
        verbs: dict[str, tuple[Callable[..., FollowUp], str]] = {
            "done": (operations.finish, "outcome"),
            "cancel": (operations.cancel, "reason"),
        }
        if action not in verbs:
            raise Http404
        get_object_or_404(_follow_ups(request), pk=pk)
        told = FollowUpEndSerializer(data=request.data)
        told.is_valid(raise_exception=True)
        verb, name = verbs[action]
        sent = told.validated_data
        scored = {"score": sent["score"], "scored_on": sent["scored_on"]} if action == "done" else {}
        return _edit(request, verb, follow_up_id=pk, **{name: sent["words"]}, **scored)


def _edit(request: Request, verb: Callable[..., Document | FollowUp], **fields: Any) -> Response:
    """Change what was read: 428 without If-Match, 412 when somebody changed it since."""
    version = expected_version(request)
    try:
        done = verb(by=user_of(request), at=clock.now(), expected_version=version, **fields)
    except Conflict as error:
        if error.code != "stale-version":
            raise
        raise PreconditionFailed(error.message, version=error.details.get("version")) from error
    return Response(_made(done), headers={"ETag": etag(done.version)})


def _made(record: Document | FollowUp) -> Any:
    return MadeSerializer({"id": record.pk, "version": record.version, "state": record.state}).data


def _task(request: Request, pk: UUID) -> ReferralTask:
    return get_object_or_404(ReferralTask.objects.visible_to(user_of(request)).select_related("referral"), pk=pk)


def _one_of(request: Request, task: UUID, message: UUID | None) -> None:
    get_object_or_404(Message.objects.visible_to(user_of(request)), pk=message, task=task)


def _documents(request: Request) -> QuerySet[Document]:
    return Document.objects.visible_to(user_of(request)).select_related("organization")


def _follow_ups(request: Request) -> QuerySet[FollowUp]:
    return FollowUp.objects.visible_to(user_of(request))
