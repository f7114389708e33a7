"""Addresses of FHIR, under `/fhir/`."""

from django.urls import path

from capacity.api import fhir

urlpatterns = [
    path("metadata", fhir.Metadata.as_view(), name="fhir-metadata"),
    path("HealthcareService", fhir.HealthcareServices.as_view(), name="fhir-services"),
    path("HealthcareService/<uuid:pk>", fhir.HealthcareService.as_view(), name="fhir-service"),
    path("StructureDefinition/capacity-figures", fhir.CapacityFigures.as_view(), name="fhir-capacity-figures"),
]
