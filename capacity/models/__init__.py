"""Places: how many there are, how many are free, who said so and when, how we ask, and what may come."""

from .asking import Ask, AskingPreference, Channel, Reply, UpdateLink
from .figures import ForecastSkill, PoolDay, PoolForecast
from .key import BoardKey, SystemKey
from .pool import BedType, CapacityStatus, FreshnessPolicy, Per, ServiceCapacity, Via
from .report import CapacityReport
from .reservation import Reservation

__all__ = [
    "Ask",
    "AskingPreference",
    "BedType",
    "BoardKey",
    "CapacityReport",
    "CapacityStatus",
    "Channel",
    "ForecastSkill",
    "FreshnessPolicy",
    "Per",
    "PoolDay",
    "PoolForecast",
    "Reply",
    "Reservation",
    "ServiceCapacity",
    "SystemKey",
    "UpdateLink",
    "Via",
]
