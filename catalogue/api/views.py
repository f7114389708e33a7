"""The catalogue over the API: anybody signed in reads what they may see."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView

from catalogue import queries
from catalogue.api.serializers import ServiceListSerializer, ServiceSerializer, TaxonomyTermSerializer
from catalogue.criteria import taking_condition
from catalogue.models import Service
from core.geo import METRES_PER_MILE


@extend_schema_view(
    get=extend_schema(
        operation_id="services_list",
        parameters=[
            OpenApiParameter("text", description="Words of a name, a town, a kind of care or a need."),
            OpenApiParameter("care_type", description="Code of a care type."),
            OpenApiParameter("postcode", description="Closest first; a whole postcode or its first half."),
            OpenApiParameter("within_miles", OpenApiTypes.NUMBER, description="With postcode: no further off than this."),
            OpenApiParameter("status", enum=Service.Status.values),
            OpenApiParameter("condition", description="Takes people with this: `nice|NG28`, `snomed|44054006`."),
        ],
    )
)
class ServiceList(ListAPIView):
    """Services that the user may see and that answer the search, best first."""

    serializer_class = ServiceListSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Service.objects.none()
        asked = self.request.query_params
        within = _miles(asked.get("within_miles"))
        if within is not None and not asked.get("postcode"):
            raise ValidationError({"within_miles": "Give a postcode too: within so many miles of what?"})
        found = queries.search_services(
            self.request.user,
            text=asked.get("text", ""),
            care_type=asked.get("care_type", ""),
            near=queries.find_place(asked["postcode"]).point if asked.get("postcode") else None,
            within_m=None if within is None else within * METRES_PER_MILE,
            status=asked.get("status", ""),
        )
        return taking_condition(found, asked["condition"]) if asked.get("condition") else found


@extend_schema_view(get=extend_schema(operation_id="services_read"))
class ServiceDetail(RetrieveAPIView):
    """One service whole."""

    serializer_class = ServiceSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Service.objects.none()
        return Service.objects.visible_to(self.request.user).select_related("organization", "care_type")


@extend_schema_view(
    get=extend_schema(
        operation_id="taxonomy_terms_list",
        parameters=[OpenApiParameter("taxonomy", description="care-type, need, funding, language, referral-source, or a feed's own.")],
    )
)
class TaxonomyTermList(ListAPIView):
    """The words of the vocabulary that are in use."""

    serializer_class = TaxonomyTermSerializer

    def get_queryset(self) -> Any:
        return queries.terms_in_use(self.request.query_params.get("taxonomy", ""))


def _miles(text: str | None) -> float | None:
    if not text:
        return None
    try:
        miles = float(text)
    except ValueError:
        miles = -1
    if not 0 < miles <= 500:
        raise ValidationError({"within_miles": "Give a number of miles from 0 to 500."})
    return miles
