"""An organisation's own translations of its letters: loaded from a sheet, looked at, approved by a manager who says who checked them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from catalogue.lexicon import Lexicon, name_of
from catalogue.models import Organization, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.letters import sheet, wording
from flow.models import Letter, LetterTranslation


def languages_of(organization_id: UUID | None) -> dict[str, str]:
    """In which languages an organisation's letters can be written: code and name."""
    own = LetterTranslation.objects.in_use().filter(organization=organization_id)
    newest = {each.language: each for each in own}
    return wording.languages() | {code: name_of("language", code) for code, each in newest.items() if not sheet.missing(each.texts)}


def used(organization_id: UUID | None, language: str) -> LetterTranslation | None:
    """The organisation's own translation that its letters in this language use now. One that lacks a sentence which the letter has had
    since is not used: nobody is sent half a letter.
    """
    own = LetterTranslation.objects.in_use().filter(organization=organization_id, language=language).last()
    return own if own is not None and not sheet.missing(own.texts) else None


def words_of(organization_id: UUID | None, language: str) -> dict[str, Any]:
    """The words of its letters in a language: its own translation before the site's; English where there is neither."""
    own = used(organization_id, language)
    return sheet.tree(own.texts) if own is not None else wording.words(language)


def title(letter: Letter) -> str:
    """What a kept letter is headed with, in the words in which it was written."""
    own = letter.translation
    return str((sheet.tree(own.texts) if own is not None else wording.words(letter.language))["title"])


@transaction.atomic
def load(*, language: str, data: bytes, by: User, at: datetime) -> LetterTranslation:
    """Keep a sheet that came back as the next version. No letter uses it before it is approved. Raises NotAllowed and Invalid."""
    organization = _managed(by)
    if language == wording.USUAL or language not in dict(Lexicon.read().choices("language")):
        raise Invalid("Choose the language of the sheet.", field="language")
    texts = sheet.read(data)
    versions = LetterTranslation.objects.visible_to(by).filter(language=language)
    newest = versions.order_by("-number").values_list("number", flat=True).first() or 0
    return LetterTranslation.objects.create(organization=organization, language=language, number=newest + 1, texts=texts, by=by, at=at)


@transaction.atomic
def approve(*, translation_id: UUID, checked_by: str, by: User, at: datetime) -> LetterTranslation:
    """Let letters use a version from now on. Every sentence must be there, and somebody who reads the language must have read it."""
    found = _to_change(translation_id, by)
    checked_by = " ".join(checked_by.split())
    if not 1 <= len(checked_by) <= 100:
        raise Invalid("Say who checked it: somebody who reads this language well.", field="checked_by")
    if found.approved_at is not None:
        raise Conflict("This version has been approved already. Look again.", code="no-change")
    if lacking := sheet.missing(found.texts):
        raise Conflict(
            f"{len(lacking)} of its sentences are not translated. Load a sheet that has them all: nobody is sent half a letter.",
            code="not-complete",
        )
    found.checked_by, found.approved_by, found.approved_at = checked_by, by, at
    found.save(update_fields=["checked_by", "approved_by", "approved_at"])
    return found


@transaction.atomic
def stop(*, translation_id: UUID, by: User, at: datetime) -> LetterTranslation:
    """Use a version no more: letters use the one approved before it, or English. What was printed stays as it was."""
    found = _to_change(translation_id, by)
    if found.approved_at is None or found.stopped_at is not None:
        raise Conflict("No letter uses this version. Look again.", code="no-change")
    found.stopped_by, found.stopped_at = by, at
    found.save(update_fields=["stopped_by", "stopped_at"])
    return found


def _to_change(translation_id: UUID, by: User) -> LetterTranslation:
    _managed(by)
    found = LetterTranslation.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=translation_id).first()
    if found is None:
        raise NotFound("There is no such translation of your organisation's letters.")
    return found


def _managed(user: User) -> Organization:
    """Whose letters `user` answers for."""
    if not user.is_manager or user.organization is None:
        raise NotAllowed("The words of letters are for the managers of the organisation that sends them.")
    return user.organization
