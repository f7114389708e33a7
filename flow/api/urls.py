"""Addresses of people, referrals, tasks and figures under `/api/v1/`."""

from django.urls import path

from flow.api import asking, casework, editing, files, holds, hubs, pathways, people, views

urlpatterns = [
    path("patients/", people.PatientList.as_view(), name="api-patients"),
    path("patients/<uuid:pk>/", people.PatientDetail.as_view(), name="api-patient"),
    path("patients/<uuid:pk>/episodes/", people.EpisodeList.as_view(), name="api-patient-episodes"),
    path("patients/<uuid:pk>/consents/", people.ConsentList.as_view(), name="api-patient-consents"),
    path("episodes/<uuid:pk>/", people.EpisodeDetail.as_view(), name="api-episode"),
    path("episodes/<uuid:pk>/end/", people.EpisodeEnd.as_view(), name="api-episode-end"),
    path("referrals/", views.ReferralList.as_view(), name="api-referrals"),
    path("referrals/<uuid:pk>/", editing.ReferralDetail.as_view(), name="api-referral"),
    path("referrals/<uuid:pk>/<slug:action>/", asking.ReferralStep.as_view(), name="api-referral-step"),
    path("tasks/", views.TaskList.as_view(), name="api-tasks"),
    path("tasks/<uuid:pk>/", views.TaskDetail.as_view(), name="api-task"),
    path("tasks/<uuid:pk>/messages/", casework.TaskMessages.as_view(), name="api-task-messages"),
    path("tasks/<uuid:pk>/messages/read/", casework.TaskMessagesRead.as_view(), name="api-task-messages-read"),
    path("patients/<uuid:pk>/documents/", casework.PatientDocuments.as_view(), name="api-patient-documents"),
    path("documents/<uuid:pk>/", casework.DocumentDetail.as_view(), name="api-document"),
    path("documents/<uuid:pk>/file/", files.DocumentFile.as_view(), name="api-document-file"),
    path("documents/<uuid:pk>/withdraw/", casework.DocumentWithdraw.as_view(), name="api-document-withdraw"),
    path("follow-ups/", casework.FollowUpList.as_view(), name="api-follow-ups"),
    path("follow-ups/<uuid:pk>/", casework.FollowUpDetail.as_view(), name="api-follow-up"),
    path("follow-ups/<uuid:pk>/<slug:action>/", casework.FollowUpEnd.as_view(), name="api-follow-up-end"),
    path("tasks/<uuid:pk>/<str:action>/", views.TaskStep.as_view(), name="api-task-step"),
    path("hub-entries/", hubs.HubEntryList.as_view(), name="api-hub-entries"),
    path("hub-entries/<uuid:pk>/", hubs.HubEntryDetail.as_view(), name="api-hub-entry"),
    path("hub-entries/<uuid:pk>/<str:action>/", hubs.HubEntryStep.as_view(), name="api-hub-entry-step"),
    path("pathways/", pathways.PathwayList.as_view(), name="api-pathways"),
    path("holds/", holds.HoldList.as_view(), name="api-holds"),
    path("holds/<uuid:pk>/", holds.HoldDetail.as_view(), name="api-hold"),
    path("holds/<uuid:pk>/extend/", holds.HoldExtend.as_view(), name="api-hold-extend"),
    path("holds/<uuid:pk>/release/", holds.HoldRelease.as_view(), name="api-hold-release"),
    path("dashboard/", views.DashboardView.as_view(), name="api-dashboard"),
]
