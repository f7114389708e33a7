"""The file of a document as an answer, for pages and for the API."""

from uuid import UUID

from django.http import FileResponse, Http404
from django.utils.text import slugify
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api import user_of
from core.uploads import SUFFIXES
from flow.casework import queries
from flow.models import Document


def saved(found: Document) -> FileResponse:
    """A document to be saved: never shown inside a page of ours, and never run or guessed at. That it may be opened was seen to."""
    try:
        content = found.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    name = f"{slugify(found.title)[:60] or 'document'}.{SUFFIXES.get(found.content_type, 'bin')}"
    answer = FileResponse(content, as_attachment=True, filename=name, content_type=found.content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "no-store"
    return answer


class DocumentFile(APIView):
    """The content, for those who may open it at this moment: 409 `held`, `quarantined` or `withdrawn`. Each time is a row of the audit."""

    @extend_schema(operation_id="documents_file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> FileResponse:
        return saved(queries.download(user_of(request), pk))
