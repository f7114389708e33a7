"""The catalogue as JSON, in the words of Open Referral UK."""

from datetime import date

from django.utils import timezone
from rest_framework import serializers

from catalogue.currency import due_on, is_overdue
from catalogue.eligibility_text import eligibility_sentences
from catalogue.models import Address, Eligibility, Location, Organization, Phone, Schedule, Service, TaxonomyTerm
from catalogue.queries import shown_places
from core.geo import METRES_PER_MILE, to_wgs84


class TaxonomyTermSerializer(serializers.ModelSerializer):
    taxonomy = serializers.SlugField(source="taxonomy.slug")

    class Meta:
        model = TaxonomyTerm
        fields = ["id", "taxonomy", "code", "name", "description", "group", "term_uri", "synonyms"]


class OrganizationSerializer(serializers.ModelSerializer):
    class Meta:
        model = Organization
        fields = ["id", "name", "kind", "website", "ods_code", "cqc_provider_id"]


class AddressSerializer(serializers.ModelSerializer):
    class Meta:
        model = Address
        fields = ["address_1", "address_2", "city", "state_province", "postal_code", "country"]


class LocationSerializer(serializers.ModelSerializer):
    latitude = serializers.SerializerMethodField()
    longitude = serializers.SerializerMethodField()
    addresses = AddressSerializer(many=True)

    class Meta:
        model = Location
        fields = ["id", "location_type", "name", "latitude", "longitude", "addresses"]

    def get_latitude(self, location: Location) -> float | None:
        return round(to_wgs84(location.point).y, 6) if location.point else None

    def get_longitude(self, location: Location) -> float | None:
        return round(to_wgs84(location.point).x, 6) if location.point else None


class EligibilitySerializer(serializers.ModelSerializer):
    class Meta:
        model = Eligibility
        fields = ["minimum_age", "maximum_age", "sex", "notes"]


class PhoneSerializer(serializers.ModelSerializer):
    class Meta:
        model = Phone
        fields = ["number", "description"]


class ScheduleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Schedule
        fields = ["freq", "interval", "byday", "bymonthday", "dtstart", "valid_from", "valid_to", "opens_at", "closes_at", "description"]


class ServiceListSerializer(serializers.ModelSerializer):
    """One line of a list of services."""

    organization = OrganizationSerializer()
    care_type: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="code", read_only=True)
    distance_miles = serializers.SerializerMethodField()
    assurance_due = serializers.SerializerMethodField()
    assurance_overdue = serializers.SerializerMethodField()

    class Meta:
        model = Service
        fields = [
            "id", "name", "organization", "care_type", "status", "cqc_rating", "assured_date", "assurance_due", "assurance_overdue",
            "distance_miles",
        ]  # fmt: skip

    def get_assurance_due(self, service: Service) -> date | None:
        """By when somebody must check the record again; null when nobody ever has."""
        return due_on(service.assured_date)

    def get_assurance_overdue(self, service: Service) -> bool:
        """Nobody has checked the record in the last three months: show that wherever you show the record."""
        return is_overdue(service.assured_date, today=timezone.localdate())

    def get_distance_miles(self, service: Service) -> float | None:
        """From the postcode that was asked about; null without one, or when the service has no place on the map."""
        metres = getattr(service, "distance_m", None)
        return None if metres is None else round(metres / METRES_PER_MILE, 1)


class ServiceSerializer(ServiceListSerializer):
    """One service whole. Confidential places and personal contacts are never in it."""

    locations = serializers.SerializerMethodField()
    eligibility = serializers.SerializerMethodField()
    eligibility_sentences = serializers.SerializerMethodField()
    criteria = serializers.SerializerMethodField()
    phones = PhoneSerializer(many=True)
    schedules = ScheduleSerializer(many=True)

    class Meta:
        model = Service
        fields = [
            *ServiceListSerializer.Meta.fields,
            "alternate_name",
            "description",
            "url",
            "email",
            "catchment_m",
            "price_week",
            "registered_places",
            "cqc_rated_on",
            "locations",
            "eligibility",
            "eligibility_sentences",
            "criteria",
            "phones",
            "schedules",
        ]

    def get_locations(self, service: Service) -> list[dict]:
        return list(LocationSerializer(shown_places(service), many=True).data)

    def get_eligibility(self, service: Service) -> dict | None:
        stated = getattr(service, "eligibility", None)
        return dict(EligibilitySerializer(stated).data) if stated else None

    def get_eligibility_sentences(self, service: Service) -> list[str]:
        return eligibility_sentences(service)

    def get_criteria(self, service: Service) -> list[dict[str, str]]:
        criteria = service.criteria.select_related("term__taxonomy").order_by("term__taxonomy__slug", "term__code")
        return [{"taxonomy": c.term.taxonomy.slug, "code": c.term.code, "rule": c.rule} for c in criteria]
