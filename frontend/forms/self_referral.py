"""Asking a service for help, in words that a child of nine reads; and what those who run the service answer."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils import timezone

from capacity.models import ServiceCapacity
from core import sms
from core.clock import LONDON
from core.errors import Invalid
from flow.models import SelfReferral
from flow.self_referral.operations import Asked
from flow.self_referral.queries import Offer
from flow.workflow import Reason
from frontend.forms.patient import DateInput

#: How people write a day.
DAYS = ("%d/%m/%Y", "%d %m %Y", "%d-%m-%Y", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%Y-%m-%d")
#: Longest text of one box that is kept of a form that is not finished.
LONGEST = 2000


def _box(label: str, hint: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=hint, required=False)


class AskForm(forms.Form):
    """One page: who it is for, how to reach them, what they need, and what they agree to. `website` is seen by no person."""

    for_whom = forms.ChoiceField(
        label="Who needs the help?", widget=forms.RadioSelect, error_messages={"required": "Choose who needs the help"}
    )
    asker_name = forms.CharField(
        label="Your own name",
        help_text="Only if you ask for somebody else.",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    given_name = forms.CharField(
        label="First name of who needs the help",
        max_length=100,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Enter the first name"},
    )
    family_name = forms.CharField(
        label="Last name",
        max_length=100,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Enter the last name"},
    )
    age_or_birth = forms.CharField(
        label="Date of birth, or age",
        help_text="For example 27/3/1958, or 67.",
        max_length=30,
        error_messages={"required": "Enter the date of birth, or the age"},
    )
    postcode = forms.CharField(
        label="Postcode",
        help_text="Where they live or stay. The first half, like PR1, is enough.",
        max_length=10,
        error_messages={"required": "Enter the postcode, or its first half"},
    )
    phone = forms.CharField(label="Phone number", required=False, max_length=30, widget=forms.TextInput(attrs={"inputmode": "tel"}))
    may_leave_message = _box("You may leave a message on this phone", "Do not tick this if it is not safe for you.")
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
        error_messages={"invalid": "Enter an e-mail address like name@example.org"},
    )
    contact_note = forms.CharField(
        label="Is there a good or a bad time to reach you?",
        help_text="Say here, too, what keeps you safe: “Ring only when I am at work.”",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"maxlength": "300"}),
    )
    words = forms.CharField(
        label="What do you need? Say it in your own words.",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"maxlength": str(LONGEST)}),
    )
    needs = forms.MultipleChoiceField(label="Tick what is true", required=False, widget=forms.CheckboxSelectMultiple)
    told_by = forms.ChoiceField(
        label="How did you hear of this service?", required=False, choices=[("", "Choose, if you like"), *SelfReferral.ToldBy.choices]
    )
    share = _box("They may have what I wrote here", "We cannot send it without this. If you ask for somebody else: they know, and agree.")
    gp = _box("They may talk to the doctor’s practice", "You can leave this out.")
    news = _box(
        "Lune may write to me when there is news", "The message says only that, with a link. Leave it out if it is not safe for you."
    )
    website = forms.CharField(label="Leave this empty", required=False)

    def __init__(self, data: Any = None, *, offer: Offer, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        who: Any = self.fields["for_whom"]
        who.choices = [(code, SelfReferral.ForWhom(code).label) for code in offer.for_whom]
        if len(offer.for_whom) == 1:
            who.initial = offer.for_whom[0]
        if SelfReferral.ForWhom.OTHER not in offer.for_whom:
            del self.fields["asker_name"]
        if not sms.is_set_up():
            self.fields["news"].label = "Lune may send me an e-mail when there is news"
        needs: Any = self.fields["needs"]
        needs.choices = offer.needs

    def clean_age_or_birth(self) -> int | date:
        text = " ".join(self.cleaned_data["age_or_birth"].split())
        if text.isascii() and text.isdigit() and len(text) <= 3:
            return int(text)
        for form in DAYS:
            try:
                return datetime.strptime(text, form).replace(tzinfo=LONDON).date()
            except ValueError:
                continue
        raise forms.ValidationError("Enter a date like 27/3/1958, or an age like 67")

    def clean_phone(self) -> str:
        text = self.cleaned_data["phone"].strip()
        try:
            return sms.number(text) if text else ""
        except Invalid:
            raise forms.ValidationError("Enter a phone number like 07700 900123") from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "phone" in data and "email" in data and not (data["phone"] or data["email"]):
            self.add_error("phone", "Enter a phone number or an e-mail address")
        if not (data.get("needs") or data.get("words", "").strip()) and not {"needs", "words"} & self.errors.keys():
            self.add_error("words", "Say what you need, or tick something in the list below")
        if data.get("for_whom") == SelfReferral.ForWhom.OTHER and not data.get("asker_name"):
            self.add_error("asker_name", "Enter your own name, as you ask for somebody else")
        if not data.get("share"):
            self.add_error("share", "Tick this box. We cannot send what you wrote without it")
        return data

    def asked(self) -> Asked:
        """The form as the domain takes it."""
        data = self.cleaned_data
        born = data["age_or_birth"]
        same = "for_whom given_name family_name postcode phone may_leave_message email contact_note needs words told_by"
        return Asked(
            **{name: data[name] for name in same.split()},
            asker_name=data.get("asker_name", "") if data["for_whom"] == SelfReferral.ForWhom.OTHER else "",
            birth_date=born if isinstance(born, date) else None,
            age=None if isinstance(born, date) else born,
            agreed=frozenset(name for name in ("share", "gp", "news") if data[name]),
        )


def as_typed(sent: QueryDict) -> dict[str, Any]:
    """What stands in the boxes, to be kept as it is: nothing is checked of a form that is not finished."""
    kept: dict[str, Any] = {}
    for name in AskForm.base_fields:
        if name != "website" and name in sent:
            clipped = [value.encode("utf-8", "ignore").decode()[:LONGEST] for value in sent.getlist(name)[:100]]
            kept[name] = clipped if name == "needs" else clipped[-1]
    return kept


def news_address(typed: dict[str, Any]) -> dict[str, str]:
    """Where the link of such a form may be sent: nowhere without the tick."""
    if not typed.get("news"):
        return {}
    try:
        validate_email(typed.get("email", ""))
        return {"email": typed["email"][:254]}
    except ValidationError:
        pass
    try:
        return {"phone": sms.number(typed.get("phone", ""))}
    except Invalid:
        return {}


class ReplyForm(forms.Form):
    """The answer of the person to what the service asks."""

    words = forms.CharField(
        label="Your answer",
        max_length=1000,
        widget=forms.Textarea(attrs={"maxlength": "1000"}),
        error_messages={"required": "Write your answer"},
    )


class StepForm(forms.Form):
    """What every answer of the service carries: the state that was looked at."""

    version = forms.IntegerField(
        min_value=1,
        widget=forms.HiddenInput,
        error_messages={"required": "This page is incomplete. Load it again, then press the button again."},
    )

    def __init__(self, *args: Any, request: SelfReferral, **kwargs: Any) -> None:
        # Several such forms stand on one page.
        super().__init__(*args, **kwargs | {"auto_id": f"id_{type(self).__name__.lower()}_%s"})


class AcceptForm(StepForm):
    """Yes: for which place, who it is, and how that is known."""

    pool = forms.ChoiceField(label="For which of your places?", widget=forms.RadioSelect, error_messages={"required": "Choose the place"})
    birth_date = forms.DateField(
        label="Date of birth",
        help_text="They gave an age only. Ask them.",
        widget=DateInput(),
        error_messages={"required": "Enter the date of birth", "invalid": "Enter a real date of birth, such as 27 March 1941"},
    )
    how = forms.ChoiceField(
        label="How do you know that it is really them?",
        choices=[*SelfReferral.Check.choices, ("not-yet", "We have not checked yet")],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether you checked who it is"},
    )

    def __init__(self, *args: Any, request: SelfReferral, places: list[ServiceCapacity], **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        if len(places) > 1:
            pool: Any = self.fields["pool"]
            pool.choices = [(str(place.pk), _place(place)) for place in places]
        else:
            del self.fields["pool"]
        if request.birth_date:
            del self.fields["birth_date"]
        if request.identity_check:
            del self.fields["how"]

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if born > timezone.localdate():
            raise forms.ValidationError("The date of birth must be in the past")
        return born

    def how_checked(self) -> str:
        how = self.cleaned_data.get("how", "")
        return "" if how == "not-yet" else how


class AskMoreForm(StepForm):
    """A question to the person."""

    words = forms.CharField(
        label="What do you want to know?",
        help_text="They read it by their link. Use short, plain words.",
        max_length=1000,
        widget=forms.Textarea(attrs={"maxlength": "1000"}),
        error_messages={"required": "Write your question"},
    )


class DeclineForm(StepForm):
    """No, and why."""

    reason = forms.ChoiceField(
        label="What is the main reason?",
        choices=Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the main reason"},
    )
    reason_text = forms.CharField(
        label="Anything to tell them (optional)",
        help_text="They read this. Say where else they could ask.",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"maxlength": "300"}),
    )

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("reason") == Reason.OTHER and not sent.get("reason_text"):
            self.add_error("reason_text", "Say in a few words what the other reason is")
        return sent


class CheckForm(StepForm):
    """Somebody made sure who it is."""

    how = forms.ChoiceField(
        label="How do you know that it is really them?",
        choices=SelfReferral.Check.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say how you know"},
    )


class DoubleForm(StepForm):
    """The same person asked before: which request stays."""

    of = forms.UUIDField(
        widget=forms.HiddenInput, error_messages={"required": "Choose the request that stays", "invalid": "Choose the request that stays"}
    )


def _place(pool: ServiceCapacity) -> str:
    when = f", {pool.starts_at.astimezone(LONDON):%-d %b %H:%M}" if pool.starts_at else ""
    free = "not counted" if pool.available is None else f"{max(0, pool.available - pool.held)} free"
    return f"{pool.name}{when} ({free})"
