"""Addresses of the pages. Names and paths are listed in docs/architecture.md."""

from django.urls import path

from .views import assurance, curate, dashboard, directory, find, home, inbox, match, patients, places, referral, still_correct, worklist
from .views import map as map_views

urlpatterns: list = [
    path("", home.home, name="home"),
    path("map/areas.json", map_views.map_areas, name="map-areas"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/export.csv", worklist.worklist_csv, name="worklist-csv"),
    path("patients/new/", patients.patient_new, name="patient-new"),
    path("patients/<uuid:pk>/", patients.patient, name="patient"),
    path("find/", find.find, name="find"),
    path("match/<uuid:pk>/", match.match, name="match"),
    path("match/<uuid:pk>/again/", match.match_again, name="match-again"),
    path("match/<uuid:pk>/why-not/", match.why_not_search, name="match-why-not-search"),
    path("match/<uuid:pk>/why-not/<uuid:pool_id>/", match.why_not, name="match-why-not"),
    path("match/<uuid:pk>/send/", match.send, name="send"),
    path("referrals/<uuid:pk>/", referral.referral, name="referral"),
    path("referrals/<uuid:pk>/tasks/<uuid:task_id>/<str:action>/", referral.step, name="referral-step"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:pk>/", inbox.task, name="task"),
    path("inbox/<uuid:pk>/<slug:action>/", inbox.step, name="task-step"),
    path("places/", places.places, name="places"),
    path("places/<uuid:pk>/", places.place, name="place"),
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("dashboard/figures.csv", dashboard.dashboard_csv, name="dashboard-csv"),
    path("directory/", directory.directory, name="directory"),
    path("directory/<uuid:pk>/", directory.service, name="service"),
    path("still-correct/done/<slug:answer>/", still_correct.done, name="still-correct-done"),
    path("still-correct/<str:token>/", still_correct.still_correct, name="still-correct"),
    path("still-correct/<str:token>/change/", still_correct.change, name="still-correct-change"),
    path("still-correct/<str:token>/closed/", still_correct.closed, name="still-correct-closed"),
    path("curate/assurance/", assurance.queue, name="assurance-queue"),
    path("curate/assurance/list.csv", assurance.queue_csv, name="assurance-queue-csv"),
    path("curate/assurance/letters/<uuid:pk>/", assurance.letters, name="assurance-round"),
    path("curate/imports/", curate.imports, name="imports"),
    path("curate/imports/<uuid:pk>/", curate.import_run, name="import-run"),
    path("curate/services/<uuid:pk>/", curate.service_edit, name="service-edit"),
]
