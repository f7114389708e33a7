"""What people are told, by which routes, and what became of each message."""

from .delivery import Delivery, Webhook
from .notice import JournalPlace, Notice
from .settings import OrganizationChoices, PersonChoices

__all__ = ["Delivery", "JournalPlace", "Notice", "OrganizationChoices", "PersonChoices", "Webhook"]
