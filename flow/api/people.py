"""People, their stays and what they agreed to as JSON: read with an ETag, changed with If-Match, made once for each key."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import audit, clock, idempotency
from core.api import Page, user_of
from core.errors import Conflict
from core.preconditions import PreconditionFailed, etag, expected_version
from flow import operations
from flow.api.people_serializers import (
    ConsentSerializer,
    EpisodeEditSerializer,
    EpisodeSerializer,
    PatientEditSerializer,
    PatientSerializer,
)
from flow.api.views import KEY, PAGES
from flow.models import Consent, Episode, Patient

IF_MATCH = OpenApiParameter("If-Match", location=OpenApiParameter.HEADER, required=True, description='The ETag that you read, "v7".')


class PatientList(APIView):
    """The people of one's own organisation, or whom it has taken on. Each one shown is a row of the read audit."""

    @extend_schema(operation_id="patients_list", parameters=PAGES, responses=PatientSerializer(many=True))
    @transaction.atomic
    def get(self, request: Request) -> Response:
        page = Page()
        people = page.paginate_queryset(
            Patient.objects.visible_to(user_of(request)).order_by("family_name", "given_name", "pk"), request, self
        )
        audit.record_reads(user=user_of(request), record_type="patient", record_ids=[person.pk for person in people])
        return page.get_paginated_response(PatientSerializer(people, many=True).data)

    @extend_schema(operation_id="patients_create", parameters=[KEY], request=PatientSerializer, responses={201: PatientSerializer})
    def post(self, request: Request) -> Response:
        """409 `already-recorded` or `perhaps-recorded` names in `patients` who is recorded already: open that, or say `is_another`."""
        told = PatientSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            patient = operations.add_patient(by=user_of(request), at=clock.now(), **told.validated_data)
            return {"id": patient.pk}, status.HTTP_201_CREATED

        return _made(request, act, _patient)


class PatientDetail(APIView):
    @extend_schema(operation_id="patients_retrieve", responses=PatientSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return _patient(request, pk)

    @extend_schema(operation_id="patients_edit", parameters=[IF_MATCH], request=PatientEditSerializer, responses=PatientSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """428 without If-Match, 412 when somebody changed the record since it was read."""
        get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        version = expected_version(request)
        told = PatientEditSerializer(data=request.data, partial=True)
        told.is_valid(raise_exception=True)
        _edit(
            lambda: operations.edit_patient(
                patient_id=pk, version=version, by=user_of(request), at=clock.now(), **told.validated_data
            )
        )  # fmt: skip
        return _patient(request, pk)


class EpisodeList(APIView):
    """A person's stays and waits."""

    @extend_schema(operation_id="patient_episodes_list", responses=EpisodeSerializer(many=True))
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        patient = get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        audit.record_read(user=user_of(request), record_type="patient", record_id=patient.pk)
        stays = Episode.objects.visible_to(user_of(request)).filter(patient=patient).order_by("-started_at", "pk")
        return Response(EpisodeSerializer(stays, many=True).data)

    @extend_schema(operation_id="patient_episodes_create", parameters=[KEY], request=EpisodeSerializer, responses={201: EpisodeSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        told = EpisodeSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            stay = operations.start_episode(patient_id=pk, by=user_of(request), at=clock.now(), **told.validated_data)
            return {"id": stay.pk}, status.HTTP_201_CREATED

        return _made(request, act, _episode)


class EpisodeDetail(APIView):
    @extend_schema(operation_id="episodes_retrieve", responses=EpisodeSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        return _episode(request, pk)

    @extend_schema(operation_id="episodes_edit", parameters=[IF_MATCH], request=EpisodeEditSerializer, responses=EpisodeSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """428 without If-Match, 412 when somebody changed the stay since it was read."""
        get_object_or_404(Episode.objects.visible_to(user_of(request)), pk=pk)
        version = expected_version(request)
        told = EpisodeEditSerializer(data=request.data, partial=True)
        told.is_valid(raise_exception=True)
        _edit(
            lambda: operations.edit_episode(
                episode_id=pk, version=version, by=user_of(request), at=clock.now(), **told.validated_data
            )
        )  # fmt: skip
        return _episode(request, pk)


class EpisodeEnd(APIView):
    """The stay or wait is over. Ending it twice changes nothing."""

    @extend_schema(operation_id="episodes_end", request=None, responses=EpisodeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(Episode.objects.visible_to(user_of(request)), pk=pk)
        operations.end_episode(episode_id=pk, by=user_of(request), at=clock.now())
        return _episode(request, pk)


class ConsentList(APIView):
    """What a person agreed to: every decision, the newest first; `holds` marks those that hold now."""

    @extend_schema(operation_id="patient_consents_list", responses=ConsentSerializer(many=True))
    @transaction.atomic
    def get(self, request: Request, pk: UUID) -> Response:
        patient = get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        audit.record_read(user=user_of(request), record_type="patient", record_id=patient.pk)
        return Response(_consents(request, pk))

    @extend_schema(operation_id="patient_consents_create", parameters=[KEY], request=ConsentSerializer, responses={201: ConsentSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
        told = ConsentSerializer(data=request.data)
        told.is_valid(raise_exception=True)

        def act() -> tuple[Any, int]:
            line = operations.record_consent(patient_id=pk, by=user_of(request), at=clock.now(), **told.validated_data)
            return {"id": line.pk, "patient": pk}, status.HTTP_201_CREATED

        def show(request: Request, line_id: UUID) -> Response:
            audit.record_read(user=user_of(request), record_type="patient", record_id=pk)
            return Response(next(line for line in _consents(request, pk) if line["id"] == str(line_id)))

        return _made(request, act, show)


def _made(request: Request, act: Callable[[], tuple[Any, int]], show: Callable[[Request, UUID], Response]) -> Response:
    """What a key keeps of an answer is the id alone; what the record says is read again each time."""
    kept = idempotency.once(request, act)
    with transaction.atomic():
        answer = show(request, UUID(str(kept.data["id"])))
    answer.status_code = kept.status_code
    if "Idempotency-Replayed" in kept.headers:
        answer["Idempotency-Replayed"] = kept.headers["Idempotency-Replayed"]
    return answer


def _edit(act: Callable[[], Model]) -> None:
    try:
        act()
    except Conflict as error:
        if error.code != "stale-version":
            raise
        raise PreconditionFailed(error.message, version=error.details["version"]) from error


@transaction.atomic
def _patient(request: Request, pk: UUID) -> Response:
    patient = get_object_or_404(Patient.objects.visible_to(user_of(request)), pk=pk)
    audit.record_read(user=user_of(request), record_type="patient", record_id=patient.pk)
    return Response(PatientSerializer(patient).data, headers={"ETag": etag(patient.version)})


@transaction.atomic
def _episode(request: Request, pk: UUID) -> Response:
    stay = get_object_or_404(Episode.objects.visible_to(user_of(request)), pk=pk)
    audit.record_read(user=user_of(request), record_type="patient", record_id=stay.patient_id)
    return Response(EpisodeSerializer(stay).data, headers={"ETag": etag(stay.version)})


def _consents(request: Request, pk: UUID) -> list[Any]:
    lines = Consent.objects.visible_to(user_of(request)).filter(patient=pk)
    holds = {line.pk for line in lines.current()}
    return list(ConsentSerializer(lines, many=True, context={"holds": holds}).data)
