"""Addresses of the catalogue API, below `/api/v1/`."""

from django.urls import path

from catalogue.api import views

urlpatterns = [
    path("services/", views.ServiceList.as_view(), name="api-services"),
    path("services/<uuid:pk>/", views.ServiceDetail.as_view(), name="api-service"),
    path("taxonomy-terms/", views.TaxonomyTermList.as_view(), name="api-taxonomy-terms"),
]
