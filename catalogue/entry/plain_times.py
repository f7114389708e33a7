"""Usual times in plain words, as a cell of a spreadsheet holds them, and back again.

    Tuesday, Thursday 10:00 to 12:00
    Monday to Friday 9am to 5pm (term time only)
    first Tuesday of the month 14:00 to 16:00 (every 2 months, from 2026-01-06, until 2026-12-31, note: ring first)
    days 1, 15 of the month

One line, or one piece between semicolons, is one rule.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

DAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday", "SU": "Sunday",
}  # fmt: skip
_WEEKS = {"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}
_WEEK_WORDS = {word: week for week, word in _WEEKS.items()} | {"1st": "1", "2nd": "2", "3rd": "3", "4th": "4"}
_TERMS = {"term-time": "term time only", "holidays": "school holidays only"}
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_EXAMPLE = "Write it like: Tuesday, Thursday 10:00 to 12:00 (term time only)."
_TIME = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?(?![\w/:.])", re.IGNORECASE)
_EVERY = re.compile(r"every (second|third|fourth|other|\d{1,2}(?:nd|rd|th)?) (week|month)s?|every (week|month)|fortnightly")
_ORDINALS = {"second": 2, "other": 2, "third": 3, "fourth": 4}


def write(rows: list[Mapping[str, Any]]) -> str:
    """Rules as `catalogue.entry.content` has them, a line each."""
    return "\n".join(_line(row) for row in rows)


def read(text: str) -> list[dict[str, Any]]:
    """The rules that a cell says. Raises ValueError, with words for people, that name what is not understood."""
    return [_rule(line.strip()) for line in _pieces(text) if line.strip()]


def _line(row: Mapping[str, Any]) -> str:
    monthly = row["freq"] == "MONTHLY"
    parts = [part for part in row["byday"].split(",") if part]
    if row["bymonthday"]:
        days = f"days {', '.join(row['bymonthday'].split(','))} of the month"
    elif monthly:
        days = ", ".join(f"{_WEEKS[part[:-2]]} {DAYS[part[-2:]]}" if part[:-2] in _WEEKS else part for part in parts) + " of the month"
    else:
        days = ", ".join(DAYS.get(part, part) for part in parts)
    hours = " to ".join(row[name] for name in ("opens_at", "closes_at") if row[name])
    more = [f"every {row['interval']} {'months' if monthly else 'weeks'}"] if row["interval"] != 1 else []
    more += [_TERMS[row["term"]]] if row["term"] in _TERMS else []
    names = {"valid_from": "from", "valid_to": "until", "dtstart": "counted from"}
    more += [f"{word} {row[name]}" for name, word in names.items() if row[name]]
    more += [f"note: {row['description']}"] if row["description"] else []
    return " ".join(part for part in (days, hours, f"({', '.join(more)})" if more else "") if part)


def _pieces(text: str) -> list[str]:
    """Lines, and what stands between semicolons outside brackets."""
    return re.split(r"\n|;(?![^()]*\))", text)


def _rule(line: str) -> dict[str, Any]:
    words, _, bracket = line.partition("(")
    rule: dict[str, Any] = {
        "freq": "WEEKLY", "interval": 1, "byday": "", "bymonthday": "", "dtstart": None, "valid_from": None, "valid_to": None,
        "opens_at": None, "closes_at": None, "description": "", "term": "always",
    }  # fmt: skip
    if bracket and not bracket.rstrip().endswith(")"):
        raise ValueError(f"“{line[:60]}”: a bracket is not closed. {_EXAMPLE}")
    _days(words.strip(), rule)
    told, *note = re.split(r"(?:^|,)\s*note:", bracket.rstrip()[:-1], maxsplit=1, flags=re.IGNORECASE)
    rule["description"] = "".join(note).strip()[:300]
    for part in told.split(","):
        if part.strip():
            _modifier(" ".join(part.lower().split()), rule)
    if rule["interval"] > 1 and not (rule["valid_from"] or rule["dtstart"]):
        raise ValueError(f"“{line[:60]}”: give the first day, such as “from 2026-01-06”, so that people know which weeks are meant.")
    if rule["valid_from"] and rule["valid_to"] and rule["valid_to"] < rule["valid_from"]:
        raise ValueError(f"“{line[:60]}”: the last day cannot be before the first.")
    return rule


def _days(words: str, rule: dict[str, Any]) -> None:
    """The days and hours: all that stands before the bracket."""
    text = words.lower()
    if dates := re.match(r"(?:on )?(?:days?|dates?) ([\d, and]+?) of (?:the|each|every) month", text):
        numbers = re.findall(r"\d+", dates[1])
        if wrong := [number for number in numbers if len(number) > 2 or not 1 <= int(number) <= 31]:
            raise ValueError(f"“{wrong[0][:20]}” is no day of a month.")
        rule |= {"freq": "MONTHLY", "bymonthday": ",".join(numbers)}
        text = text[dates.end() :]
    hours = list(_TIME.finditer(re.sub(r"\b\d(?=st|nd|rd|th)", "x", text)))
    named = text[: hours[0].start()] if hours else text
    if len(hours) > 2:
        raise ValueError(f"“{words[:60]}” has more than two times. {_EXAMPLE}")
    clocks = [_clock(match) for match in hours]
    rule["opens_at"], rule["closes_at"] = [*clocks, None, None][:2]
    rest = text[hours[-1].end() :] if hours else ""
    if rest.strip() or (len(hours) == 2 and text[hours[0].end() : hours[1].start()].strip() not in ("to", "-", "–", "until", "till")):
        raise ValueError(f"“{words[:60]}” is not understood. {_EXAMPLE}")
    named = re.sub(r"\s+(from|at)\s*$", "", named.strip())
    if not rule["bymonthday"]:
        named, monthly = re.subn(r"\s*(?:of|in) (?:the|each|every) month$|,?\s*monthly$", "", named)
        byday = _named_days(named, words)
        ordinal = [part for part in byday if len(part) > 2]
        if ordinal and len(ordinal) < len(byday):
            raise ValueError(f"“{words[:60]}”: write which week of the month before each day.")
        if monthly and not ordinal:
            raise ValueError(f"“{words[:60]}”: which week of the month? Write “first Tuesday of the month”.")
        rule |= {"freq": "MONTHLY" if ordinal else "WEEKLY", "byday": ",".join(byday)}
    elif named.strip():
        raise ValueError(f"“{named.strip()[:60]}” is not understood. {_EXAMPLE}")


def _named_days(text: str, words: str) -> list[str]:
    found: list[str] = []
    text = re.sub(r"^(?:every|each|on)\s+(?!day\b|second|other|month)", "", text.strip())
    if text in ("daily", "every day", "weekdays", "weekends"):
        return {"weekdays": list(DAYS)[:5], "weekends": list(DAYS)[5:]}.get(text, list(DAYS))
    for part in re.split(r"\s*(?:,|&|/|\band\b)\s*", text):
        if not part:
            continue
        ends = re.fullmatch(r"(\w+)\s*(?:-|–|to)\s*(\w+)", part)
        if ends:
            first, last = (list(DAYS).index(_day(name)) for name in ends.groups())
            found += [list(DAYS)[index % 7] for index in range(first, last + (8 if last < first else 1))]
            continue
        week, _, name = part.rpartition(" ")
        if week and week not in _WEEK_WORDS:
            raise ValueError(f"“{part[:60]}” is not understood. {_EXAMPLE}")
        found.append(_WEEK_WORDS.get(week, "") + _day(name))
    if not found:
        raise ValueError(f"“{words[:60]}” says no day. {_EXAMPLE}")
    return list(dict.fromkeys(found))


def _day(name: str) -> str:
    stem = name.strip().removesuffix("s") if len(name) > 4 else name.strip()
    codes = [code for code, full in DAYS.items() if len(stem) >= 3 and full.lower().startswith(stem)]
    if stem.upper() in DAYS:
        codes = [stem.upper()]
    if len(codes) != 1:
        raise ValueError(f"“{name[:40]}” is no day of the week. {_EXAMPLE}")
    return codes[0]


def _clock(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    good = (1 <= hour <= 12) if half else bool(match[2])
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    if not good or hour > 23 or minute > 59:
        raise ValueError(f"“{match[0].strip()}” is no time of day. Write 09:30 or 9.30am.")
    return f"{hour:02d}:{minute:02d}"


def _modifier(text: str, rule: dict[str, Any]) -> None:
    if text in ("term time only", "term time", "term-time only", "in term time", "in school terms only"):
        rule["term"] = "term-time"
    elif text in ("school holidays only", "school holidays", "in school holidays only"):
        rule["term"] = "holidays"
    elif every := _EVERY.fullmatch(text):
        number = every[1] or ("2" if text == "fortnightly" else "1")
        rule["interval"] = _ORDINALS.get(number) or int(re.sub(r"\D", "", number))
        unit = every[2] or every[3] or "week"
        if (unit == "month") != (rule["freq"] == "MONTHLY") or not 1 <= rule["interval"] <= 52:
            raise ValueError(f"“{text[:60]}” does not go with these days.")
    elif bound := re.fullmatch(r"(counted from|from|until|to) (.+)", text):
        rule[{"from": "valid_from", "counted from": "dtstart"}.get(bound[1], "valid_to")] = _date(bound[2])
    else:
        raise ValueError(f"“{text[:60]}” is not understood. {_EXAMPLE}")


def _date(text: str) -> str:
    if spelled := re.fullmatch(r"(\d{1,2}) ([a-z]{3,9}) (\d{4})", text):
        months = [index for index, name in enumerate(_MONTHS, start=1) if name.startswith(spelled[2])]
        text = f"{spelled[3]}-{months[0]:02d}-{int(spelled[1]):02d}" if len(months) == 1 else text
    elif slashed := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        text = f"{slashed[3]}-{int(slashed[2]):02d}-{int(slashed[1]):02d}"
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"“{text[:40]}” is no real date. Write 2026-03-27 or 27 March 2026.") from None
