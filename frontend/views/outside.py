"""A provider without an account answers one request by a link from a message. No page here names the person, but one: the right code's.

Looking changes nothing, because programs that check mail for harm open every link: only a press of a button does. These forms carry no
CSRF token: the address itself is the secret that a forger would need, and a mail program's own browser often keeps no cookies.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core.clock import local_date, now
from core.errors import Conflict, Invalid, LuneError, NotFound
from flow.models import TaskLink
from flow.outside import links, operations, queries
from flow.workflow import Status
from frontend.by_link import by_link
from frontend.forms.outside import CameForm, CodeForm, DeclineForm, QuestionForm, WhyForm
from frontend.forms.tell import tell
from frontend.presenters import inbox as present

#: A guesser of tokens needs more than all time; a club answers its few requests within a minute.
A_MINUTE = 40
#: The forms of the page by what their button does.
FORMS: dict[str, type[forms.Form]] = {
    "decline": DeclineForm, "ask": QuestionForm, "fail": WhyForm, "attended": CameForm, "release": CodeForm,
}  # fmt: skip
STEPS = {str(action) for action in operations.VERBS}

_by_link = by_link("reply", a_minute=lambda: A_MINUTE, spent="outside/spent.jinja")


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def reply(request: HttpRequest, token: str) -> HttpResponse:
    """What is asked, without a name, and the buttons. Each press answers once; then the same page goes on under an address of its own."""
    at = now()
    try:
        links.find(token, at=at)
    except Conflict as error:
        return render(request, "outside/spent.jinja", {"token": token, "why": error.message}, status=410)
    if request.method != "POST":
        return _page(request, token, {})
    do = request.POST.get("do", "")
    form = FORMS[do](request.POST) if do in FORMS else None
    if form is not None and not form.is_valid():
        return _page(request, token, {do: form})
    try:
        if do == "release" and form is not None:
            _, person = operations.release(token=token, code=form.cleaned_data["code"], at=at)
            return _page(request, token, {}, person=person)
        return redirect("reply", token=_do(request, do, token, form.cleaned_data if form is not None else {}))
    except NotFound:
        raise
    except LuneError as error:
        if form is not None and isinstance(error, Invalid):
            tell(form, error)
            return _page(request, token, {do: form})
        return _page(request, token, {}, problem=error)


@_by_link
@require_POST
def again(request: HttpRequest, token: str) -> HttpResponse:
    """A spent link asks for the next one. Whether it was ever one of ours is told to nobody: the answer is the same."""
    operations.send_again(token=token, at=now())
    return render(request, "outside/spent.jinja", {"token": token, "asked": True}, status=404)


def _do(request: HttpRequest, do: str, token: str, typed: dict[str, Any]) -> str:
    """Do what a button says. Returns the token under which the page goes on."""
    at = now()
    if do == "code":
        return operations.send_code(token=token, at=at)
    if do == "ask":
        return operations.ask(token=token, at=at, **typed)
    if do == "attended":
        return operations.attended(token=token, at=at, **typed)
    version = request.POST.get("version", "")
    if do not in STEPS or not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise Invalid("This page is incomplete. Open the link again, then press the button again.", code="no-such-answer")
    return operations.answer(
        token=token, action=do, at=at, expected_version=int(version), even_so=request.POST.get("even_so") == "yes", **typed
    )


def _page(
    request: HttpRequest,
    token: str,
    sent: dict[str, forms.Form],
    *,
    problem: LuneError | None = None,
    person: operations.Released | None = None,
) -> HttpResponse:
    at = now()
    found = queries.page(token, at=at)
    status = Status(found.profile.status)
    steps = {step.action.value: step for step in found.steps if step.action in operations.VERBS}
    today = f"{local_date(at):%Y-%m-%d}"
    wrong = next((form for form in sent.values() if form.errors), None)
    context = {
        "token": token,
        "profile": found.profile,
        "title": present.title(found.profile),
        "due": present.due(found.profile, at),
        "look": present.look(status),
        "steps": steps,
        "forms": {name: sent.get(name) or (made(initial={"day": today}) if name == "attended" else made()) for name, made in FORMS.items()},
        "wrong": wrong,
        "problem": problem,
        "person": person,
        "known": status in Status.known_to_provider(),
        "withdrawn": status in (Status.CANCELLED, Status.ENTERED_IN_ERROR),
        "declined": status == Status.REJECTED,
        "waiting": found.waits_for_code,
        "code_to": found.code_to,
        "door": found.link.kind == TaskLink.Kind.DOOR,
        "until": found.link.expires_at,
        "contact": found.link.contact,
        "thread": found.said,
        "agrees": found.agrees,
        "changed": found.changed,
    }
    return render(request, "outside/reply.jinja", context, status=422 if wrong else problem.http_status if problem else 200)
