"""Answers that nobody could keep: what providers wrote, and what was asked back, so that somebody can ring them."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from capacity.models import Reply
from capacity.replies import WORDS_KEPT
from catalogue.models import User
from frontend.forms.replies import ReplyFilter
from frontend.presenters.query import Query
from frontend.views.access import SignedIn, for_roles

PAGE_SIZE = 25


@require_GET
@for_roles(User.Role.CURATOR, User.Role.ADMINISTRATOR)
def replies(request: SignedIn) -> HttpResponse:
    """The newest first; the filters are in the address."""
    form = ReplyFilter(request.GET)
    found = form.chosen(Reply.objects.visible_to(request.user).select_related("service"))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "query": Query(request.GET), "days": WORDS_KEPT.days}
    return render(request, "curate/replies.jinja", context)
