"""Pathways over the API: those on which one may refer, with what each asks."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import user_of
from flow.models import PathwayVersion
from flow.pathways.choosing import current_versions
from flow.pathways.configuration import read


class QuestionSerializer(serializers.Serializer):
    """One question: answer it in `pathway_answers` by its `key`. A date is YYYY-MM-DD."""

    key = serializers.CharField()
    text = serializers.CharField()
    kind = serializers.CharField(help_text="text, choice, yes-no, date or number.")
    required = serializers.BooleanField()  # type: ignore[assignment]  # the name that a question has
    choices = serializers.ListField(
        child=serializers.CharField(), source="options", help_text="One of these is sent; empty for what is typed."
    )


class PathwaySerializer(serializers.Serializer):
    """A pathway as it is now. Send `version` as `pathway_version` with a referral."""

    code = serializers.CharField(source="pathway.code")
    name = serializers.CharField(source="pathway.name")
    for_whom = serializers.CharField(source="pathway.for_whom")
    version = serializers.UUIDField(source="pk")
    number = serializers.IntegerField()
    care_types = serializers.ListField(child=serializers.CharField(), help_text="Empty: any kind of care.")
    questions = serializers.SerializerMethodField()

    @extend_schema_field(QuestionSerializer(many=True))
    def get_questions(self, version: PathwayVersion) -> Any:
        return QuestionSerializer(read(version).questions, many=True).data


class PathwayList(APIView):
    """Those on which one's organisation may refer."""

    @extend_schema(operation_id="pathways_list", responses=PathwaySerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(PathwaySerializer(current_versions(user_of(request)), many=True).data)
