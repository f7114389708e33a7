"""The words of letters and of messages to people, one file for each language: English here, others in the folder that `LUNE_LETTERS` names.

A file of another language says who checked it and when (`checked_by`, `checked_on`); without that it is not used: a person is not to be
told wrongly where help is. A file named like one of ours takes its place, so that a site may have words of its own.
"""

import logging
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

USUAL = "en"
#: Said where there is no translation: none needs these.
OF_ENGLISH_ALONE = frozenset({"only_english", "only-english"})
#: Languages that are written from right to left, by their codes.
FROM_THE_RIGHT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku-arab", "pa-arab", "ps", "sd", "ug", "ur", "yi"})


def direction(language: str) -> str:
    """In which direction a language is written, as HTML has it."""
    return "rtl" if language.lower() in FROM_THE_RIGHT or language.lower().split("-")[0] in FROM_THE_RIGHT else "ltr"


@dataclass(frozen=True, slots=True)
class Texts:
    """One set of words: where the original is, and below which folder of `LUNE_LETTERS` its translations are."""

    what: str
    original: Path
    below: str = ""

    def languages(self) -> dict[str, str]:
        """The languages that there are: code and name, ours first."""
        return {code: words["language"] for code, words in sorted(self._all().items(), key=lambda item: item[0] != USUAL)}

    def words(self, language: str) -> dict[str, Any]:
        """The words of a language; English where there are none."""
        found = self._all()
        return found.get(language) or found[USUAL]

    def best(self, preferred: str) -> str:
        """The language in which to write to somebody who prefers this one."""
        return preferred if preferred in self._all() else USUAL

    def _all(self) -> dict[str, dict[str, Any]]:
        folder = Path(settings.LETTERS) / self.below if settings.LETTERS else None
        return _read(self.what, self.original, folder)


LETTERS = Texts("letters", Path(__file__).parent / f"{USUAL}.toml")
languages, words, best = LETTERS.languages, LETTERS.words, LETTERS.best


@lru_cache(maxsize=8)
def _read(what: str, ours: Path, folder: Path | None) -> dict[str, dict[str, Any]]:
    original = tomllib.loads(ours.read_text())
    found = {USUAL: original}
    for file in sorted(folder.glob("*.toml")) if folder else []:
        problem = ""
        try:
            read = tomllib.loads(file.read_text())
            problem = _problem(read, original)
        except (OSError, ValueError) as error:
            problem = f"it cannot be read: {error}"
        if problem:
            logger.error("%s: %s is not used: %s", what, file.name, problem)
        else:
            found[file.stem] = read
    return found


def _problem(read: dict[str, Any], original: dict[str, Any]) -> str:
    """Why a file cannot be used; empty when it can."""
    if not (str(read.get("checked_by", "")).strip() and isinstance(read.get("checked_on"), date)):
        return "it does not say who checked it and when (checked_by, checked_on)"
    theirs = dict(_texts(read))
    ours = {name: text for name, text in _texts(original) if name.rpartition(".")[2] not in OF_ENGLISH_ALONE}
    missing = sorted(set(ours) - set(theirs))
    if missing:
        return f"it has no {missing[0]}"
    # Where a text is a list, the fields of all its lines count together: another language may need fewer sentences or more.
    wrong = sorted(name for name, text in ours.items() if _fields(theirs[name]) != _fields(text))
    return f"{wrong[0]} does not name {', '.join(sorted(_fields(ours[wrong[0]])))}" if wrong else ""


def _texts(tree: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{before}{key}.")
        elif isinstance(value, list):
            yield before + key, " ".join(map(str, value))
        elif isinstance(value, str):
            yield before + key, value


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
