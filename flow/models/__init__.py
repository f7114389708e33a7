"""People, their stays, and what is asked for them."""

from .episode import Episode
from .hold import EpisodeHold
from .patient import Patient
from .referral import Referral, ReferralTask, Transition
from .self_referral import SelfReferral, SelfReferralLink, SelfReferralNote
from .simulator import SimulatorControl

__all__ = [
    "Episode", "EpisodeHold", "Patient", "Referral", "ReferralTask", "SelfReferral", "SelfReferralLink", "SelfReferralNote",
    "SimulatorControl", "Transition",
]  # fmt: skip
