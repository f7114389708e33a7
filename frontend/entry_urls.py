"""Addresses of the pages on which entries are kept."""

from django.urls import path

from .views import entries, entry_files, entry_preview, entry_sheets, proposals

urlpatterns = [
    path("entries/", entries.entries, name="entries"),
    path("entries/new/", entries.new, name="entry-new"),
    path("entries/spreadsheet/", entry_sheets.sheet, name="entry-sheet"),
    path("entries/spreadsheet/services.xlsx", entry_sheets.download, name="entry-sheet-download"),
    path("entries/spreadsheet/<uuid:batch>/", entry_sheets.review, name="entry-sheet-review"),
    path("entries/spreadsheet/<uuid:batch>/services.xlsx", entry_sheets.made_file, name="entry-sheet-file"),
    path("entries/<uuid:pk>/", entries.entry, name="entry"),
    path("entries/<uuid:pk>/publish/", entries.publish, name="entry-publish"),
    path("entries/<uuid:pk>/discard/", entries.discard, name="entry-discard"),
    path("entries/<uuid:pk>/take-back/", entries.take_back, name="entry-take-back"),
    path("entries/<uuid:pk>/check/", entries.check, name="entry-check"),
    path("entries/<uuid:pk>/preview/", entry_preview.preview, name="entry-preview"),
    path("entries/<uuid:pk>/history/", entries.history, name="entry-history"),
    path("entries/<uuid:pk>/history/<uuid:change_id>/undo/", entries.undo, name="entry-undo"),
    path("entries/<uuid:pk>/files/", entry_files.files, name="entry-files"),
    path("entries/<uuid:pk>/files/<uuid:file_id>/remove/", entry_files.remove, name="entry-file-remove"),
    path("entries/<uuid:pk>/<slug:part>/", entries.part, name="entry-part"),
    path("directory/files/<uuid:pk>/", entry_files.attachment, name="attachment"),
    path("directory/add/", proposals.add_group, name="group-add"),
    path("directory/added/", proposals.group_added, name="group-added"),
    path("curate/proposals/", proposals.proposals, name="proposals"),
    path("curate/proposals/<uuid:pk>/", proposals.proposal, name="proposal"),
]
