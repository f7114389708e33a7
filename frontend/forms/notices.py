"""What is looked for among notices, and what people choose to be told."""

from datetime import time
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from flow.models import PersonMessage
from notifications.models import Delivery, Notice
from notifications.models.delivery import Route, State
from notifications.notices.hearing import FOR_SYSTEMS
from notifications.notices.kinds import KINDS, Choice, Kind, When, of_role
from notifications.notices.preferences import Preferences


class NoticeFilter(forms.Form):
    """Notices, narrowed. Without a choice: those not read yet and those read, the newest first."""

    show = forms.ChoiceField(label="Show", required=False, choices=[("", "All"), ("unread", "Not read yet")])
    kind = forms.ChoiceField(label="About", required=False)

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "Anything"), *((kind.code, kind.label) for kind in of_role(role))]  # type: ignore[attr-defined]
        self.is_valid()

    def chosen(self, found: QuerySet[Notice]) -> QuerySet[Notice]:
        found = found.filter(listed=True)
        if self.cleaned_data.get("show") == "unread":
            found = found.filter(read_at=None)
        if self.about:
            found = found.filter(kind=self.about)
        return found.order_by("-at", "-pk")

    @property
    def about(self) -> str:
        return self.cleaned_data.get("kind") or ""

    def kept(self) -> str:
        """What was chosen, for an address."""
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in self.cleaned_data.items() if value})
        return query.urlencode()


class ChoicesForm(forms.Form):
    """By which routes one is told of each kind, when, and when not."""

    daily_hour = forms.TypedChoiceField(
        label="Once a day means at", coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)],
    )  # fmt: skip
    quiet_from = forms.TypedChoiceField(
        label="Quiet from", required=False, empty_value=None, coerce=time.fromisoformat,
        choices=[("", "No quiet hours"), *((f"{hour:02}:00", f"{hour:02}:00") for hour in range(24))],
        help_text="What comes in quiet hours by e-mail or text message waits until they end.",
    )  # fmt: skip
    quiet_until = forms.TypedChoiceField(
        label="Quiet until", required=False, empty_value=None, coerce=time.fromisoformat,
        choices=[("", "No quiet hours"), *((f"{hour:02}:00", f"{hour:02}:00") for hour in range(24))],
    )  # fmt: skip
    urgent_passes = forms.BooleanField(label="What is urgent may come in quiet hours too", required=False)
    whole_organization = forms.BooleanField(
        label="Tell me of everybody’s referrals in my organisation, not only of those that I sent", required=False
    )

    def __init__(self, *args: Any, kinds: list[Kind], now: Preferences, texts: bool, person: bool, **kwargs: Any) -> None:
        initial: dict[str, Any] = {
            "daily_hour": now.daily_hour, "urgent_passes": now.urgent_passes, "whole_organization": now.whole_organization,
            "quiet_from": f"{now.quiet_from:%H:%M}" if now.quiet_from else "",
            "quiet_until": f"{now.quiet_until:%H:%M}" if now.quiet_until else "",
        }  # fmt: skip
        super().__init__(*args, **{**kwargs, "initial": initial})
        self.kinds, self.texts = kinds, texts
        for kind in kinds:
            chosen = now.of(kind)
            self.fields[f"{kind.code}-app"] = forms.BooleanField(label="On the site", required=False, initial=chosen.app)
            self.fields[f"{kind.code}-email"] = forms.ChoiceField(label="E-mail", choices=When.choices, initial=chosen.email)
            if texts:
                self.fields[f"{kind.code}-sms"] = forms.ChoiceField(label="Text message", choices=When.choices, initial=chosen.sms)
        if not person:
            del self.fields["whole_organization"]

    def rows(self) -> list[tuple[Kind, Any, Any, Any]]:
        """Each kind with its fields."""
        return [
            (kind, self[f"{kind.code}-app"], self[f"{kind.code}-email"], self[f"{kind.code}-sms"] if self.texts else None)
            for kind in self.kinds
        ]

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or self.cleaned_data
        if not self.errors and (sent["quiet_from"] is None) != (sent["quiet_until"] is None):
            self.add_error("quiet_until", "Say from when and until when it is quiet, or choose no quiet hours for both.")
        return sent

    def told(self) -> dict[str, Any]:
        """What was chosen, as the operation takes it."""
        sent = self.cleaned_data
        choices = {
            kind.code: Choice(
                sent[f"{kind.code}-app"], When(sent[f"{kind.code}-email"]), When(sent.get(f"{kind.code}-sms") or When.OFF)
            )
            for kind in self.kinds
        }  # fmt: skip
        names = ("quiet_from", "quiet_until", "urgent_passes", "daily_hour", "whole_organization")
        return {"choices": choices, **{name: sent[name] for name in names if name in sent}}


