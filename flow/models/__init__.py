"""People, their stays, and what is asked for them."""

from .acceptance import AcceptanceModel, AcceptanceSwitch
from .attendance import Attendance, Booking, WalkIns
from .batch import Batch
from .consent import Consent
from .document import Document
from .episode import Episode
from .follow_up import FollowUp, FollowUpStep
from .glass import GlassOpening
from .hold import EpisodeHold
from .hub import Hub, HubEntry, HubStep
from .launch import Launch, LaunchKey
from .letter import Letter
from .letter_translation import LetterTranslation
from .merge import NotOnePerson, PatientMerge
from .message import Message
from .note import Note, NoteVersion
from .origin import ReferralOrigin
from .outside import PhoneCall, ReleaseCode, TaskLink
from .pathway import Pathway, PathwayVersion
from .patient import Patient
from .person_message import PersonMessage, SessionCancellation
from .plan import Plan, PlanDecision, PlanLine
from .process_rule import ProcessRule, RuleDeed, RuleSwitch, RuleVersion
from .queue import QueuedAsk
from .referral import Referral, ReferralTask, Transition
from .referral_change import ReferralChange
from .related import RelatedPerson
from .relationship import Relationship
from .reply_contact import ReplyContact
from .saved_view import FirstView, SavedView
from .self_referral import SelfReferral, SelfReferralLink, SelfReferralNote
from .sharing import Grant, SharingAgreement
from .simulator import SimulatorControl
from .team import Team
from .what_if import WhatIf, WhatIfResult

__all__ = [
    "AcceptanceModel", "AcceptanceSwitch", "Attendance", "Batch", "Booking", "Consent", "Document", "Episode", "EpisodeHold",
    "FirstView", "FollowUp", "FollowUpStep", "GlassOpening", "Grant", "Hub", "HubEntry", "HubStep", "Launch", "LaunchKey", "Letter",
    "LetterTranslation",
    "Message", "NotOnePerson", "Note", "NoteVersion", "Pathway", "PathwayVersion", "Patient", "PatientMerge", "PersonMessage", "PhoneCall",
    "Plan", "PlanDecision", "PlanLine", "ProcessRule", "QueuedAsk", "Referral", "ReferralChange", "ReferralOrigin", "ReferralTask",
    "RelatedPerson", "Relationship", "ReleaseCode", "ReplyContact", "RuleDeed", "RuleSwitch", "RuleVersion", "SavedView", "SelfReferral",
    "SelfReferralLink", "SelfReferralNote", "SessionCancellation", "SharingAgreement", "SimulatorControl", "TaskLink", "Team",
    "Transition", "WalkIns", "WhatIf", "WhatIfResult",
]  # fmt: skip
