"""Addresses of what is done around one person: story, notes, messages, documents, follow-ups."""

from django.urls import path

from .views import documents, follow_ups, notes, story, task_messages

urlpatterns = [
    path("patients/<uuid:pk>/story/", story.story, name="patient-story"),
    path("patients/<uuid:pk>/notes/", notes.notes, name="patient-notes"),
    path("notes/<uuid:pk>/", notes.note, name="note"),
    path("tasks/<uuid:pk>/messages/", task_messages.task_messages, name="task-messages"),
    path("messages/", task_messages.messages_list, name="messages"),
    path("patients/<uuid:pk>/documents/", documents.documents, name="patient-documents"),
    path("documents/<uuid:pk>/", documents.document, name="document"),
    path("documents/<uuid:pk>/<slug:action>/", documents.step, name="document-step"),
    path("follow-ups/", follow_ups.follow_ups, name="follow-ups"),
    path("follow-ups/export.csv", follow_ups.follow_ups_csv, name="follow-ups-csv"),
    path("patients/<uuid:pk>/follow-ups/", follow_ups.patient_follow_ups, name="patient-follow-ups"),
    path("follow-ups/<uuid:pk>/", follow_ups.follow_up, name="follow-up"),
]
