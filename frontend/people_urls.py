"""Addresses of the pages about people. An NHS number stands in none of them: people are named by an id."""

from django.urls import path

from .views import patient_pairs, patient_parts, patients

urlpatterns: list = [
    path("patients/new/", patients.patient_new, name="patient-new"),
    path("patients/pairs/", patient_pairs.pairs, name="patient-pairs"),
    path("patients/pairs/<uuid:one_id>/<uuid:other_id>/", patient_pairs.pair, name="patient-pair"),
    path("patients/merges/", patient_pairs.merges, name="patient-merges"),
    path("patients/merges/<uuid:pk>/undo/", patient_pairs.unmerge, name="patient-unmerge"),
    path("patients/<uuid:pk>/", patients.patient, name="patient"),
    path("patients/<uuid:pk>/edit/", patients.patient_edit, name="patient-edit"),
    path("patients/<uuid:pk>/changes/", patients.patient_changes, name="patient-changes"),
    path("patients/<uuid:pk>/consent/", patient_parts.consent, name="patient-consent"),
    path("patients/<uuid:pk>/around/", patient_parts.around_new, name="around-new"),
    path("patients/<uuid:pk>/around/<uuid:row_id>/", patient_parts.around_edit, name="around-edit"),
    path("patients/<uuid:pk>/around/<uuid:row_id>/record/", patient_parts.around_record, name="around-record"),
    path("patients/<uuid:pk>/stays/", patient_parts.stay_new, name="stay-new"),
    path("patients/<uuid:pk>/stays/<uuid:stay_id>/", patient_parts.stay, name="stay"),
]
