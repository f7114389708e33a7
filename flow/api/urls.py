"""Addresses of people, referrals, tasks and figures under `/api/v1/`."""

from django.urls import path

from flow.api import holds, people, views

urlpatterns = [
    path("patients/", people.PatientList.as_view(), name="api-patients"),
    path("patients/<uuid:pk>/", people.PatientDetail.as_view(), name="api-patient"),
    path("patients/<uuid:pk>/episodes/", people.EpisodeList.as_view(), name="api-patient-episodes"),
    path("patients/<uuid:pk>/consents/", people.ConsentList.as_view(), name="api-patient-consents"),
    path("episodes/<uuid:pk>/", people.EpisodeDetail.as_view(), name="api-episode"),
    path("episodes/<uuid:pk>/end/", people.EpisodeEnd.as_view(), name="api-episode-end"),
    path("referrals/", views.ReferralList.as_view(), name="api-referrals"),
    path("referrals/<uuid:pk>/", views.ReferralDetail.as_view(), name="api-referral"),
    path("tasks/", views.TaskList.as_view(), name="api-tasks"),
    path("tasks/<uuid:pk>/", views.TaskDetail.as_view(), name="api-task"),
    path("tasks/<uuid:pk>/<str:action>/", views.TaskStep.as_view(), name="api-task-step"),
    path("holds/", holds.HoldList.as_view(), name="api-holds"),
    path("holds/<uuid:pk>/", holds.HoldDetail.as_view(), name="api-hold"),
    path("holds/<uuid:pk>/extend/", holds.HoldExtend.as_view(), name="api-hold-extend"),
    path("holds/<uuid:pk>/release/", holds.HoldRelease.as_view(), name="api-hold-release"),
    path("dashboard/", views.DashboardView.as_view(), name="api-dashboard"),
]
