"""Addresses of the pages. Names and paths are listed in docs/architecture.md."""

from django.urls import path

from .views import home

urlpatterns: list = [
    path("", home.home, name="home"),
]
