"""Where people choose what they are told, and managers what suits who has not chosen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.models import User
from core import sms
from core.clock import now
from core.errors import LuneError
from frontend.forms.notices import ALL_KINDS, ChoicesForm, CodeForm, MobileForm
from frontend.views.access import SignedIn, for_roles
from notifications.notices import choosing, preferences, queries, stopping
from notifications.notices.kinds import of_role


@require_http_methods(["GET", "POST"])
@for_roles()
def settings(request: SignedIn) -> HttpResponse:
    """One's own choices."""
    own = queries.own_choices(request.user)
    form = ChoicesForm(
        request.POST if request.method == "POST" else None,
        kinds=of_role(request.user.role), now=preferences.of_user(request.user), texts=own.mobile_confirmed_at is not None, person=True,
    )  # fmt: skip
    if form.is_valid():
        try:
            choosing.choose(by=request.user, at=now(), **form.told())
        except LuneError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "Saved. It holds for what happens from now on.")
            return redirect("notices-settings")
    context = {"form": form, "own": own, "mobile": MobileForm(initial={"mobile": own.mobile}), "code": CodeForm(), "texts": sms.is_set_up()}
    return render(request, "notices/settings.jinja", context, status=422 if form.errors else 200)


@for_roles()
@require_POST
def mobile(request: SignedIn) -> HttpResponse:
    """A number is named or taken away; or the code that went there is typed in; or stopped messages are to come again."""
    do = request.POST.get("do")
    try:
        if do == "confirm":
            form = CodeForm(request.POST)
            choosing.confirm_mobile(code=form.cleaned_data["code"] if form.is_valid() else "", by=request.user, at=now())
            messages.success(request, "Your number is confirmed. Choose what we send there.")
        elif do in ("start-email", "start-sms"):
            stopping.start(user_id=request.user.pk, route=do.removeprefix("start-"))
            messages.success(request, "Messages come again.")
        else:
            named = choosing.set_mobile(number=request.POST.get("mobile", "")[:40], by=request.user, at=now())
            done = "There is no number any more." if not named.mobile else "Saved."
            waits = named.mobile and named.mobile_confirmed_at is None
            messages.success(request, "We have sent a code to this number. Type it in below." if waits else done)
    except LuneError as error:
        messages.error(request, error.message)
    return redirect("notices-settings")


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.MANAGER)
def defaults(request: SignedIn) -> HttpResponse:
    """What holds for everybody of the organisation who has chosen nothing."""
    form = ChoicesForm(
        request.POST if request.method == "POST" else None,
        kinds=ALL_KINDS, now=preferences.of_organization(request.user), texts=True, person=False,
    )  # fmt: skip
    if form.is_valid():
        try:
            choosing.choose_for_all(by=request.user, at=now(), **form.told())
        except LuneError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "Saved for everybody in your organisation who has chosen nothing.")
            return redirect("notices-defaults")
    return render(request, "notices/defaults.jinja", {"form": form}, status=422 if form.errors else 200)
