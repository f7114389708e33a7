"""Addresses of hubs, pathways, teams and sharing."""

from django.urls import path

from .views import hub, pathways, sharing

urlpatterns: list = [
    path("hub/", hub.queue, name="hub"),
    path("hub/export.csv", hub.queue_csv, name="hub-csv"),
    path("hub/<uuid:pk>/", hub.entry, name="hub-entry"),
    path("hub/<uuid:pk>/services/", hub.route, name="hub-route"),
    path("hub/<uuid:pk>/<slug:action>/", hub.step, name="hub-step"),
    path("patients/<uuid:pk>/hub/", hub.send, name="patient-hub"),
    path("patients/<uuid:pk>/sharing/", sharing.patient_share, name="patient-share"),
    path("sharing/", sharing.sharing, name="sharing"),
    path("sharing/agreements/new/", sharing.agreement_new, name="sharing-agreement-new"),
    path("sharing/agreements/<uuid:pk>/end/", sharing.agreement_end, name="sharing-agreement-end"),
    path("sharing/grants/<uuid:pk>/", sharing.grant, name="sharing-grant"),
    path("sharing/grants/<uuid:pk>/revoke/", sharing.revoke, name="sharing-revoke"),
    path("teams/new/", sharing.team, name="team-new"),
    path("teams/<uuid:pk>/", sharing.team, name="team"),
    path("pathways/", pathways.pathways, name="pathways"),
    path("pathways/new/", pathways.pathway_new, name="pathway-new"),
    path("pathways/<uuid:pk>/", pathways.pathway, name="pathway"),
    path("pathways/<uuid:pk>/draft/", pathways.pathway_edit, name="pathway-edit"),
    path("pathways/<uuid:pk>/<slug:action>/", pathways.pathway_step, name="pathway-step"),
]
