"""Addresses of notices and webhooks under `/api/v1/`."""

from django.urls import path

from notifications.api import views

urlpatterns = [
    path("notices/", views.NoticeList.as_view(), name="api-notices"),
    path("notices/read/", views.NoticesRead.as_view(), name="api-notices-read"),
    path("notices/<uuid:pk>/read/", views.NoticeRead.as_view(), name="api-notice-read"),
    path("webhooks/", views.WebhookList.as_view(), name="api-webhooks"),
    path("webhooks/<uuid:pk>/", views.WebhookDetail.as_view(), name="api-webhook"),
    path("webhooks/<uuid:pk>/rotate/", views.WebhookRotate.as_view(), name="api-webhook-rotate"),
    path("webhooks/<uuid:pk>/try/", views.WebhookTry.as_view(), name="api-webhook-try"),
]
