"""Whoever runs a service says from a message, without an account, what is free. No page here knows of any patient.

Looking changes nothing, because programs that check mail for harm open every link: only a press of a button does. These forms carry no
CSRF token: the address itself is the secret that a forger would need, and a mail program's own browser often keeps no cookies.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from capacity import ask_messages, asking, demand, preferences, queries
from capacity.holding import HeldPlace
from capacity.models import UpdateLink
from core.clock import now
from core.errors import Conflict, LuneError, NotFound
from frontend.by_link import by_link
from frontend.forms import told
from frontend.presenters import tell as present
from frontend.presenters.places import HISTORY, sparkline

#: A home with a dozen services answers for all within a few minutes; a guesser needs more than all time.
A_MINUTE = 60

_by_link = by_link("tell", a_minute=lambda: A_MINUTE, spent="tell/spent.jinja")


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HttpRequest, token: str) -> HttpResponse:
    """“2 beds free?” with the answers as buttons. One press is all; the second press of two counts for nothing."""
    at = now()
    link = asking.any_link(token=token)
    problem: LuneError | None = None
    losing: list[HeldPlace] = []
    if request.method == "POST":
        try:
            answers = told.read(request.POST)
            losing = asking.would_lose(link=link, told=answers, at=at)
            asking.use_link(token=token, told=answers, at=at, withdraw_because=told.because(request.POST))
            return redirect("tell-thanks", token=token)
        except NotFound:
            raise
        except LuneError as error:
            problem = error
    asking.read_link(token=token, at=at)
    services = list(link.services())
    states = queries.with_state(asking.asked_about(at).filter(service__in=services), at)
    waiting = demand.waiting_near([service.pk for service in services], at)
    lines = present.lines(states, request.POST)
    context = {
        "token": token,
        "whose": present.whose(services),
        "owner": link.service.organization.name,
        "groups": [(service, [line for line in lines if line.state.service == service.pk]) for service in services],
        "sent_to": ask_messages.address_in_part(link.channel, link.sent_to),
        "until": link.expires_at,
        "lines": lines,
        "all_known": all(state.available is not None for state in states),
        "near": {service: demand.words(count) for service, count in waiting.items()},
        "problem": problem,
        "taking": present.taking(states, losing, request.POST) if problem and problem.code in ("below-held", "say-why") else None,
    }
    return render(request, "tell/question.jinja", context, status=problem.http_status if problem else 200)


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """What was told, what it does for others, and for some minutes a way back."""
    at = now()
    link = asking.read_used_link(token=token, at=at)
    said, problem = "", ""
    if request.method == "POST":
        try:
            if request.POST.get("do") == "undo":
                asking.undo(token=token, at=at)
                return redirect("tell", token=token)
            if request.POST.get("do") == "next":
                preferences.ask_again(token=token, at=at)
                said = "A new link is on its way to you."
        except Conflict as error:
            problem = error.message
    return render(request, "tell/thanks.jinja", _thanks(link, token) | {"said": said, "problem": problem}, status=409 if problem else 200)


def _thanks(link: UpdateLink, token: str) -> dict[str, Any]:
    at = now()
    states = queries.pool_states([UUID(pool) for pool in link.told], at).values()
    history = queries.histories([state.id for state in states], at - HISTORY)
    services = list(link.services())
    waiting = demand.waiting_near([service.pk for service in services], at)
    return {
        "token": token,
        "whose": present.whose(services),
        "several": len(services) > 1,
        "states": sorted(states, key=lambda state: (state.service_name, state.name)),
        "sparks": {state.id: sparkline(history.get(state.id, []), at=at, unit=state.unit) for state in states},
        "undo_until": link.used_at and link.used_at + asking.UNDO_FOR,
        "near": demand.words(max(waiting.values(), default=None)),
        "taken_back": sum(kept.get("taken_back", 0) for kept in link.told.values()),
        "can_ask": asking.preferences_of(link).filter(stopped_at=None, confirmed_at__isnull=False).exists(),
    }


@_by_link
@require_POST
def again(request: HttpRequest, token: str) -> HttpResponse:
    """A spent link asks for the next one. Whether it was ever one of ours is told to nobody: the answer is the same."""
    with suppress(NotFound, Conflict):
        preferences.ask_again(token=token, at=now())
    return render(request, "tell/spent.jinja", {"token": token, "asked": True}, status=404)


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Whether messages come; one press stops or starts them. A mail program presses for its reader (RFC 8058)."""
    link = asking.any_link(token=token)
    if request.method == "POST":
        if request.POST.get("do") == "start":
            asking.start(token=token, at=now())
        elif "List-Unsubscribe" in request.POST or request.POST.get("do") == "stop":
            asking.stop(token=token, at=now())
        return redirect("tell-stop", token=token)
    context = {
        "token": token,
        "whose": present.whose(list(link.services())),
        "sent_to": ask_messages.address_in_part(link.channel, link.sent_to),
        "preference": asking.preferences_of(link).order_by("-stopped_at", "pk").last(),
    }
    return render(request, "tell/stop.jinja", context)
