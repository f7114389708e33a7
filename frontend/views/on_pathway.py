"""The pathway that somebody names while sending: whose questions are asked, and what was answered to one that is gone or changed."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict

from flow.models import PathwayVersion
from flow.pathways.configuration import answered, read
from frontend.forms.pathway_questions import name_of

from .access import SignedIn


@dataclass(frozen=True, slots=True)
class OnPathway:
    """`versions` may be chosen, and the questions of `version` are asked. `before` is another whose questions were answered.

    `named` says that one was chosen at all; `is_newer` that `version` has come in the place of the one that was named.
    """

    versions: list[PathwayVersion]
    version: PathwayVersion | None
    before: PathwayVersion | None
    named: bool
    is_newer: bool
    sent: QueryDict

    @property
    def lost(self) -> bool:
        """Whether one was named on which this cannot be sent any more: then it is refused, and never sent without."""
        return self.named and self.version is None

    @property
    def asks_first(self) -> bool:
        """Whether its questions are to be shown before anything is sent."""
        shown = self.version is not None and self.sent.get("asked") == str(self.version.pk)
        return self.version is not None and (self.is_newer or (bool(self.version.questions) and not shown))

    @property
    def left(self) -> list[tuple[str, str]]:
        """Question and answer of what was answered and is not asked now."""
        typed = self._typed()
        return answered(self.before, {key: typed[key] for key in self._left(typed)}, known=True)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The same as hidden fields, so that it is there on the next page too."""
        typed, asked = self._typed(), self._asked()
        return [(name_of(key), typed[key]) for key in self._left(typed) if key not in asked]

    def _typed(self) -> dict[str, str]:
        if self.before is None:
            return {}
        keys = [question.key for question in read(self.before).questions]
        found = {key: self.sent.get(name_of(key), "").strip() for key in keys}
        return {key: value for key, value in found.items() if value}

    def _left(self, typed: dict[str, str]) -> list[str]:
        asked = self._asked()
        return [key for key, value in typed.items() if key not in asked or (asked[key] and value not in asked[key])]

    def _asked(self) -> dict[str, tuple[str, ...]]:
        """What is asked now: the key, and what may be chosen."""
        return {question.key: tuple(question.options) for question in read(self.version).questions} if self.version else {}


def on_pathway(request: SignedIn, versions: Collection[PathwayVersion]) -> OnPathway:
    """What the address or the form names of these; for one that has a newer version since, that one."""
    sent = request.POST
    named = sent.get("pathway") or request.GET.get("pathway", "")
    version = next((each for each in versions if named in (str(each.pk), each.pathway.code)), None)
    before, is_newer = None, False
    if request.method == "POST":
        shown = _published(request, sent.get("before", "")) or _published(request, sent.get("asked", ""))
        if named and version is None and (chosen := _published(request, named)) is not None:
            version = next((each for each in versions if each.pathway_id == chosen.pathway_id), None)
            is_newer = version is not None
        before = shown if shown != version else None
    return OnPathway(list(versions), version, before, bool(named), is_newer, sent)


def answered_for(request: SignedIn, posted: str, current: PathwayVersion | None) -> OnPathway:
    """The same where the version that was asked is itself in the form: `current` is the newest of its pathway, None when it is gone."""
    shown = _published(request, request.POST.get("before", "")) or _published(request, posted)
    before = shown if shown != current else None
    is_newer = current is not None and bool(posted) and posted != str(current.pk)
    return OnPathway([], current, before, bool(posted), is_newer, request.POST)


def _published(request: SignedIn, named: str) -> PathwayVersion | None:
    try:
        pk = UUID(named)
    except ValueError:
        return None
    return PathwayVersion.objects.visible_to(request.user).select_related("pathway").filter(pk=pk).first()
