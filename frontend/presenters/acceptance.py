"""What was learned of how likely a yes is: its errors in words, its picture, and rows of a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString

from flow.acceptance.words import verdict
from flow.models import AcceptanceModel
from frontend.presenters import charts

TITLE = "What was said, and what came"
#: Smaller numbers of requests are not told.
SMALL = 10
_ERRORS = (("Squared error (Brier)", "brier", "than"), ("Logarithmic error", "loss", "loss_than"))


def percent(share: float) -> str:
    return f"{round(100 * share)}%"


def errors(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row for each error and each plain guess that it is held against. Smaller is better."""
    rows = []
    for name, key, than in _ERRORS:
        for guess, words in (("constant", f"{percent(figures['guess'])} for everybody"), ("group", "The share of its group")):
            difference = figures[f"{than}_{guess}"]
            rows.append(
                {
                    "name": name,
                    "mine": f"{figures[key]:.3f}",
                    "guess": words,
                    "theirs": f"{figures[f'{key}_{guess}']:.3f}",
                    "difference": f"{difference['mean']:+.3f} ({difference['low']:+.3f} to {difference['high']:+.3f})",
                    "better": "Yes" if difference["high"] < 0 else "No" if difference["mean"] >= 0 else "It may be luck",
                }
            )
    return rows


def groups(audit: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """A row for each group of people."""
    return [_group(row) for row in audit]


def _group(row: Mapping[str, Any]) -> dict[str, str]:
    gap = f"{100 * row['gap']:+.0f} ({100 * row['low']:+.0f} to {100 * row['high']:+.0f})"
    return {
        "characteristic": row["characteristic"],
        "group": row["group"][:1].upper() + row["group"][1:],
        "count": f"{row['count']:,}",
        "said": percent(row["said"]),
        "came": percent(row["came"]),
        "gap": gap,
        "high": percent(row["told_high"]),
        "look": "" if not row["look"] else "Told too much" if row["gap"] > 0 else "Told too little",
    }


def outcomes(model: AcceptanceModel) -> list[tuple[str, str]]:
    """How many requests were answered how, about; small numbers together, with the next smallest where that is still small.

    Rounded down to `SMALL`, so that neither the whole nor the version of the night before tells what became of one request.
    """
    by_size = sorted(model.outcomes.items(), key=lambda one: -one[1])
    small: list[tuple[str, int]] = []
    while by_size and (by_size[-1][1] < SMALL or 0 < sum(count for _, count in small) < SMALL):
        small.insert(0, by_size.pop())
    together = [(" or ".join(words for words, _ in small), sum(count for _, count in small))] if small else []
    return [(words, _about(count)) for words, count in [*by_size, *together]]


def _about(count: int) -> str:
    return f"about {count - count % SMALL:,}" if count >= SMALL else f"fewer than {SMALL}"


def weights(learned: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What counts for how much, in logits; what was left out says so."""
    return [(words, f"{weight:+.2f}" if weight else "counts for nothing") for words, weight in learned["weights"]]


def in_words(figures: Mapping[str, Any]) -> str:
    """The picture in a sentence."""
    if not figures["points"]:
        return "There is nothing to draw."
    return f"On average what was said was {100 * figures['off_by']:.0f} in 100 away from what came. On the line, both are the same."


def picture(figures: Mapping[str, Any]) -> SafeString:
    """What came by what was said, with the line on which both are the same; empty without points."""
    return _draw(json.dumps(figures["points"]), in_words(figures)) if figures["points"] else SafeString("")


@lru_cache(maxsize=16)
def _draw(points: str, description: str) -> SafeString:
    # Here, not above: they take a second to import, and most processes never draw.
    import altair as alt
    import vl_convert as vlc

    share = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(format="%", tickCount=5, labelFontSize=14, titleFontSize=14, labelColor="#212b32", titleColor="#212b32")
    told = alt.Chart(alt.Data(values=json.loads(points)))
    said = alt.X("said:Q", title="Said", scale=share, axis=axis)
    same = alt.Chart(alt.Data(values=[{"said": 0, "came": 0}, {"said": 1, "came": 1}]))
    layers = (
        same.mark_line(color="#4c6272", strokeDash=[6, 4]).encode(x=said, y=alt.Y("came:Q", title="Came", scale=share, axis=axis)),
        told.mark_rule(color="#12344d", strokeWidth=2).encode(x=said, y=alt.Y("low:Q"), y2="high:Q"),
        told.mark_point(color="#12344d", filled=True, size=90, opacity=1).encode(x=said, y=alt.Y("came:Q")),
    )
    chart = alt.layer(*layers).properties(width=420, height=320)
    chart = chart.configure(font="Arial, sans-serif", background="transparent").configure_view(stroke=None)
    return charts.accessible(vlc.vegalite_to_svg(chart.to_dict()), title=TITLE, description=description)


def table(model: AcceptanceModel | None) -> Iterator[Sequence[Any]]:
    """Every figure of a version as rows for a spreadsheet, below `HEADER`."""
    if model is None:
        return
    yield ["version", "", model.version, verdict(model)]
    yield ["learned at", "", model.learned_at.isoformat(), model.library]
    yield ["answers", "all", model.answers, ""]
    yield ["answers", "learned from", model.learned_from, ""]
    yield from (["outcome", words, count, ""] for words, count in outcomes(model))
    for key, value in model.figures.items():
        if key == "points":
            continue
        if isinstance(value, dict):
            yield from (["figure", f"{key} {part}", number, ""] for part, number in value.items())
        else:
            yield ["figure", key, value, ""]
    for number, point in enumerate(model.figures.get("points", ()), start=1):
        yield from (["point", f"{number} {key}", value, ""] for key, value in point.items())
    for row in model.audit:
        name = f"{row['characteristic']}: {row['group']}"
        yield ["group", f"{name}, count", row["count"], ""]
        # In whole hundredths, as on the page: to the last digit they would tell how many said yes.
        yield from (["group", f"{name}, {key}", round(row[key], 2), ""] for key in ("said", "came", "gap", "low", "high", "told_high"))
    for words, weight in model.learned.get("weights", ()):
        yield ["weight", words, weight, ""]


HEADER = ("what", "which", "value", "words")
