"""FHIR R4 (`/fhir/`): places as HealthcareServices. Read by those who may see them, told by those who run them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from capacity import fhir, operations
from capacity.api.views import seen
from capacity.models import Via
from capacity.queries import PoolState, pool_states, with_state
from core import clock
from core.api import Page, in_words, user_of
from core.body import Body
from core.errors import Conflict, Invalid, LuneError, NotAllowed
from core.preconditions import PreconditionFailed, PreconditionRequired

#: What FHIR calls our reasons; the rest is told by the status.
_ISSUES = {"stale-version": "conflict", "version-needed": "required", "in-the-future": "value"}
_BY_STATUS = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported", 409: "conflict",
    412: "conflict", 413: "too-long", 415: "not-supported", 422: "business-rule", 428: "required", 429: "throttled",
}  # fmt: skip
#: Codes of the value set of issue types that our own errors may carry.
_CODES = {"structure", "invariant", "business-rule", "extension", "required", "code-invalid", "value", "invalid"}
SEARCH = {
    "_id": ("token", "The id of a pool."),
    "identifier": ("token", "The id of a service of the directory: all of its places."),
    "organization": ("token", "The id of an organisation."),
    "service-type": ("token", "The code of a care type."),
    "name": ("string", "Words of the name of the service or of the places."),
}
_PAGING = {"_count", "page", "_format"}


class FhirRenderer(JSONRenderer):
    media_type = fhir.MEDIA_TYPE
    charset = "utf-8"


class FhirParser(Body, JSONParser):
    media_type = fhir.MEDIA_TYPE


class Negotiation(DefaultContentNegotiation):
    """`_format` counts before `Accept`, as FHIR has it."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        wanted = request.query_params.get("_format")
        if wanted in ("json", fhir.MEDIA_TYPE, "application/json"):
            return next(iter(renderers)), fhir.MEDIA_TYPE
        if wanted:
            raise Invalid("We speak JSON alone: _format=json.", code="invalid")
        return super().select_renderer(request, renderers, format_suffix)


