"""Writing a letter to a person, and keeping it as it was printed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from catalogue.models import User
from core.errors import Invalid, NotFound
from flow.letters import translations
from flow.letters.composing import Section, compose
from flow.models import Letter, Referral


def about(user: User, referral_id: UUID) -> Referral | None:
    """The referral with all that a letter about it reads, when it is of the user's own organisation."""
    referrals = Referral.objects.visible_to(user).filter(organization=user.organization)
    return referrals.select_related("patient", "profile", "organization", "hub_entry").prefetch_related(
        "tasks__pool__service__organization", "tasks__pool__location"
    ).filter(pk=referral_id).first()  # fmt: skip


def composed(referral: Referral, *, language: str, call: str) -> list[Section]:
    """The letter in the words of the organisation that sends it."""
    said, others = translations.words_of(referral.organization_id, language), translations.languages_of(referral.organization_id)
    return compose(referral, language=language, call=call, said=said, others=others)


@transaction.atomic
def write(*, referral_id: UUID, language: str, call: str, by: User, at: datetime, is_large: bool = False) -> Letter:
    """Write the letter about a referral as it stands now, and keep it. Raises NotFound and Invalid (with `field`)."""
    # A merge waits for the letter or is waited for: it is written to whom the referral then belongs.
    Referral.objects.visible_to(by).select_for_update(of=("self",), no_key=True).filter(pk=referral_id).first()
    referral = about(by, referral_id)
    if referral is None:
        raise NotFound("There is no such referral.")
    call = " ".join(call.split())
    if not call or len(call) > 120:
        raise Invalid("Say whom the person can call: a name and a number, of up to 120 letters.", field="call")
    if language not in translations.languages_of(referral.organization_id):
        raise Invalid("There is no letter in this language yet. Choose another.", field="language")
    return Letter.objects.create(
        organization_id=referral.organization_id,
        patient=referral.patient,
        referral=referral,
        language=language,
        is_large=is_large,
        call=call,
        translation=translations.used(referral.organization_id, language),
        body=composed(referral, language=language, call=call),
        at=at,
        by=by,
    )


def usual_call(user: User) -> str:
    """Whom the last letter of this user named, or that of a colleague: so that nobody types it twice."""
    letters = Letter.objects.visible_to(user).order_by("-at").values_list("call", flat=True)
    return letters.filter(by=user).first() or letters.first() or ""
