"""Pages on which those who run a service keep its entry: list, parts, preview, publishing, history."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalogue import usage_figures
from catalogue.entry import content, operations, queries
from catalogue.entry.content import PARTS
from catalogue.entry.places import known_postcodes
from catalogue.entry.queries import Entry
from catalogue.models import ProposedChange, Service, User
from catalogue.operations import assure
from core.clock import now
from core.errors import Invalid
from frontend.forms.entries import EntryFilter, NewEntryForm
from frontend.forms.entry import FORMS
from frontend.forms.entry.areas import redrawn
from frontend.forms.entry.part import with_another
from frontend.forms.usage import USUAL_DAYS
from frontend.presenters import entry as present
from frontend.presenters import usage as used
from frontend.presenters.directory import assurance
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 50
KEEPERS = (User.Role.PROVIDER, User.Role.CURATOR, User.Role.ADMINISTRATOR)


def work_on(request: SignedIn, pk: UUID) -> Entry:
    """The entry as this user may work on it, or 404: another organisation's is not there."""
    work = queries.entry(request.user, pk)
    if work is None:
        raise Http404
    return work


@require_GET
@for_roles(*KEEPERS)
def entries(request: SignedIn) -> HttpResponse:
    """The services of one's organisation with the state of each entry; new ones that are not published yet stand first."""
    form = EntryFilter(request.GET)
    today = timezone.localdate()
    page = Paginator(queries.my_services(request.user, today=today, **form.search()), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(service, assurance(service, today=today)) for service in page]
    begun = queries.open_changes(request.user).filter(service=None).exclude(organization=None)
    context = {"form": form, "page": page, "rows": rows, "begun": begun, "wanted": len(queries.WANTED), "query": Query(request.GET)}
    return render(request, "entry/list.jinja", context)


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def new(request: SignedIn) -> HttpResponse:
    """Begin an entry for a new service. A curator says whose it is."""
    form = NewEntryForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        change = operations.begin(by=request.user, at=now(), organization_id=form.organization_id())
        return redirect("entry-part", change.pk, "basics")
    return render(request, "entry/new.jinja", {"form": form}, status=422 if form.errors else 200)


@require_GET
@for_roles(*KEEPERS)
def entry(request: SignedIn, pk: UUID) -> HttpResponse:
    """One entry: its parts with what is still to say, and what can be done with the draft."""
    return _entry(request, work_on(request, pk))


def _entry(request: SignedIn, work: Entry, *, problem: str = "", status: int = 200) -> HttpResponse:
    after = {name: value for name, value in work.change.content.items() if name in content.FIELDS} if work.change else {}
    context = {
        "work": work,
        "parts": present.parts(work),
        "lines": present.differences(work.live, after, work.overtaken()),
        "seen": operations.whole_stamp(work),
        "needs_approval": work.change and operations.needs_approval(request.user, work.organization, work.change),
        "assurance": assurance(work.service, today=timezone.localdate()) if work.service else None,
        "refused": None if work.change else queries.refused_last(request.user, work.service),
        "usage": _usage(request.user, work.service),
        "attachments": queries.attachments(request.user, work.service).count(),
        "problem": problem,
    }
    return render(request, "entry/entry.jinja", context, status=status)


def _usage(user: User, service: Service | None) -> list[tuple[str, str]]:
    """How often the public did what with this service lately; nothing for one that the public does not see."""
    if service is None or service.status != Service.Status.ACTIVE or service.is_confidential or service.organization.is_confidential:
        return []
    today = timezone.localdate()
    first = today - timedelta(days=USUAL_DAYS - 1)
    return used.of_service(usage_figures.of_service(user, service.pk, first=first, last=today))


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def part(request: SignedIn, pk: UUID, part: str) -> HttpResponse:
    """One part of an entry. What is saved is a draft; the other buttons only help to fill in the form."""
    work = work_on(request, pk)
    if part not in PARTS:
        raise Http404
    if work.waits:
        return redirect("entry", pk)
    action = request.POST.get("action", "save")
    data = request.POST if request.method == "POST" else None
    if data is not None and action.startswith("add "):
        data = with_another(data, action.removeprefix("add "))
    if data is not None and part == "areas" and action.startswith("redraw "):
        data = redrawn(data, action.removeprefix("redraw "), work.shown)
    form = FORMS[part](
        data,
        files=request.FILES if data is not None else None,
        shown=work.shown,
        seen=work.stamp(part),
        user=request.user,
        new=work.service is None,
        secret=work.is_secret,
    )
    context: dict[str, Any] = {"work": work, "part": part, "title": PARTS[part], "form": form, "action": action, "shown": work.shown}
    status = 200
    if data is not None and (action.startswith(("add ", "redraw ")) or action == "find"):
        form.quiet()
    elif data is not None and form.is_valid():
        if action == "dates":
            values = {name: content.canonical(name, value) for name, value in form.values().items()}
            context["shown"] = work.shown | values
        else:
            try:
                operations.save(pk=pk, part=part, values=form.values(), seen=form.cleaned_data["seen"], by=request.user, at=now())
            except Invalid as error:
                form.tell(cast("Mapping[str, Sequence[str]]", error.details.get("errors") or {}), error.message)
            except operations.Stale as error:
                return _stale(request, error, form, context)
            else:
                return _saved(request, pk, part, action)
    if form.has_errors:
        status = 422
    if part == "times":
        context["dates"] = present.next_dates(context["shown"], work, now())
    elif part == "where":
        context["mapped"] = known_postcodes(work.shown["places"])
    return render(request, f"entry/{part}.jinja", context, status=status)


