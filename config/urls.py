"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
    path("api/v1/", include("config.api_urls")),
    path("", include("frontend.urls")),
]
