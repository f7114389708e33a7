"""Photos and documents of an entry, and the one address from which they are read."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalogue.entry import attachments, queries
from catalogue.models import Attachment
from core.clock import now
from core.errors import Invalid
from frontend.forms.entry_files import FileForm
from frontend.views.access import SignedIn, for_roles
from frontend.views.entries import KEEPERS, work_on


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def files(request: SignedIn, pk: UUID) -> HttpResponse:
    """What belongs to the entry, and a form that adds one."""
    work = work_on(request, pk)
    if work.service is None:
        raise Http404
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if form.is_valid():
        try:
            made = attachments.add(service_id=pk, by=request.user, at=now(), **form.cleaned_data)
        except Invalid as error:
            details: Any = error.details.get("errors") or {None: [error.message]}
            for name, texts in details.items():
                form.add_error(name, texts)
        else:
            messages.success(request, "Added." if made.is_shown else "Sent. A curator looks at it before everybody sees it.")
            return redirect("entry-files", pk)
    found = queries.attachments(request.user, work.service)
    context = {
        "work": work,
        "form": form,
        "photos": found.filter(kind=Attachment.Kind.PHOTO),
        "documents": found.filter(kind=Attachment.Kind.DOCUMENT),
    }
    return render(request, "entry/files.jinja", context, status=422 if form.errors else 200)


@require_POST
@for_roles(*KEEPERS)
def remove(request: SignedIn, pk: UUID, file_id: UUID) -> HttpResponse:
    """Take one away."""
    work = work_on(request, pk)
    get_object_or_404(queries.attachments(request.user, work.service), pk=file_id)
    attachments.remove(attachment_id=file_id, by=request.user, at=now())
    messages.success(request, "Removed.")
    return redirect("entry-files", pk)


@require_GET
def attachment(request: HttpRequest, pk: UUID) -> FileResponse:
    """A picture, or a paper to be saved: never run or guessed at by a browser, and only of what this viewer may see."""
    found = get_object_or_404(Attachment.objects.visible_to(request.user), pk=pk)
    photo = found.kind == Attachment.Kind.PHOTO
    name = f"{slugify(found.title)[:60] or 'file'}.{'jpg' if photo else 'pdf'}"
    try:
        content = found.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    answer = FileResponse(content, as_attachment=not photo, filename=name, content_type=found.content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
