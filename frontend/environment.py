"""The Jinja environment: what every template may call."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemBytecodeCache, PackageLoader

from capacity.status import told
from catalogue.lexicon import name_of
from core import clock
from core.geo import miles as metres_to_miles
from frontend.presenters import countdown
from frontend.presenters.opening import clock as clock_words

LONDON = ZoneInfo("Europe/London")


def url(name: str, *args: Any, query: dict[str, Any] | None = None, **kwargs: Any) -> str:
    """The address of a named page: `url("patient", patient.pk)`; what `query` holds of values is added after a question mark."""
    address = reverse(name, args=args or None, kwargs=kwargs or None)
    given = {key: value for key, value in (query or {}).items() if value}
    return f"{address}?{urlencode(given, doseq=True)}" if given else address


def london(moment: datetime | None, form: str = "%-d %b %Y, %H:%M") -> str:
    """An instant as a clock in England shows it; nothing for None."""
    return "" if moment is None else moment.astimezone(LONDON).strftime(form)


def clock_time(moment: datetime | None) -> str:
    """The time of day in England: "10:42"."""
    return london(moment, "%H:%M")


def day(value: date | datetime | None) -> str:
    """A day: "5 March 2026". An instant is taken to its day in England."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(LONDON).date()
    return value.strftime("%-d %B %Y")


def weekday(value: date) -> str:
    """A day with its name, for whoever plans by the week: "Thursday 5 March 2026"."""
    return f"{value:%A} {day(value)}"


def iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def ago(moment: datetime | None) -> str:
    """How long ago: "3 hours ago", "just now"."""
    return "" if moment is None else told(moment, clock.now()).removeprefix("told ")


def miles(metres: float | None) -> str:
    """A distance for people, to a tenth as the reasons of a match have it: "0.4 miles", "12.6 miles", "15 miles"; "online" is for the
    caller to say."""
    if metres is None:
        return ""
    value = metres_to_miles(metres)
    if value < 0.05:
        return "less than 0.1 miles"
    text = f"{value:,.1f}" if value < 9.95 else f"{value:,.1f}".removesuffix(".0")
    return "1 mile" if text == "1.0" else f"{text} miles"


def plural(count: int | None, one: str, many: str | None = None) -> str:
    """A count with its noun: `3|plural("place")` is "3 places"."""
    count = count or 0
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def money(pounds: Decimal | float | int | None) -> str:
    """Pounds: "£1,200", "£950.50"; "free" for nothing; empty when not known."""
    if pounds is None:
        return ""
    if pounds == 0:
        return "free"
    return f"£{pounds:,.0f}" if pounds == int(pounds) else f"£{pounds:,.2f}"


def term_name(code: str, taxonomy: str) -> str:
    """The words for a code of the vocabulary; the code itself when there is no such term."""
    return name_of(taxonomy, code)


def is_web_address(text: str) -> bool:
    """Whether text from a feed may be made a link: never `javascript:` or another scheme that a browser runs."""
    return text.lower().startswith(("https://", "http://"))


def environment(**options: Any) -> Environment:
    """Our templates first, then the NHS components; everything escaped."""
    options["loader"] = ChoiceLoader([options["loader"], PackageLoader("nhsuk_frontend_jinja")])
    # The NHS components look up parameters that were not given, several levels deep.
    options["undefined"] = ChainableUndefined
    options["autoescape"] = True
    # Compiled once for all processes: a web process that has just been started again has people waiting.
    settings.TEMPLATES_COMPILED.mkdir(parents=True, exist_ok=True)
    options["bytecode_cache"] = FileSystemBytecodeCache(str(settings.TEMPLATES_COMPILED))
    result = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 (autoescape is set above)
    result.globals |= {"url": url, "static": static, "now": clock.now}
    result.filters |= {
        "ago": ago,
        "clock_time": clock_time,
        "day": day,
        "weekday": weekday,
        "hour": lambda moment: clock_words(moment.time()),
        "held_until": lambda until: countdown.clock(until, clock.now()),
        "iso": iso,
        "left": lambda until: countdown.left(until, clock.now()),
        "london": london,
        "miles": miles,
        "money": money,
        "seconds_left": lambda until: int((until - clock.now()).total_seconds()),
        "plural": plural,
        "term_name": term_name,
        "told": lambda moment: told(moment, clock.now()),
    }
    result.tests["web_address"] = is_web_address
    return result
