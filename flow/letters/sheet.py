"""The sheet that goes to a translator and comes back: each sentence of the letter with what must stand in it and how long it may be."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from core.errors import Invalid
from flow.letters.composing import Section
from flow.letters.wording import OF_ENGLISH_ALONE, USUAL, words

COLUMNS = ("key", "english", "must contain", "most letters", "translation")
#: A whole sheet; all of the English is a hundredth of that.
LARGEST = 300_000
#: What is no sentence of a letter.
_NOT_SENTENCES = frozenset({"language", "original"})
#: What is filled in, in a letter that nobody gets.
_EXAMPLE = {
    "name": "Ann Example", "team": "Example team", "services": "Example House", "service": "Example House", "kind": "example help",
    "call": "Sam, 01632 960 000", "number": "3", "month": "", "language": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence: its key, the English, and what of it is filled in."""

    key: str
    english: str

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(self.english) if name))

    @property
    def most(self) -> int:
        """Thrice the English and a line: who needs more has written something else."""
        return 3 * len(self.english) + 40


def lines() -> list[Line]:
    """Every sentence that needs a translation, in the order of the letter."""
    return [Line(key, text) for key, text in _flat(words(USUAL)) if key.split(".")[0] not in _NOT_SENTENCES | OF_ENGLISH_ALONE]


def write(texts: Mapping[str, str]) -> str:
    """The sheet as CSV, with what is translated already."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    for line in lines():
        sheet.writerow([line.key, line.english, " ".join(f"{{{name}}}" for name in line.fields), line.most, texts.get(line.key, "")])
    return out.getvalue()


def read(data: bytes) -> dict[str, str]:
    """The translations in a sheet that came back, by their keys. Raises Invalid with all that is wrong, each with its row."""
    if len(data) > LARGEST:
        raise Invalid("This file is too large to be the sheet of a letter.", field="file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("Save the sheet as “CSV UTF-8”: the letters of this file cannot be read.", field="file") from None
    first = text.partition("\n")[0]
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)))
    except csv.Error:
        rows = []
    if not rows or not {"key", "translation"} <= rows[0].keys():
        raise Invalid("This is not the sheet: it has no columns “key” and “translation”. Download it here and fill it in.", field="file")
    known, found, wrong = {line.key: line for line in lines()}, dict[str, str](), list[str]()
    for number, row in enumerate(rows, 2):
        key, said = (row["key"] or "").strip(), " ".join((row["translation"] or "").split())
        if not said:
            continue
        problem = f"“{key}” is no sentence of the letter" if key not in known else _problem(known[key], said)
        if key in found and not problem:
            problem = f"“{key}” stands there twice"
        if problem:
            wrong.append(f"row {number}: {problem}")
        else:
            found[key] = said
    if wrong:
        more = f" And {len(wrong) - 8} more." if len(wrong) > 8 else ""
        raise Invalid(f"Nothing was loaded. {'; '.join(wrong[:8])}.{more}", field="file")
    if not found:
        raise Invalid("No sentence is translated in this sheet. Write each into the column “translation”.", field="file")
    return found


def missing(texts: Mapping[str, str]) -> list[Line]:
    """What is not translated, or no longer as the letter is now: a sentence may be new, or name something else than it did."""
    return [line for line in lines() if line.key not in texts or _problem(line, texts[line.key])]


def tree(texts: Mapping[str, str]) -> dict[str, Any]:
    """The words of a language as letters read them: English where they are not translated."""
    lacking = {line.key for line in missing(texts)}

    def filled(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: filled(each, f"{key}{name}.") for name, each in value.items()}
        if isinstance(value, list):
            return [filled(each, f"{key}{number}.") for number, each in enumerate(value, 1)]
        return value if key[:-1] in lacking else texts.get(key[:-1], value)

    return {name: filled(value, f"{name}.") for name, value in words(USUAL).items()}


def example(texts: Mapping[str, str]) -> list[Section]:
    """A letter that nobody gets, so that the sentences are read as they will stand."""
    said = tree(texts)
    fill = _EXAMPLE | {"month": said["months"][0]}
    fill["day"] = said["day"].format(**fill)

    def told(*texts: str) -> list[str]:
        return [text.format(**fill) for text in texts]

    return [
        {"heading": "", "lines": told(said["dear"], said["from"]), "items": []},
        {"heading": said["asked_heading"], "lines": told(said["asked_one"], said["kind"], said["seen"]), "items": []},
        {"heading": said["next_heading"], "lines": told(*said["next"]["requested_by"]), "items": []},
        {"heading": said["call"]["heading"], "lines": told(*said["call"]["lines"]), "items": []},
        {"heading": said["mind"]["heading"], "lines": told(*said["mind"]["lines"]), "items": []},
    ]


def _problem(line: Line, said: str) -> str:
    """What is wrong with one translation, in words; empty when nothing is."""
    if len(said) > line.most:
        return f"“{line.key}” is longer than {line.most} letters"
    if any(unicodedata.category(letter) in ("Cc", "Co", "Cs") for letter in said):
        return f"“{line.key}” has signs that cannot be printed"
    try:
        parts = [part[1:] for part in Formatter().parse(said) if part[1] is not None]
    except ValueError:
        return f"“{line.key}” has a brace too many or too few"
    # Nothing but the name stands in braces: what Python would do with more is not for a sheet to say.
    if any(form or conversion for _, form, conversion in parts) or {name for name, *_ in parts} != set(line.fields):
        wanted = " and ".join(f"{{{name}}}" for name in line.fields)
        return f"“{line.key}” must contain {wanted}, and nothing else in braces" if wanted else f"“{line.key}” must have nothing in braces"
    return ""


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        elif isinstance(value, list):
            yield from ((f"{before}{key}.{number}", str(each)) for number, each in enumerate(value, 1))
        else:
            yield before + key, str(value)
