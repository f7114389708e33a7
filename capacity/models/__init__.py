"""Places: how many there are, how many are free, who said so and when, how we ask, and what may come."""

from .asking import Ask, AskingPreference, Channel, Reply, UpdateLink
from .figures import ForecastSkill, PoolDay, PoolForecast
from .key import BoardKey, SystemKey
from .limits import AdmissionLimit, Infection, SharedRoom
from .pool import BedType, CapacityStatus, FreshnessPolicy, Per, ServiceCapacity, Via
from .report import CapacityReport
from .reservation import Reservation

__all__ = [
    "AdmissionLimit",
    "Ask",
    "AskingPreference",
    "BedType",
    "BoardKey",
    "CapacityReport",
    "CapacityStatus",
    "Channel",
    "ForecastSkill",
    "FreshnessPolicy",
    "Infection",
    "Per",
    "PoolDay",
    "PoolForecast",
    "Reply",
    "Reservation",
    "ServiceCapacity",
    "SharedRoom",
    "SystemKey",
    "UpdateLink",
    "Via",
]
