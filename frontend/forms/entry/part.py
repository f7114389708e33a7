"""What the forms of all parts of an entry have in common: rows that can be added without script, and typed values that are never lost."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.forms.utils import ErrorDict

from catalogue.entry.content import Content
from catalogue.models import User

#: So many rows of one kind may be sent.
MOST_ROWS = 60


class DateInput(forms.DateInput):
    """The browser's own date field: works with keyboard, voice and screen reader, and needs no script."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class RowForm(forms.Form):
    """One row of a list, such as one phone number."""

    #: Legend of each row, followed by its number.
    title: ClassVar[str] = ""

    def wanted(self) -> bool:
        """Whether anything was written into the row."""
        return any(value not in (None, "", [], False) for value in self.cleaned_data.values())


class PartForm(forms.Form):
    """One part of an entry. `seen` names what the form was made from, so that nobody's change is overwritten unseen."""

    seen = forms.CharField(widget=forms.HiddenInput)
    #: By name: the form of one row.
    ROWS: ClassVar[dict[str, type[RowForm]]] = {}

    def __init__(
        self, data: Any, *, shown: Content, seen: str, user: User, files: Any = None, new: bool = False, secret: bool = False
    ) -> None:
        """`new`: not in the directory yet. `secret`: nobody is told where it is."""
        self.shown, self.user, self.new, self.secret = shown, user, new, secret
        super().__init__(data, files, initial=self.first(shown) | {"seen": seen})
        self.rows: dict[str, BaseFormSet] = {
            name: formset_factory(row, extra=1, can_delete=True, max_num=MOST_ROWS, absolute_max=MOST_ROWS)(
                data,
                prefix=name,
                initial=self.first_rows(name, shown),
                form_kwargs={"use_required_attribute": False},
            )
            for name, row in self.ROWS.items()
        }

    def first(self, shown: Content) -> dict[str, Any]:
        """The values of the fields before anybody typed."""
        return {name: shown[name] for name in self.base_fields if name in shown}

    def first_rows(self, name: str, shown: Content) -> list[dict[str, Any]]:
        return [dict(row) for row in shown[name]]

    def is_valid(self) -> bool:
        # Each is asked, so that all faults are told at once.
        return all([super().is_valid(), *(rows.is_valid() for rows in self.rows.values())])

    def said(self, name: str) -> list[dict[str, Any]]:
        """The rows that somebody wrote and did not take away."""
        return [row.cleaned_data for row in self.rows[name] if row.cleaned_data and not row.cleaned_data.get("DELETE") and row.wanted()]

    def values(self) -> dict[str, Any]:
        """What to hand to `catalogue.entry.operations.save`."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.shown}

    def tell(self, errors: Mapping[str, Sequence[str]], message: str) -> None:
        """Show what the directory refused beside the fields that it names, and the rest at the top."""
        for name, messages in errors.items():
            self.add_error(name if name in self.fields else None, list(messages))
        if not errors:
            self.add_error(None, message)

    def all_forms(self) -> list[forms.Form]:
        return [self, *(row for rows in self.rows.values() for row in rows)]

    @property
    def has_errors(self) -> bool:
        return self.is_bound and any(form.errors for form in self.all_forms())

    def quiet(self) -> None:
        """Show what was typed without saying yet what is wrong with it."""
        for form in cast("list[Any]", self.all_forms()):
            form._errors = ErrorDict()
            form.cleaned_data = {}


def with_another(data: Any, name: str) -> Any:
    """The same answers with one more empty row of that name."""
    more = data.copy()
    key = f"{name}-TOTAL_FORMS"
    try:
        more[key] = str(min(int(data[key]) + 1, MOST_ROWS))
    except (KeyError, ValueError):
        more[key] = "1"
    return more
