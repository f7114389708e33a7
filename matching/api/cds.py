"""CDS Hooks 2.0: a patient record asks which services carry a diagnosis, at the moment in which it is added or the record is opened.

Addresses and names are those of the specification, so they have no version of ours. docs/decision-support.md. Some of
its names are attributes of DRF's fields too; the metaclass takes the fields out of the class, so that nothing is hidden.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import clock
from core.api import user_of
from core.errors import Invalid
from matching import decisions, operations
from matching.api.views import IsReferrer
from matching.decisions import NotEnough
from matching.models import MatchRun
from matching.telling import Line

#: Lines in a card; the page that it leads to has them all.
SHOWN = 5
#: The longest summary that the specification allows.
SUMMARY = 140
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~])")


@dataclass(frozen=True, slots=True)
class Hook:
    """One service of the discovery document."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str]


_PATIENT = {"patient": "Patient/{{context.patientId}}"}
HOOKS = {
    hook.id: hook
    for hook in (
        Hook(
            "services-for-problem",
            "problem-list-item-create",
            "Services for a diagnosis, with what is free",
            "When a diagnosis is added: the services near the patient that say they take people with it, ranked, with live places.",
            _PATIENT,
        ),
        Hook(
            "services-for-patient",
            "patient-view",
            "Services for the patient’s diagnoses, with what is free",
            "When a record is opened: the services near the patient that say they take people with one of their active problems.",
            _PATIENT | {"problems": "Condition?patient={{context.patientId}}&clinical-status=active"},
        ),
    )
}


class HookSerializer(serializers.Serializer):
    id = serializers.CharField()
    hook = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    prefetch = serializers.DictField(child=serializers.CharField())


class HooksSerializer(serializers.Serializer):
    services = HookSerializer(many=True)


class CdsRequestSerializer(serializers.Serializer):
    """As the specification has it. `fhirServer` and `fhirAuthorization` may be sent and are not used: nothing is fetched."""

    hook = serializers.CharField(max_length=100)
    hookInstance = serializers.UUIDField()
    context = serializers.DictField()  # type: ignore[assignment]
    prefetch = serializers.DictField(required=False, default=dict)


class SourceSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    url = serializers.URLField()


class LinkSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    url = serializers.URLField()
    type = serializers.CharField(help_text="Always `absolute`: a page of this site, opened by whoever is signed in there.")


class CardSerializer(serializers.Serializer):
    uuid = serializers.UUIDField()
    summary = serializers.CharField(max_length=SUMMARY)
    detail = serializers.CharField(help_text="Markdown.")
    indicator = serializers.CharField(help_text="`info`, or `warning` when none of the services has a free place.")
    source = SourceSerializer()  # type: ignore[assignment]
    links = LinkSerializer(many=True)


class CardsSerializer(serializers.Serializer):
    cards = CardSerializer(many=True)


class HooksView(APIView):
    """The discovery document: for anybody, as it says nothing of anybody."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    @extend_schema(responses=HooksSerializer, auth=[], summary="Which hooks can be called (CDS Hooks 2.0)")
    def get(self, request: Request) -> Response:
        return Response(HooksSerializer({"services": list(HOOKS.values())}).data)


class HookView(APIView):
    permission_classes = (IsReferrer,)

    @extend_schema(
        request=CdsRequestSerializer,
        responses={200: CardsSerializer},
        summary="Services that carry a diagnosis, as cards (CDS Hooks 2.0)",
        description="400: not understood. 412: the prefetch is missing or says too little. Nothing that names the patient is kept.",
    )
    def post(self, request: Request, hook: str) -> Response:
        if hook not in HOOKS:
            raise Http404
        sent = CdsRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        at = clock.now()
        with transaction.atomic():
            asked = _read(HOOKS[hook], sent.validated_data, today=decisions.today_of(at))
            run = decisions.services_for(asked, by=user_of(request), at=at) if asked else None
            cards = _cards(run, request) if run else []
        return Response(CardsSerializer({"cards": cards}).data)


def _read(hook: Hook, sent: Mapping[str, Any], *, today: Any) -> decisions.Asked | None:
    """What was sent, in our words. Raises Invalid (400) and NotEnough (412)."""
    if sent["hook"] != hook.hook:
        raise BadRequest(f"This service is for the hook “{hook.hook}”, not “{sent['hook']}”.")
    context, prefetch = sent["context"], sent["prefetch"]
    if not isinstance(context.get("patientId"), str):
        raise BadRequest("The context has no patientId.")
    if missing := [name for name in hook.prefetch if not prefetch.get(name)]:
        raise NotEnough(f"Send as prefetch: {', '.join(missing)}. This service does not fetch anything itself.")
    patient = prefetch["patient"]
    if isinstance(patient, Mapping) and patient.get("id") not in (None, context["patientId"]):
        raise BadRequest("The patient of the prefetch is not the one of the context.")
    bundle = context.get("conditions") if hook.hook == "problem-list-item-create" else prefetch["problems"]
    try:
        problems = decisions.conditions_in(bundle)
    except Invalid as error:
        raise BadRequest(error.message) from None
    return decisions.read(patient, problems, today=today)


class BadRequest(Invalid):
    """The specification answers 400 where the rest of the API says 422."""

    code = "bad-request"
    http_status = 400


def _cards(run: MatchRun, request: Request) -> list[dict[str, Any]]:
    """One card with the best services; none when nobody fits now."""
    lines = operations.lines(run)
    if not lines:
        return []
    named, free = " and ".join(decisions.diagnoses_of(run)), sum(1 for line in lines if line.free)
    services = f"{len(lines)} service{'' if len(lines) == 1 else 's'} near {run.profile.outcode}"
    taken = "have" if free != 1 else "has"
    summary = f"{services} for {named}: {free} {taken} a place free"
    if len(summary) > SUMMARY:
        summary = f"{services} for these diagnoses: {free} {taken} a place free"
    return [
        {
            "uuid": uuid.uuid4(),
            "summary": summary,
            "detail": "\n".join(_detail(line) for line in lines[:SHOWN]),
            "indicator": "info" if free else "warning",
            "source": {"label": settings.SITE_NAME, "url": request.build_absolute_uri("/")},
            "links": [
                {
                    "label": "See why each of them is there, and refer",
                    "url": request.build_absolute_uri(reverse("match", args=[run.pk])),
                    "type": "absolute",
                }
            ],
        }
    ]


def _detail(line: Line) -> str:
    """One line of Markdown: names are text, whatever signs are in them."""
    where = "online or by phone" if line.distance_m is None else f"{line.miles} miles"
    if line.is_confidential and line.distance_m is not None:
        where = f"about {where}, the address is confidential"
    name, kind = (_MARKDOWN.sub(r"\\\1", " ".join(text.split())) for text in (line.service_name, line.care_type))
    return f"{line.rank}. **{name}** ({kind}), {where}. {line.places}"
