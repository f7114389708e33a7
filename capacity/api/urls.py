"""Addresses of places under `/api/v1/`."""

from django.urls import path

from capacity.api import history, views

urlpatterns = [
    path("capacities/", views.CapacityList.as_view(), name="api-capacities"),
    path("capacities/reports/", views.CapacityReports.as_view(), name="api-capacity-reports"),
    path("capacities/<uuid:pk>/", views.CapacityDetail.as_view(), name="api-capacity"),
    path("capacities/<uuid:pk>/history/", history.CapacityHistory.as_view(), name="api-capacity-history"),
]
