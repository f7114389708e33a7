"""An entry as the public will see it, before anybody does."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from catalogue.entry import queries
from catalogue.entry.operations import trial
from catalogue.models import User
from core.clock import now
from frontend.views import directory
from frontend.views.access import SignedIn, for_roles
from frontend.views.entries import KEEPERS, work_on


@require_GET
@for_roles(*KEEPERS)
def preview(request: SignedIn, pk: UUID) -> HttpResponse:
    """The public page made from the draft: the draft is written, the page is made, and all of it is taken back."""
    work_on(request, pk)
    user = request.user
    with transaction.atomic():
        trial(pk=pk, by=user, at=now())
        public = queries.is_public(pk)
        cast(Any, request).user = AnonymousUser() if public else _professional(user)
        cast(Any, request).entry_preview = {"pk": pk, "public": public}
        try:
            answer = directory.service(request, pk)
        except Http404:
            answer = None
        finally:
            request.user = user
            transaction.set_rollback(True)
    if answer is None:
        raise Http404
    answer["Cache-Control"] = "private, no-store"
    return answer


def _professional(user: User) -> User:
    """Somebody who sees what the public does not: an entry that is closed or for professionals alone."""
    return User(pk=user.pk, role=User.Role.CURATOR, email=user.email, organization=user.organization, is_active=True)
