"""Documents about a person: those that there are, another one, and the one address from which one is opened."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import clock
from core.errors import LuneError, NotFound
from core.uploads import SUFFIXES
from flow.api.files import saved
from flow.casework import operations, queries
from flow.models import Document
from frontend.forms.casework import DocumentForm, WithdrawForm
from frontend.forms.tell import tell

from .access import SignedIn, for_roles
from .story import CARING, known_person


@require_http_methods(["GET", "POST"])
@for_roles(*CARING)
def documents(request: SignedIn, pk: UUID) -> HttpResponse:
    """All documents of a person that one may see, and a form for another."""
    return _page(request, pk)


@require_GET
@for_roles(*CARING)
def document(request: SignedIn, pk: UUID) -> HttpResponse:
    """The file, to be saved: never shown inside a page of ours, and never run or guessed at by a browser."""
    try:
        found = queries.download(request.user, pk)
    except NotFound:
        raise Http404 from None
    except LuneError as error:
        owner = get_object_or_404(Document.objects.visible_to(request.user), pk=pk)
        return _page(request, owner.patient_id, problem=error)
    return saved(found)  # type: ignore[return-value]  # a stream: the door of roles says HttpResponse for all


@require_POST
@for_roles(*CARING)
def step(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """Share a document, share it no more, or withdraw it."""
    if action not in ("share", "unshare", "withdraw"):
        raise Http404
    found = get_object_or_404(Document.objects.visible_to(request.user).filter(organization=request.user.organization), pk=pk)
    sent = request.POST.get("version", "")
    version = int(sent) if sent.isdecimal() and len(sent) < 10 else None
    try:
        if action == "withdraw":
            form = WithdrawForm(request.POST)
            if not form.is_valid():
                return _page(request, found.patient_id, withdrawing=(pk, form))
            reason, version = form.cleaned_data["reason"], form.cleaned_data["version"]
            operations.withdraw_document(document_id=pk, reason=reason, by=request.user, at=clock.now(), expected_version=version)
            messages.success(request, "The document is withdrawn. Nobody can open it any more.")
        else:
            shared = action == "share"
            operations.share_document(
                document_id=pk, shared=shared, referral_id=_uuid(request), by=request.user, at=clock.now(), expected_version=version
            )
            messages.success(request, "The document is shared." if shared else "The document is no longer shared.")
    except LuneError as error:
        return _page(request, found.patient_id, problem=error)
    return redirect("patient-documents", found.patient_id)


def _uuid(request: SignedIn) -> UUID | None:
    try:
        return UUID(request.POST.get("referral", ""))
    except ValueError:
        return None


@transaction.atomic
def _page(
    request: SignedIn, pk: UUID, *, withdrawing: tuple[UUID, WithdrawForm] | None = None, problem: LuneError | None = None
) -> HttpResponse:
    person = known_person(request, pk)
    referrals = queries.shareable(request.user, person)
    adding = request.method == "POST" and withdrawing is None and problem is None
    form = DocumentForm(request.POST, request.FILES, referrals=referrals) if adding else DocumentForm(referrals=referrals)
    if adding and form.is_valid():
        sent = form.cleaned_data
        try:
            made = operations.add_document(
                patient_id=person.pk,
                title=sent["title"],
                file=sent["file"],
                referral_id=sent.get("referral"),
                shared=sent.get("referral") is not None,
                by=request.user,
                at=clock.now(),
            )
        except LuneError as error:
            tell(form, error)
        else:
            held = made.state == Document.State.HELD
            messages.success(request, "Added. It can be opened once it has been scanned for viruses." if held else "Added.")
            return redirect("patient-documents", person.pk)
    context = {
        "patient": person,
        "form": form,
        "documents": queries.documents(request.user, person),
        "referrals": referrals,
        "withdrawing": withdrawing,
        "problem": problem,
        "scanned": bool(settings.SCANNER),
        "megabytes": settings.DOCUMENT_MEGABYTES,
        "suffixes": SUFFIXES,
    }
    wrong = form.errors or withdrawing
    return render(request, "casework/documents.jinja", context, status=problem.http_status if problem else 422 if wrong else 200)
