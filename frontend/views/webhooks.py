"""Where an organisation connects its own systems, sees what they were told, and sends it again."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.models import User
from core.clock import now
from core.errors import LuneError, NotFound
from frontend.forms.notices import WebhookForm
from frontend.views.access import SignedIn, for_roles
from notifications.models import Delivery, Webhook
from notifications.models.delivery import manages
from notifications.notices import webhooks as hooks

#: Of the newest messages so many are shown.
SHOWN = 50


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.MANAGER, User.Role.PROVIDER)
def webhooks(request: SignedIn) -> HttpResponse:
    """The organisation's addresses, and a form for another. A new key is shown in the answer, this once."""
    if request.method == "POST":
        hooks.require_manager(request.user)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    made, key, at = None, "", now()
    if form.is_valid():
        try:
            made, key = hooks.make(by=request.user, at=at, **form.cleaned_data)
        except LuneError as error:
            form.add_error(None, error.message)
        else:
            form = WebhookForm()
    return _page(request, form, made, key)


@for_roles(User.Role.MANAGER, User.Role.PROVIDER)
@require_POST
def webhook_do(request: SignedIn, pk: UUID, action: str) -> HttpResponse:
    """A new key, a trial, off, on, or away with it."""
    by, at = request.user, now()
    if action == "rotate":
        made, key = hooks.rotate(webhook_id=pk, by=by, at=at)
        return _page(request, WebhookForm(), made, key)
    if action == "try":
        hooks.send_trial(webhook_id=pk, by=by, at=at)
        messages.success(request, "A trial is on its way. What came of it stands below in a moment.")
    elif action in ("on", "off"):
        hooks.switch(webhook_id=pk, on=action == "on", by=by, at=at)
        messages.success(request, "Switched on." if action == "on" else "Switched off.")
    elif action == "remove":
        hooks.remove(webhook_id=pk, by=by, at=at)
        messages.success(request, "Removed. It is told nothing any more.")
    else:
        raise NotFound("There is no such step.")
    return redirect("webhooks")


@for_roles(User.Role.MANAGER, User.Role.PROVIDER)
@require_POST
def webhook_replay(request: SignedIn, pk: UUID) -> HttpResponse:
    """One message again, under the same id."""
    hooks.replay(delivery_id=pk, by=request.user, at=now())
    messages.success(request, "It is sent again.")
    return redirect("webhooks")


def _page(request: SignedIn, form: WebhookForm, made: Webhook | None, key: str) -> HttpResponse:
    context = {
        "form": form,
        "made": made,
        "key": key,
        "may": manages(request.user),
        "at": now(),
        "webhooks": Webhook.objects.visible_to(request.user).filter(removed_at=None),
        "deliveries": Delivery.objects.visible_to(request.user).filter(webhook__removed_at=None).select_related("webhook")[:SHOWN],
    }
    return render(request, "notices/webhooks.jinja", context, status=422 if form.errors else 200)
