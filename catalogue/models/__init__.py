"""The catalogue, in the words of Open Referral UK 3."""

from .assurance import AssuranceLink, AssuranceRound, MistakeReport, QualityMark
from .duplicates import DuplicateCandidate, DuplicateSearch, Merge
from .eligibility import Eligibility, EligibilityCriterion, RegistrationCriterion
from .entry import Attachment, ProposedChange, ScheduleException, SchoolHoliday, Sheet
from .geography import Area, Outcode, Postcode
from .imports import ImportReject, ImportRun
from .letters import NoLetters
from .location import Address, Location, ServiceArea, ServiceAtLocation
from .organization import Organization, Practice
from .people import User
from .publication import PublicationChange
from .search import ServiceSearch
from .service import Contact, CostOption, Phone, Schedule, Service
from .sources import Source, SourceRecord
from .taxonomy import Taxonomy, TaxonomyTerm, TermMerge
from .usage import UsageCount

__all__ = [
    "Address",
    "Area",
    "AssuranceLink",
    "AssuranceRound",
    "Attachment",
    "Contact",
    "CostOption",
    "DuplicateCandidate",
    "DuplicateSearch",
    "Eligibility",
    "EligibilityCriterion",
    "ImportReject",
    "ImportRun",
    "Location",
    "Merge",
    "MistakeReport",
    "NoLetters",
    "Organization",
    "Outcode",
    "Phone",
    "Postcode",
    "Practice",
    "ProposedChange",
    "PublicationChange",
    "QualityMark",
    "RegistrationCriterion",
    "Schedule",
    "ScheduleException",
    "SchoolHoliday",
    "Service",
    "ServiceArea",
    "ServiceAtLocation",
    "ServiceSearch",
    "Sheet",
    "Source",
    "SourceRecord",
    "Taxonomy",
    "TaxonomyTerm",
    "TermMerge",
    "UsageCount",
    "User",
]
