"""The forms of an entry's parts: one for each page. Each is made from plain values and gives plain values back."""

from .access import AccessForm
from .areas import AreasForm
from .basics import BasicsForm
from .contacts import ContactsForm
from .cost import CostForm
from .part import PartForm
from .times import TimesForm
from .where import WhereForm
from .who import WhoForm

FORMS: dict[str, type[PartForm]] = {
    "basics": BasicsForm,
    "where": WhereForm,
    "contacts": ContactsForm,
    "times": TimesForm,
    "who": WhoForm,
    "areas": AreasForm,
    "cost": CostForm,
    "access": AccessForm,
}

__all__ = ["FORMS", "PartForm"]
