"""The JSON API, version 1."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

urlpatterns = [
    path("openapi.json", SpectacularAPIView.as_view(), name="openapi"),
    path("", SpectacularSwaggerView.as_view(url_name="openapi"), name="api-docs"),
]
