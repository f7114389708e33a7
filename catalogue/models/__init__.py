"""The catalogue, in the words of Open Referral UK 3."""

from .eligibility import Eligibility, EligibilityCriterion
from .geography import Area, Outcode, Postcode
from .imports import ImportReject, ImportRun
from .location import Address, Location, ServiceArea, ServiceAtLocation
from .organization import Organization, Practice
from .people import User
from .service import Contact, CostOption, Phone, Schedule, Service
from .taxonomy import Taxonomy, TaxonomyTerm

__all__ = [
    "Address",
    "Area",
    "Contact",
    "CostOption",
    "Eligibility",
    "EligibilityCriterion",
    "ImportReject",
    "ImportRun",
    "Location",
    "Organization",
    "Outcode",
    "Phone",
    "Postcode",
    "Practice",
    "Schedule",
    "Service",
    "ServiceArea",
    "ServiceAtLocation",
    "Taxonomy",
    "TaxonomyTerm",
    "User",
]
