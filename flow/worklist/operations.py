"""What people do with their worklist: keep a view of it, and do one thing to many lines, which can be undone for a while."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.models import FirstView, SavedView
from flow.worklist.batches import can_be_undone, carry_out, preview, undo
from flow.worklist.doing import teams_for

__all__ = ["can_be_undone", "carry_out", "delete_view", "first_view", "open_with", "preview", "save_view", "teams_for", "undo"]

#: More views than this are a list of their own.
MOST_VIEWS = 30
LONGEST = 600


@transaction.atomic
def save_view(*, name: str, filters: str, by: User, at: datetime, is_shared: bool = False, opens_first: bool = False) -> SavedView:
    """Keep filters and order under a name, for oneself or for the whole organisation; one's own view of that name is replaced.

    Raises NotAllowed, Invalid and Conflict (`too-many`).
    """
    if not by.is_referrer or by.organization is None:
        raise NotAllowed("Only somebody who refers has a worklist.")
    name = " ".join(name.split())
    if not 1 <= len(name) <= 60:
        raise Invalid("Give the view a name of up to 60 letters.", field="name")
    if len(filters) > LONGEST:
        raise Invalid("These are more filters than a view can keep. Leave some out.", field="name")
    mine = SavedView.objects.filter(owner=by, organization=by.organization)
    if not mine.filter(name=name).exists() and mine.count() >= MOST_VIEWS:
        raise Conflict(f"You have {MOST_VIEWS} views. Delete one that you no longer need first.", code="too-many")
    try:
        with transaction.atomic():
            view, _ = mine.update_or_create(
                name=name,
                defaults={"filters": filters, "is_shared": is_shared},
                create_defaults={
                    "owner": by, "organization": by.organization, "filters": filters, "is_shared": is_shared, "created_at": at
                },
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("You have just saved a view with this name. Load the page again.", code="same-name") from error
    if opens_first:
        open_with(view_id=view.pk, by=by)
    return view


@transaction.atomic
def open_with(*, view_id: UUID | None, by: User) -> None:
    """Let the worklist open with this view, or with everything when it is None. Raises NotFound."""
    if view_id is None:
        FirstView.objects.filter(user=by).delete()
        return
    if not SavedView.objects.visible_to(by).filter(pk=view_id).exists():
        raise NotFound("That view is not there any more. Load the page again.")
    FirstView.objects.update_or_create(user=by, defaults={"view_id": view_id})


@transaction.atomic
def delete_view(*, view_id: UUID, by: User) -> None:
    """Delete a view of one's own; colleagues who open with it open with everything. Raises NotFound."""
    deleted, _ = SavedView.objects.visible_to(by).filter(pk=view_id, owner=by).delete()
    if not deleted:
        raise NotFound("That view is not yours, or is gone. Load the page again.")


def first_view(user: User) -> SavedView | None:
    """The view with which the worklist opens for this user, if there is one that they still may see."""
    return SavedView.objects.visible_to(user).filter(pk__in=FirstView.objects.filter(user=user).values("view_id")).first()
