"""Somebody asks a service for help, without an account, and follows what becomes of it.

The form says nothing of whether anybody is known. Pages behind a link show nothing that was typed once it is sent; they carry no CSRF
token, because the address itself is the secret that a forger would need.
"""

import hashlib
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.models import Service
from core.client import address_of
from core.clock import now
from core.errors import LuneError, NotFound
from flow.models import SelfReferral
from flow.self_referral import links, operations, queries
from frontend.forms.self_referral import AskForm, ReplyForm, as_typed, news_address
from frontend.forms.tell import tell
from frontend.limits import too_often
from frontend.views.errors import too_many_requests

#: How many requests may be saved or sent from one network address in an hour: a library has one address for all its readers.
REQUESTS_AN_HOUR = 20
#: How often a link may be opened or pressed in a minute from one network address.
A_MINUTE = 60
#: For how many seconds a second press of the same page is known to be one.
PRESSES_FOR = 1800

View = Callable[..., HttpResponse]


def _private(view: View) -> View:
    """Every answer: kept by nobody, indexed by nobody, and its address told to nobody."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        busy = too_often(request, "self-referral", a_minute=A_MINUTE)
        answer = too_many_requests(request) if busy else view(request, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        answer["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return wrapped


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form of a service that takes such requests; of any other it is not there."""
    offer = _offer(pk)
    if request.method != "POST":
        return _form(request, offer, AskForm(offer=offer))
    return _sent(request, offer)


@_private
@require_GET
def asked(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What a program reads that filled in the box which no person sees."""
    return render(request, "asked/thanks.jinja", {"service": get_object_or_404(Service.objects.visible_to(request.user), pk=pk)})


@csrf_exempt
@_private
@require_http_methods(["GET", "HEAD", "POST"])
def my_request(request: HttpRequest, token: str) -> HttpResponse:
    """By the link: the form as it was left, or how the request stands. Spent and wrong links are one."""
    try:
        answer = _by_link(request, token)
    except NotFound:
        answer = render(request, "asked/spent.jinja", status=404)
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _by_link(request: HttpRequest, token: str) -> HttpResponse:
    at = now()
    found = links.find(token, at=at)
    do = request.POST.get("do", "")
    reply: ReplyForm | None = None
    problem: LuneError | None = None
    if request.method == "POST":
        try:
            if do == "answer":
                reply = ReplyForm(request.POST)
                if reply.is_valid():
                    operations.answer(token=token, words=reply.cleaned_data["words"], at=at)
                    return redirect("my-request", token)
            elif do == "withdraw":
                operations.withdraw(token=token, at=at)
                if found.state == SelfReferral.State.DRAFT:
                    return render(request, "asked/ended.jinja", {"deleted": True})
                return redirect("my-request", token)
            elif do == "stop":
                operations.stop_news(token=token, at=at)
                return redirect("my-request", token)
            elif do == "end":
                operations.end_links(token=token, at=at)
                return render(request, "asked/ended.jinja", {"deleted": False})
            elif found.state == SelfReferral.State.DRAFT:
                return _sent(request, _offer(found.service_id), token)
        except NotFound:
            raise
        except LuneError as error:
            problem = error
    if found.state == SelfReferral.State.DRAFT:
        offer = queries.offer_of(found.service_id)
        return _form(request, offer, AskForm(initial=found.typed, offer=offer), token=token, until=at + links.lasts(found))
    context = {
        "token": token,
        "address": _address(token),
        "progress": queries.progress(links.find(token, at=at)),
        "reply": reply or ReplyForm(),
        "problem": problem,
    }
    wrong = problem.http_status if problem else 422 if reply is not None and reply.errors else 200
    return render(request, "asked/progress.jinja", context, status=wrong)


def _offer(pk: UUID) -> queries.Offer:
    try:
        return queries.offer_of(pk)
    except NotFound:
        raise Http404 from None


@transaction.atomic
def _sent(request: HttpRequest, offer: queries.Offer, token: str = "") -> HttpResponse:
    """Saved, sent, or told what is wrong with everything still in its box."""
    if request.POST.get("website"):
        return redirect("service-asked", offer.service.pk)  # a program: it is thanked, and nothing is kept
    form = AskForm(request.POST, offer=offer)
    saved = request.POST.get("do") == "save"
    if not token and (before := _pressed_before(request, offer)):
        return redirect("my-request", before)
    if (saved or form.is_valid()) and _too_many(request):
        form.add_error(None, "Many requests came from this computer in the last hour. Please try again later, or ring the service.")
    elif saved:
        typed = as_typed(request.POST)
        token = operations.save(service_id=offer.service.pk, typed=typed, token=token, at=now(), **news_address(typed))
        _remember(request, offer, token)
        return redirect("my-request", token)
    elif form.is_valid():
        try:
            token = operations.send(service_id=offer.service.pk, asked=form.asked(), token=token, at=now())
            _remember(request, offer, token)
            return redirect("my-request", token)
        except NotFound:
            raise
        except LuneError as error:
            tell(form, error)
    return _form(request, offer, form, token=token)


def _pressed_before(request: HttpRequest, offer: queries.Offer) -> str:
    """The link that the same press of this very page was given, where somebody presses twice or goes back: one request, not two.

    Until the transaction ends, a second press waits for the first.
    """
    key = _press(request, offer)
    if not key:
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    token = str(cache.get(key, ""))
    try:
        return token if token and links.find(token, at=now()) else ""
    except NotFound:
        return ""  # they have deleted it since, and ask anew


def _remember(request: HttpRequest, offer: queries.Offer, token: str) -> None:
    if key := _press(request, offer):
        cache.set(key, token, PRESSES_FOR)


def _press(request: HttpRequest, offer: queries.Offer) -> str:
    """A page as it was sent: the sign that it was given, which nobody else has, and all that stood in its boxes."""
    if not request.POST.get("form"):
        return ""
    sent = repr([str(offer.service.pk), *sorted((name, request.POST.getlist(name)) for name in request.POST)])
    return f"self-referral-press:{hashlib.sha256(sent.encode()).hexdigest()}"


def _too_many(request: HttpRequest) -> bool:
    key = f"self-referrals:{address_of(request)}"
    cache.add(key, 0, 3600)
    return cache.incr(key) > REQUESTS_AN_HOUR


def _form(request: HttpRequest, offer: queries.Offer, form: AskForm, *, token: str = "", until: Any = None) -> HttpResponse:
    context = {
        "service": offer.service,
        "by_curator": offer.by_curator,
        "kept_for": settings.SELF_REFERRAL_KEEP_DAYS,
        "form": form,
        "for_others": SelfReferral.ForWhom.OTHER in offer.for_whom,
        "token": token,
        "sign": (form.data.get("form", "") if form.is_bound else "")[:40] or secrets.token_urlsafe(16),
        "address": _address(token) if token else "",
        "until": until,
    }
    return render(request, "asked/ask.jinja", context, status=422 if form.errors else 200)


def _address(token: str) -> str:
    return f"{settings.SITE_URL}{reverse('my-request', args=[token])}"
