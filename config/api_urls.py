"""The JSON API, version 1."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path("", include("catalogue.api.urls")),
    path("", include("capacity.api.urls")),
    path("", include("matching.api.urls")),
    path("", include("flow.api.urls")),
    path("", include("notifications.api.urls")),
    path("", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="api-docs"),
]
