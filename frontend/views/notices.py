"""What a person is told: the bell, the list, what it leads to, and the way out of e-mails, which needs no sign-in."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.clock import now
from frontend.by_link import by_link
from frontend.forms.notices import NoticeFilter
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles
from notifications.models import Notice
from notifications.notices import operations, stopping, words

PAGE_SIZE = 25
#: A mail program presses for its reader, and a firm's all come from one address; a guesser needs more than all time.
A_MINUTE = 60


@require_GET
@for_roles()
def notices(request: SignedIn) -> HttpResponse:
    """The newest first; the filters are in the address."""
    form = NoticeFilter(request.GET, role=request.user.role)
    page = Paginator(form.chosen(Notice.objects.visible_to(request.user)), PAGE_SIZE).get_page(request.GET.get("page"))
    lines = words.lines(page.object_list, request.user)
    context = {"form": form, "page": page, "lines": lines, "query": Query(request.GET), "kind": form.about}
    return render(request, "notices/_list.jinja" if request.htmx else "notices/notices.jinja", context)


@require_GET
@for_roles()
def bell(request: SignedIn) -> HttpResponse:
    """How many wait, for the head of a page that is open already."""
    return render(request, "notices/_bell.jinja")


@require_GET
@for_roles()
def notice(request: SignedIn, pk: UUID) -> HttpResponse:
    """To what it is about. Whoever has followed it has read it."""
    found = operations.mark_read(notice_id=pk, by=request.user, at=now())
    return redirect(words.link(found, request.user))


@for_roles()
@require_POST
def notice_read(request: SignedIn, pk: UUID) -> HttpResponse:
    """Read, without going there."""
    operations.mark_read(notice_id=pk, by=request.user, at=now())
    return redirect(_back(request))


@for_roles()
@require_POST
def notices_read(request: SignedIn) -> HttpResponse:
    """All read, or all of the kind that the list was narrowed to."""
    count = operations.mark_all_read(by=request.user, at=now(), kind=request.POST.get("kind", ""))
    messages.success(request, f"{count} notice{'' if count == 1 else 's'} marked as read." if count else "Nothing was unread.")
    return redirect(_back(request))


def _back(request: SignedIn) -> str:
    """The list as it was: its filters are kept, and nothing else of what the form says is believed."""
    kept = NoticeFilter(request.POST, role=request.user.role).kept()
    return f"{reverse('notices')}{f'?{kept}' if kept else ''}"


_by_link = by_link("notices-stop", a_minute=lambda: A_MINUTE, spent="notices/stop.jinja")


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """No more of these e-mails, or again. Looking changes nothing: programs that check mail for harm open every link."""
    user_id, route = stopping.read(token)
    if request.method == "POST":
        if request.POST.get("do") == "start":
            stopping.start(user_id=user_id, route=route)
        else:
            stopping.stop(user_id=user_id, route=route, because=stopping.ASKED, at=now())
    return render(request, "notices/stop.jinja", {"stopped": stopping.is_stopped(token), "token": token})
