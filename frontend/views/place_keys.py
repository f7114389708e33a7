"""Keys by which a provider's own systems tell what is free."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from capacity import keys
from capacity.models import SystemKey
from catalogue.models import User
from core.clock import now
from core.errors import LuneError
from frontend.forms.waiting import KeyForm
from frontend.views.access import SignedIn, for_roles


@require_http_methods(["GET", "POST"])
@for_roles(User.Role.PROVIDER)
def place_keys(request: SignedIn) -> HttpResponse:
    """The keys of the organisation, and for whoever keeps them a form for another. A new key is shown in the answer, this once."""
    if request.method == "POST":
        keys.require_keeper(request.user)
    form = KeyForm(request.POST if request.method == "POST" else None)
    text, at = "", now()
    if form.is_valid():
        try:
            key, text = keys.make(name=form.cleaned_data["name"], days=form.cleaned_data["days"], by=request.user, at=at)
        except LuneError as error:
            form.add_error(None, error.message)
        else:
            form = KeyForm()
    shown = SystemKey.objects.visible_to(request.user).select_related("created_by")
    context = {"form": form, "keys": [(each, each.works(at)) for each in shown], "text": text, "made": key if text else None}
    context |= {"may_make": keys.may_make(request.user), "keepers": keys.keepers(request.user)}
    return render(request, "places/keys.jinja", context, status=422 if form.errors else 200)


@for_roles(User.Role.PROVIDER)
@require_POST
def place_key_revoke(request: SignedIn, pk: UUID) -> HttpResponse:
    """End a key at once."""
    key = keys.revoke(key_id=pk, by=request.user, at=now())
    messages.success(request, f"The key of {key.name} has ended. The system that had it can tell nothing any more.")
    return redirect("place-keys")
