"""Addresses of the open catalogue, below `/api/oruk/`, with and without a slash at the end."""

from django.urls import re_path

from catalogue.publishing import feed, v1_lists

from . import views
from .base import ListView, OneView

urlpatterns = [
    re_path(r"^v3/?$", views.About.as_view(), name="oruk"),
    re_path(r"^v3/openapi\.json$", views.OpenApi.as_view(), name="oruk-openapi"),
    re_path(r"^v3/changes/?$", views.Changes.as_view(), name="oruk-changes"),
    re_path(r"^v3/services/?$", ListView.as_view(listing=feed.SERVICES), name="oruk-services"),
    re_path(r"^v3/services/(?P<pk>[^/]+)/?$", OneView.as_view(listing=feed.SERVICES), name="oruk-service"),
    re_path(r"^v3/service_at_locations/?$", ListView.as_view(listing=feed.AT_LOCATIONS), name="oruk-service-at-locations"),
    re_path(r"^v3/service_at_locations/(?P<pk>[^/]+)/?$", OneView.as_view(listing=feed.AT_LOCATIONS), name="oruk-service-at-location"),
    re_path(r"^v3/organizations/?$", ListView.as_view(listing=feed.ORGANIZATIONS), name="oruk-organizations"),
    re_path(r"^v3/organizations/(?P<pk>[^/]+)/?$", OneView.as_view(listing=feed.ORGANIZATIONS), name="oruk-organization"),
    re_path(r"^v3/taxonomies/?$", ListView.as_view(listing=feed.TAXONOMIES), name="oruk-taxonomies"),
    re_path(r"^v3/taxonomies/(?P<pk>[^/]+)/?$", OneView.as_view(listing=feed.TAXONOMIES), name="oruk-taxonomy"),
    re_path(r"^v3/taxonomy_terms/?$", ListView.as_view(listing=feed.TERMS), name="oruk-taxonomy-terms"),
    re_path(r"^v3/taxonomy_terms/(?P<pk>[^/]+)/?$", OneView.as_view(listing=feed.TERMS), name="oruk-taxonomy-term"),
    re_path(r"^v1/services/?$", views.OldList.as_view(old=v1_lists.SERVICES), name="oruk-v1-services"),
    re_path(r"^v1/services/(?P<pk>[^/]+)/?$", views.OldOne.as_view(old=v1_lists.SERVICES), name="oruk-v1-service"),
    re_path(r"^v1/organizations/?$", views.OldList.as_view(old=v1_lists.ORGANIZATIONS), name="oruk-v1-organizations"),
    re_path(r"^v1/organizations/(?P<pk>[^/]+)/?$", views.OldOne.as_view(old=v1_lists.ORGANIZATIONS), name="oruk-v1-organization"),
    re_path(r"^v1/locations/?$", views.OldList.as_view(old=v1_lists.LOCATIONS), name="oruk-v1-locations"),
    re_path(r"^v1/locations/(?P<pk>[^/]+)/?$", views.OldOne.as_view(old=v1_lists.LOCATIONS), name="oruk-v1-location"),
    re_path(r"^v1/reviews/?$", views.OldList.as_view(old=v1_lists.REVIEWS), name="oruk-v1-reviews"),
    re_path(r"^v1/reviews/(?P<pk>[^/]+)/?$", views.OldOne.as_view(old=v1_lists.REVIEWS), name="oruk-v1-review"),
    re_path(r"^v1/taxonomies/?$", views.OldList.as_view(old=v1_lists.TERMS), name="oruk-v1-taxonomies"),
    re_path(r"^v1/taxonomies/(?P<pk>[^/]+)/?$", views.OldOne.as_view(old=v1_lists.TERMS), name="oruk-v1-taxonomy"),
    re_path(r"^v1/vocabularies/?$", views.OldVocabularies.as_view(), name="oruk-v1-vocabularies"),
    # Whatever else stands below: told in JSON, like everything here.
    re_path(r"", views.Unknown.as_view(), name="oruk-unknown"),
]
