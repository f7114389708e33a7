"""Addresses of the matching API, below `/api/v1/`."""

from django.urls import path

from matching.api import views

urlpatterns = [
    path("match-runs/", views.MatchRunsView.as_view(), name="api-match-runs"),
    path("match-runs/<uuid:run_id>/", views.MatchRunView.as_view(), name="api-match-run"),
    path("match-runs/<uuid:run_id>/why-not/<uuid:pool_id>/", views.WhyNotView.as_view(), name="api-match-why-not"),
]
