"""Whoever runs a service answers from a letter, without an account, whether its record still holds.

Looking changes nothing, because programs that check mail for harm open every link: only a press of a button does. These forms carry no
CSRF token: the address itself is the secret that a forger would need, and a mail program's own browser often keeps no cookies.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from catalogue import assurance
from catalogue import letters as letters_of
from catalogue.eligibility_text import eligibility_sentences
from catalogue.models import AssuranceLink
from core.clock import now
from core.errors import Invalid, NotFound
from frontend.by_link import by_link
from frontend.forms.still_correct import ChangeForm
from frontend.presenters import directory as present

#: A charity with 25 services opens and answers them all within a few minutes; a guesser needs more than all time.
A_MINUTE = 120

_by_link = by_link("still-correct", a_minute=lambda: A_MINUTE, spent="still_correct/spent.jinja", errors=(NotFound, assurance.LinkSpent))


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def still_correct(request: HttpRequest, token: str) -> HttpResponse:
    """The record as the public sees it, and the three answers."""
    if request.method == "POST":
        return _answer(token, AssuranceLink.Answer.CORRECT)
    service = assurance.read_link(token=token, at=now()).service
    context = {
        "service": service,
        "token": token,
        "phones": service.phones.all(),
        "eligibility": eligibility_sentences(service),
        "times": present.times(service),
        "costs": present.costs(service),
        "addresses": present.addresses(service),
    }
    return render(request, "still_correct/look.jinja", context)


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, token: str) -> HttpResponse:
    """What is different: it waits for a curator."""
    service = assurance.read_link(token=token, at=now()).service
    form = ChangeForm(request.POST if request.method == "POST" else None, service=service)
    if form.is_valid():
        try:
            return _answer(token, AssuranceLink.Answer.CHANGE, form.content())
        except Invalid as error:
            form.tell(error)
    context = {"service": service, "token": token, "form": form}
    return render(request, "still_correct/change.jinja", context, status=422 if form.errors else 200)


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def closed(request: HttpRequest, token: str) -> HttpResponse:
    """Whether it has really closed."""
    if request.method == "POST":
        return _answer(token, AssuranceLink.Answer.CLOSED)
    service = assurance.read_link(token=token, at=now()).service
    return render(request, "still_correct/closed.jinja", {"service": service, "token": token})


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def letters(request: HttpRequest, token: str) -> HttpResponse:
    """Whether the owner gets letters; one press stops or starts them. A mail program presses for its reader (RFC 8058)."""
    link, stopped = letters_of.by_link(token)
    if request.method == "POST":
        if request.POST.get("do") == "start":
            letters_of.start(token=token, at=now())
        elif "List-Unsubscribe" in request.POST or request.POST.get("do") in ("stop-one", "stop-all"):
            letters_of.stop(token=token, everything=request.POST.get("do") != "stop-one", at=now())
        return redirect("still-correct-letters", token)
    return render(request, "still_correct/letters.jinja", {"service": link.service, "token": token, "stopped": stopped})


@_by_link
@require_safe
def done(request: HttpRequest, answer: str) -> HttpResponse:
    """Thanks, at an address that holds no secret."""
    if answer not in (AssuranceLink.Answer.CORRECT, AssuranceLink.Answer.CHANGE, AssuranceLink.Answer.CLOSED):
        raise Http404
    return render(request, "still_correct/done.jinja", {"answer": answer})


def _answer(token: str, answer: AssuranceLink.Answer, content: dict[str, str] | None = None) -> HttpResponse:
    assurance.answer_link(token=token, answer=answer, content=content, at=now())
    return redirect("still-correct-done", answer.value)