class MobileForm(forms.Form):
    """The number to which text messages go."""

    mobile = forms.CharField(label="Mobile number", required=False, max_length=40, help_text="Like 07700 900123. Empty it to have none.")


class CodeForm(forms.Form):
    """The code that came to that number."""

    code = forms.CharField(
        label="The code that we sent there", max_length=20, error_messages={"required": "Type the six digits of the message."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class FailureFilter(forms.Form):
    """Messages that failed, narrowed. Without a choice: those with which nobody has dealt."""

    state = forms.ChoiceField(
        label="What became of it", required=False,
        choices=[("", "Failed"), *((state.value, state.label) for state in State if state != State.FAILED), ("all", "All")],
    )  # fmt: skip
    route = forms.ChoiceField(label="Sent by", required=False, choices=[("", "Any way"), *Route.choices])
    q = forms.CharField(label="Address or reason contains", required=False, max_length=100)

    def chosen(self, found: QuerySet[Delivery]) -> QuerySet[Delivery]:
        self.is_valid()
        sent = self.cleaned_data
        if (state := sent.get("state") or State.FAILED) != "all":
            found = found.filter(state=state)
        if route := sent.get("route"):
            found = found.filter(route=route)
        if text := sent.get("q"):
            found = found.filter(sent_to__icontains=text) | found.filter(failed_because__icontains=text)
        return found.order_by("-created_at", "-pk")


class PersonFailureFilter(forms.Form):
    """Messages to people that did not arrive, narrowed. Without a choice: those with which nobody has dealt."""

    state = forms.ChoiceField(
        label="What became of it", required=False,
        choices=[("", "Did not arrive"), (PersonMessage.State.GIVEN_UP.value, "Given up"), ("all", "Both")],
    )  # fmt: skip
    kind = forms.ChoiceField(label="What it told", required=False, choices=[("", "Anything"), *PersonMessage.Kind.choices])

    def chosen(self, found: QuerySet[PersonMessage]) -> QuerySet[PersonMessage]:
        self.is_valid()
        failed, given_up = PersonMessage.State.FAILED, PersonMessage.State.GIVEN_UP
        state = self.cleaned_data.get("state")
        found = found.filter(state__in=(failed, given_up) if state == "all" else (state or failed,))
        if kind := self.cleaned_data.get("kind"):
            found = found.filter(kind=kind)
        return found.order_by("-created_at", "-pk")


class WebhookForm(forms.Form):
    """A new address of a system."""

    name = forms.CharField(
        label="Which system is it?", max_length=80, help_text="For example “Care records”.",
        error_messages={"required": "Say which system it is."},
    )  # fmt: skip
    url = forms.CharField(
        label="Its address", max_length=500, help_text="Begins with https:// and can be reached from the internet.",
        error_messages={"required": "Enter the web address that takes the messages."},
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )  # fmt: skip
    types = forms.MultipleChoiceField(
        label="Tell it of", required=False, choices=[(type_, type_) for type_ in FOR_SYSTEMS], widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen: of all these events.",
    )  # fmt: skip


class CaughtFilter(forms.Form):
    """What the demonstration kept, narrowed."""

    route = forms.ChoiceField(label="Sent by", required=False, choices=[("", "Any way"), *Route.choices])
    q = forms.CharField(label="Contains", required=False, max_length=100)


ALL_KINDS = list(KINDS)
