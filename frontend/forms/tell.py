"""From a refusal of the domain to the field of a form."""

from django import forms

from core.errors import LuneError

#: Codes and fields of the domain that a form calls by another name.
FIELDS = {"postcode-form": "postcode", "postcode-unknown": "postcode", "max_miles": "miles", "needed_by": "within"}


def tell(form: forms.Form, error: LuneError) -> None:
    """Put a refusal beside the field that it is about, or else at the top of the form."""
    named = str(error.details.get("field", ""))
    field = FIELDS.get(error.code) or FIELDS.get(named, named)
    form.add_error(field if field in form.fields else None, error.message)