def outcome(code: str, words: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": words}]}


def _refusal(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Any error as an OperationOutcome that says what to do."""
    if isinstance(exc, LuneError):
        code = exc.code if exc.code in _CODES else _ISSUES.get(exc.code, _BY_STATUS.get(exc.http_status, "processing"))
        return Response(outcome(code, exc.message), status=exc.http_status)
    answer = exception_handler(exc, context)
    if answer is not None:
        data = answer.data
        words = str(data["detail"]) if isinstance(data, dict) and "detail" in data else in_words(data)
        answer.data = outcome(_BY_STATUS.get(answer.status_code, "processing"), words)
    return answer


class FhirView(APIView):
    renderer_classes = (FhirRenderer, JSONRenderer)
    parser_classes = (FhirParser, Body)
    content_negotiation_class = Negotiation
    for_keys = True
    schema = None

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return _refusal


class Metadata(FhirView):
    """What this server can do, for anybody."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def get(self, request: Request) -> Response:
        resource = {
            "type": "HealthcareService",
            "documentation": "One pool of places. An update may change its capacity alone, and needs If-Match.",
            "interaction": [{"code": "read"}, {"code": "update"}, {"code": "search-type"}],
            "versioning": "versioned-update",
            "readHistory": False,
            "updateCreate": False,
            "searchParam": [{"name": name, "type": kind, "documentation": words} for name, (kind, words) in SEARCH.items()],
        }
        return Response(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "date": "2026-11-22",
                "kind": "instance",
                "software": {"name": "Lune"},
                "implementation": {"description": settings.SITE_NAME, "url": f"{settings.SITE_URL}/fhir"},
                "fhirVersion": fhir.VERSION,
                "format": [fhir.MEDIA_TYPE, "json"],
                "rest": [
                    {
                        "mode": "server",
                        "security": {"description": "Authorization: Token … – a key that a provider makes on Lune for its system."},
                        "resource": [resource],
                    }
                ],
            }
        )


class CapacityFigures(FhirView):
    """The definition of our extension, where its address says that it is."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def get(self, request: Request) -> Response:
        return Response(fhir.definition())


class HealthcareServices(FhirView):
    """Search: `GET /fhir/HealthcareService?name=…`."""

    def get(self, request: Request) -> Response:
        asked = {name: values for name, values in request.query_params.lists() if name not in _PAGING}
        if unknown := sorted(asked.keys() - SEARCH.keys()):
            raise Invalid(f"We cannot search by {', '.join(unknown)[:80]}. Use: {', '.join(SEARCH)}.", code="invalid")
        pools = seen(request).order_by("service__name", "name", "pk")
        for name, values in asked.items():
            for value in values:
                pools = pools.filter(**_condition(name, value))
        page = FhirPage()
        ids = page.paginate_queryset(pools.values_list("pk", flat=True), request, self)
        states = pool_states(ids, clock.now())
        return Response(page.bundle([fhir.healthcare_service(states[pk]) for pk in ids]))


def _condition(name: str, value: str) -> dict[str, Any]:
    """One parameter as a filter of pools. A token may name its system, which is then not looked at."""
    token = value.rsplit("|", 1)[-1]
    match name:
        case "name":
            return {"service__name__icontains": value.replace("\0", "")}
        case "service-type":
            return {"care_type__code": token.replace("\0", "")}
    try:
        return {{"_id": "pk", "identifier": "service", "organization": "service__organization"}[name]: UUID(token.rsplit("/", 1)[-1])}
    except ValueError:
        raise Invalid(f"“{name}” needs an id.", code="value") from None


class FhirPage(Page):
    page_size_query_param = "_count"
    max_page_size = 200

    def bundle(self, resources: list[dict[str, Any]]) -> dict[str, Any]:
        """What was found, as a searchset."""
        assert self.page is not None
        assert self.request is not None
        links = [("self", self.request.build_absolute_uri()), ("next", self.get_next_link()), ("previous", self.get_previous_link())]
        base = f"{settings.SITE_URL}/fhir/HealthcareService"
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": self.page.paginator.count,
            "link": [{"relation": relation, "url": url} for relation, url in links if url],
            "entry": [{"fullUrl": f"{base}/{resource['id']}", "resource": resource, "search": {"mode": "match"}} for resource in resources],
        }


class HealthcareService(FhirView):
    """Read one pool, or tell its capacity."""

    def get(self, request: Request, pk: UUID) -> Response:
        return _answer(self._state(request, pk))

    def put(self, request: Request, pk: UUID) -> Response:
        state = self._state(request, pk)
        if not seen(request).run_by(user_of(request)).filter(pk=pk).exists():
            raise NotAllowed("Only the provider that runs these places can change their capacity.")
        version = _if_match(request)
        if version != state.version:
            raise _stale(state.version)
        figures = fhir.told(request.data, state)
        try:
            operations.report(pool_id=pk, by=user_of(request), at=clock.now(), via=Via.FHIR, expected_version=version, **figures)
        except Conflict as error:
            if error.code != "stale-version":
                raise
            raise _stale(error.details["version"]) from error
        return _answer(self._state(request, pk))

    def _state(self, request: Request, pk: UUID) -> PoolState:
        states = with_state(seen(request).filter(pk=pk), clock.now())
        if not states:
            raise Http404
        return states[0]


def _answer(state: PoolState) -> Response:
    return Response(fhir.healthcare_service(state), headers={"ETag": f'W/"{state.version}"'})


def _if_match(request: Request) -> int:
    sent = request.headers.get("If-Match", "").strip()
    if not sent:
        raise PreconditionRequired("Read the resource first, then send its ETag in If-Match, so that no other change is lost.")
    number = sent.removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise PreconditionFailed('If-Match is not an ETag of this resource. It looks like W/"7".')
    return int(number)


def _stale(version: object) -> PreconditionFailed:
    return PreconditionFailed(f'Somebody changed this since you read it: it is now W/"{version}". Read it again, then send your change.')