def _saved(request: SignedIn, pk: UUID, part: str, action: str) -> HttpResponse:
    keys = list(PARTS)
    after = keys.index(part) + 1
    if action == "next" and after < len(keys):
        return redirect("entry-part", pk, keys[after])
    messages.success(request, "Saved. Nobody else sees it until you publish it.")
    return redirect("entry", pk)


def _stale(request: SignedIn, error: Any, form: Any, context: dict[str, Any]) -> HttpResponse:
    """Somebody else was quicker: what they wrote is shown beside what was typed, and the next save is made on top of theirs."""
    theirs: Entry = error.details["entry"]
    part = context["part"]
    typed = {name: content.canonical(name, value) for name, value in form.values().items()}
    lines = present.differences({name: theirs.shown[name] for name in typed}, typed)
    form.data = form.data.copy()
    form.data["seen"] = theirs.stamp(part)
    context |= {"work": theirs, "theirs": lines}
    if part == "times":
        context["dates"] = present.next_dates(theirs.shown | typed, theirs, now())
    elif part == "where":
        context["mapped"] = known_postcodes(theirs.shown["places"])
    return render(request, f"entry/{part}.jinja", context, status=409)


@require_POST
@for_roles(*KEEPERS)
def publish(request: SignedIn, pk: UUID) -> HttpResponse:
    """Publish the draft, or hand it to a curator where the policy asks for that."""
    work_on(request, pk)
    try:
        change = operations.submit(pk=pk, seen=request.POST.get("seen", ""), by=request.user, at=now())
    except operations.Stale as error:
        return _entry(request, cast(Entry, error.details["entry"]), problem=error.message, status=409)
    except Invalid as error:
        details: Any = error.details.get("errors") or {}
        words = " ".join(text for texts in details.values() for text in texts)
        return _entry(request, work_on(request, pk), problem=f"{error.message} {words}".strip(), status=422)
    if change.status == ProposedChange.Status.WAITING:
        messages.success(request, "Sent. A curator of the directory looks at it before everybody sees it.")
    else:
        messages.success(request, "Published. Everybody sees it now, and the entry counts as checked today.")
    return redirect("entry", pk)


@require_POST
@for_roles(*KEEPERS)
def discard(request: SignedIn, pk: UUID) -> HttpResponse:
    """Throw the draft away."""
    operations.discard(pk=pk, by=request.user, at=now())
    messages.success(request, "The draft is gone. The directory is as it was.")
    return redirect("entries")


@require_POST
@for_roles(*KEEPERS)
def take_back(request: SignedIn, pk: UUID) -> HttpResponse:
    """What waits, or was refused, becomes a draft again."""
    operations.take_back(pk=pk, by=request.user, at=now())
    messages.success(request, "It is a draft again. Change it, then publish it.")
    return redirect("entry", pk)


@require_POST
@for_roles(*KEEPERS)
def check(request: SignedIn, pk: UUID) -> HttpResponse:
    """All of it is right as it stands."""
    work_on(request, pk)
    assure(service_id=pk, by=request.user, at=now())
    messages.success(request, "The entry is marked as checked today.")
    return redirect("entry", pk)


@require_GET
@for_roles(*KEEPERS)
def history(request: SignedIn, pk: UUID) -> HttpResponse:
    """Who changed what when."""
    work = work_on(request, pk)
    events = present.history(work, queries.changes_of(request.user, work.service))
    page = Paginator(events, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "entry/history.jinja", {"work": work, "page": page, "query": Query(request.GET)})


@require_http_methods(["GET", "POST"])
@for_roles(*KEEPERS)
def undo(request: SignedIn, pk: UUID, change_id: UUID) -> HttpResponse:
    """What undoing a change would change now; and doing it."""
    work = work_on(request, pk)
    former = queries.changes_of(request.user, work.service).filter(pk=change_id, status=ProposedChange.Status.MADE).first()
    if former is None:
        raise Http404
    fields = [name for name in former.base if name in content.FIELDS]
    context: dict[str, Any] = {"work": work, "former": former}
    status = 200
    if request.method == "POST":
        try:
            made = operations.undo(change_id=change_id, seen=request.POST.get("seen", ""), by=request.user, at=now())
        except operations.Stale as error:
            context |= {"problem": error.message}
            status = 409
        else:
            waits = made.status == ProposedChange.Status.WAITING
            messages.success(request, "Sent to a curator of the directory." if waits else "Undone. It is as it was before that change.")
            return redirect("entry-history", pk)
    work = work_on(request, pk)
    context |= {
        "lines": present.differences(work.live, {name: former.base[name] for name in fields}),
        "seen": content.stamp(work.live, fields),
    }
    return render(request, "entry/undo.jinja", context, status=status)
