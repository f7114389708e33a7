"""What a phone kept while it had no network, sent when it has one again."""

from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from capacity import operations
from capacity.batch import outcome_of
from capacity.models import ServiceCapacity
from catalogue.models import User
from core.clock import now
from core.errors import Invalid, LuneError, NotFound
from frontend.forms.waiting import WaitingForm
from frontend.views.access import SignedIn, for_roles

_KEPT = {
    "kept": "Sent and kept.",
    "late": "Sent late: a later figure had been told meanwhile, and stands. Yours is kept in the history.",
}


@for_roles(User.Role.PROVIDER)
@require_POST
def waiting(request: SignedIn) -> JsonResponse:
    """One update with the time and the key it was made with. The same key again is the same update, and counts once."""
    try:
        return _keep(request)
    except LuneError as error:
        return JsonResponse({"outcome": "refused", "said": error.message}, status=422)


def _keep(request: SignedIn) -> JsonResponse:
    pool = ServiceCapacity.objects.visible_to(request.user).run_by(request.user).filter(pk=_pool_of(request)).first()
    if pool is None:
        raise NotFound("These places are no longer yours to tell of. Nothing was changed.")
    form, at = WaitingForm(request.POST), now()
    changes = form.changes(pool)
    key = form.cleaned_data["key"]
    operations.report(pool_id=pool.pk, by=request.user, at=at, observed_at=form.seen(at), key=key, **changes)
    outcome = outcome_of(pool.pk, key).outcome
    return JsonResponse({"outcome": outcome, "said": _KEPT[outcome]})


def _pool_of(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("pool", ""))
    except ValueError:
        raise Invalid("This update does not say of which places it is. Look again, and say what is free now.") from None
