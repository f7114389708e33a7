"""Addresses of what is opened in an emergency, its review, and who has looked at a record."""

from django.urls import path

from .views import sight

urlpatterns = [
    path("emergency/", sight.open_record, name="glass"),
    path("emergency/reviews/", sight.reviews, name="glass-reviews"),
    path("emergency/reviews/<uuid:pk>/", sight.review, name="glass-review"),
    path("emergency/<uuid:pk>/", sight.record, name="glass-record"),
    path("looks/", sight.who_looked, name="looks"),
    path("looks/all/", sight.all_who_looked, name="looks-all"),
    path("looks/all/export.csv", sight.all_who_looked_csv, name="looks-all-csv"),
    path("looks/export.csv", sight.who_looked_csv, name="looks-csv"),
]
