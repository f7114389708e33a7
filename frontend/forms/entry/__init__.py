"""The forms of an entry's parts: one for each page. Each is made from plain values and gives plain values back."""

from .access import AccessForm
from .areas import AreasForm
from .basics import BasicsForm
from .cost import CostForm
from .part import PartForm
from .times import TimesForm
from .who import WhoForm

FORMS: dict[str, type[PartForm]] = {
    "basics": BasicsForm,
    "times": TimesForm,
    "who": WhoForm,
    "areas": AreasForm,
    "cost": CostForm,
    "access": AccessForm,
}

__all__ = ["FORMS", "PartForm"]
