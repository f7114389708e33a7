"""People, their stays, and what is asked for them."""

from .acceptance import AcceptanceModel, AcceptanceSwitch
from .episode import Episode
from .hold import EpisodeHold
from .patient import Patient
from .plan import Plan, PlanDecision, PlanLine
from .referral import Referral, ReferralTask, Transition
from .relationship import Relationship
from .self_referral import SelfReferral, SelfReferralLink, SelfReferralNote
from .simulator import SimulatorControl
from .what_if import WhatIf, WhatIfResult

__all__ = [
    "AcceptanceModel", "AcceptanceSwitch", "Episode", "EpisodeHold", "Patient", "Plan", "PlanDecision", "PlanLine", "Referral",
    "ReferralTask", "Relationship", "SelfReferral", "SelfReferralLink", "SelfReferralNote", "SimulatorControl", "Transition", "WhatIf",
    "WhatIfResult",
]  # fmt: skip
