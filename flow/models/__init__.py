"""People, their stays, and what is asked for them."""

from .acceptance import AcceptanceModel, AcceptanceSwitch
from .batch import Batch
from .consent import Consent
from .document import Document
from .episode import Episode
from .follow_up import FollowUp, FollowUpStep
from .hold import EpisodeHold
from .launch import Launch, LaunchKey
from .letter import Letter
from .merge import NotOnePerson, PatientMerge
from .message import Message
from .note import Note, NoteVersion
from .origin import ReferralOrigin
from .patient import Patient
from .plan import Plan, PlanDecision, PlanLine
from .referral import Referral, ReferralTask, Transition
from .related import RelatedPerson
from .relationship import Relationship
from .saved_view import FirstView, SavedView
from .self_referral import SelfReferral, SelfReferralLink, SelfReferralNote
from .simulator import SimulatorControl
from .what_if import WhatIf, WhatIfResult

__all__ = [
    "AcceptanceModel", "AcceptanceSwitch", "Batch", "Consent", "Document", "Episode", "EpisodeHold", "FirstView", "FollowUp",
    "FollowUpStep", "Launch", "LaunchKey", "Letter", "Message", "NotOnePerson", "Note", "NoteVersion", "Patient", "PatientMerge", "Plan",
    "PlanDecision", "PlanLine", "Referral", "ReferralOrigin", "ReferralTask", "RelatedPerson", "Relationship", "SavedView", "SelfReferral",
    "SelfReferralLink", "SelfReferralNote", "SimulatorControl", "Transition", "WhatIf", "WhatIfResult",
]  # fmt: skip
