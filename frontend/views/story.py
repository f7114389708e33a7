"""One page that tells what happened for a person: where they are, whose move it is, and everything in order."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from catalogue.models import User
from core import audit, clock
from flow.casework import queries
from flow.casework import story as stories
from flow.models import Patient
from frontend.presenters.query import Query

from .access import SignedIn, for_roles

#: Whose work knows people.
CARING = (User.Role.REFERRER, User.Role.PROVIDER)


def known_person(request: SignedIn, pk: UUID) -> Patient:
    """A person whom this user may know, or 404. Looking is recorded: call it in the transaction that shows them."""
    person = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
    audit.record_read(user=request.user, record_type="patient", record_id=person.pk, refresh=bool(getattr(request, "htmx", False)))
    return person


@require_GET
@for_roles(*CARING)
@transaction.atomic
def story(request: SignedIn, pk: UUID) -> HttpResponse:
    """The story; asked for as a part of the page, only what refreshes itself."""
    person = known_person(request, pk)
    at = clock.now()
    chosen = [code for code in request.GET.getlist("kind") if code in dict(stories.kinds())]
    before = _before(request)
    context = {
        "patient": person,
        "age": person.age_on(clock.local_date(at)),
        "where": [] if before else queries.where_is(request.user, person, at),
        "due": [] if before else queries.follow_ups(request.user, show="open", at=at, patient=person.pk)[:5],
        "story": stories.read(user=request.user, patient_id=person.pk, kinds=chosen, before=before),
        "kinds": stories.kinds(),
        "chosen": chosen,
        "before": before,
        "query": Query(request.GET),
        "due_word": queries.due_word,
        "at": at,
    }
    return render(request, "story/_story.jinja" if request.htmx else "story/story.jinja", context)


def _before(request: HttpRequest) -> datetime | None:
    """Where an older page begins; nonsense is left out, as the newest page answers it best."""
    try:
        found = datetime.fromisoformat(request.GET.get("before", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None and found.year > 1900 else None
