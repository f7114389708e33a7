"""What is told of the days to come: the newest forecast of each pool, and how good the forecast is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Max

from capacity import forecast
from capacity.forecast import ENOUGH_DAYS, USUAL
from capacity.models import ForecastSkill, PoolForecast
from core.clock import local_date

#: An older forecast is not told any more: the nights since then have failed.
TOLD_FOR = timedelta(days=3)
_PROGRESS = "forecast-progress"


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance of a place within so many days, and between what it lies; shares of one."""

    days: int
    chance: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What may come for one pool. Without `chances` there is too little history, or nobody has told its figure for a week.

    `is_forecast` is False where the forecast was no better than a guess on days that it had not seen: then `chances` say what was usual.
    """

    pool: UUID
    made_on: date
    days: int
    is_forecast: bool
    chances: tuple[Chance, ...]
    wait: Decimal | None
    wait_low: Decimal | None
    wait_high: Decimal | None

    @property
    def enough(self) -> bool:
        return self.days >= ENOUGH_DAYS


def outlooks(pools: Iterable[UUID], at: datetime) -> dict[UUID, Outlook]:
    """The newest forecast of each pool, in one query. The caller has checked who may see them. A pool without one is left out."""
    today = local_date(at)
    rows = PoolForecast.objects.filter(pool__in=set(pools), made_on__range=(today - TOLD_FOR, today))
    newest = rows.order_by("pool_id", "-made_on").distinct("pool_id")
    return {row.pool_id: _outlook(row) for row in newest}


def _outlook(row: PoolForecast) -> Outlook:
    return Outlook(
        pool=row.pool_id,
        made_on=row.made_on,
        days=row.days,
        is_forecast=bool(row.method) and row.method != USUAL,
        chances=tuple(Chance(**each) for each in row.chances) if row.method else (),
        wait=row.wait_days,
        wait_low=row.wait_low,
        wait_high=row.wait_high,
    )


def skill(at: datetime) -> list[ForecastSkill]:
    """How good the newest forecasts were on days that they had not seen, by group and days ahead."""
    newest = ForecastSkill.objects.filter(made_on__range=(local_date(at) - TOLD_FOR, local_date(at))).aggregate(on=Max("made_on"))["on"]
    return list(ForecastSkill.objects.filter(made_on=newest).order_by("group", "horizon"))


def is_told(row: ForecastSkill) -> bool:
    """Whether people are told this forecast; or what was usual, for it was no better than a guess."""
    return forecast.beats_both(row.brier, row.brier_last, row.brier_weekday)


def tell_progress(done: int, total: int, group: str) -> None:
    """Let people see how far the night's work has come."""
    cache.set(_PROGRESS, {"done": done, "total": total, "group": group}, 3600) if done < total else cache.delete(_PROGRESS)


def progress() -> dict[str, Any] | None:
    """How many of how many groups are done, and which is being worked on; None when no forecast is being made."""
    return cache.get(_PROGRESS)


def forget_progress() -> None:
    cache.delete(_PROGRESS)
