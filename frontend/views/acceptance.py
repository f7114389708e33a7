"""How likely a yes is: what was learned, how good it is and for whom, and the switch."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.models import User
from core.clock import now
from core.errors import Conflict, Invalid, NotAllowed
from flow.acceptance import operations
from flow.acceptance.queries import Overview, overview
from flow.acceptance.words import verdict
from frontend.forms.acceptance import SwitchOffForm, SwitchOnForm
from frontend.presenters import acceptance as present
from frontend.presenters import spreadsheet
from frontend.views.access import SignedIn, for_roles

READERS = (User.Role.MANAGER, User.Role.ADMINISTRATOR)


def _shown(request: SignedIn) -> Overview:
    asked = request.GET.get("version", "")
    return overview(request.user, version=int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else None)


@require_http_methods(["GET", "POST"])
@for_roles(*READERS)
def acceptance(request: SignedIn) -> HttpResponse:
    """One version with its figures; an administrator switches it on or off below them."""
    if request.method == "POST":
        return _switch(request)
    return _page(request, SwitchOnForm(), SwitchOffForm())


def _switch(request: SignedIn) -> HttpResponse:
    if not request.user.is_administrator:
        raise NotAllowed("Only an administrator can switch this on or off.")
    off = "off" in request.POST
    on_form, off_form = SwitchOnForm(None if off else request.POST), SwitchOffForm(request.POST if off else None)
    form = off_form if off else on_form
    problem = ""
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            if off:
                model = operations.switch_off(reason=reason, by=request.user, at=now())
            else:
                chosen, points = UUID(request.POST.get("model", "")), form.cleaned_data["points"]
                model = operations.switch_on(model_id=chosen, points=points, reason=reason, by=request.user, at=now())
            soon = "" if off else " What each service’s own answers say is told within some minutes."
            messages.success(request, f"{model} is switched {'off' if off else 'on'}.{soon}")
            return redirect("acceptance")
        except (Invalid, Conflict) as error:
            problem = error.message
        except ValueError:
            problem = "Choose a version first."
    return _page(request, on_form, off_form, problem=problem, status=422)


def _page(request: SignedIn, on_form: SwitchOnForm, off_form: SwitchOffForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    found = _shown(request)
    figures = found.shown.figures if found.shown else {}
    context = {
        "found": found,
        "figures": figures,
        "verdict": verdict(found.shown) if found.shown else "",
        "errors": present.errors(figures) if figures else [],
        "picture": present.picture(figures) if figures else "",
        "picture_words": present.in_words(figures) if figures else "",
        "picture_title": present.TITLE,
        "groups": present.groups(found.shown.audit) if found.shown else [],
        "outcomes": present.outcomes(found.shown) if found.shown else [],
        "weights": present.weights(found.shown.learned) if figures and found.shown else [],
        "percent": present.percent,
        "on_form": on_form,
        "off_form": off_form,
        "problem": problem,
    }
    return render(request, "acceptance.jinja", context, status=status)


@require_GET
@for_roles(*READERS)
def acceptance_csv(request: SignedIn) -> HttpResponse:
    """The same figures as a file for a spreadsheet."""
    rows = present.table(_shown(request).shown)
    answer = HttpResponse(spreadsheet.lines(present.HEADER, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="likely-yes-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer
