"""What is written around one person: notes, messages, documents, follow-ups."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms

from flow.casework.questions import Question
from flow.models import Note
from frontend.forms.patient import DateInput

_RELOAD = "This page is incomplete. Load it again, then press the button again."
Choices = Sequence[tuple[UUID, str]]


class VersionForm(forms.Form):
    """Something that is changed: the version that was looked at."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput, error_messages={"required": _RELOAD, "invalid": _RELOAD})


def _words(label: str, wanted: str, longest: int, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=longest,
        widget=forms.Textarea(attrs={"maxlength": str(longest)}),
        error_messages={"required": wanted, "max_length": f"Shorten this to {longest:,} letters or fewer."},
    )


class NoteForm(forms.Form):
    """A new note, and who may read it."""

    words = _words("Note", "Write the note", 4000)
    audience = forms.ChoiceField(
        label="Who may read it?", choices=Note.Audience.choices, initial=Note.Audience.OWN, widget=forms.RadioSelect,
        error_messages={"required": "Choose who may read the note"},
    )  # fmt: skip
    team = forms.TypedChoiceField(label="Team", required=False, coerce=UUID, empty_value=None)
    referral = forms.TypedChoiceField(label="Referral", required=False, coerce=UUID, empty_value=None)

    def __init__(self, *args: Any, teams: Choices, referrals: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Without a team or a referral there is nothing to choose.
        offered = [
            (code, words) for code, words in Note.Audience.choices if (teams or code != "team") and (referrals or code != "referral")
        ]
        self.fields["audience"].choices = offered  # type: ignore[attr-defined]
        for name, choices, none in (("team", teams, "No team"), ("referral", referrals, "Not about a referral")):
            if choices:
                self.fields[name].choices = [("", none), *((str(key), words) for key, words in choices)]  # type: ignore[attr-defined]
            else:
                del self.fields[name]


class CorrectForm(VersionForm):
    """A note written anew."""

    words = _words("Note", "Write the note", 4000)
    reason = forms.CharField(label="Why is it corrected?", max_length=300, error_messages={"required": "Say why the note is corrected"})


class WithdrawForm(VersionForm):
    """Something is taken back."""

    reason = forms.CharField(label="Why is it withdrawn?", max_length=300, error_messages={"required": "Say why it is withdrawn"})


class KeyedForm(forms.Form):
    """Something that is sent once, however often the button is pressed."""

    key = forms.UUIDField(widget=forms.HiddenInput, error_messages={"required": _RELOAD, "invalid": _RELOAD})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"key": uuid4()}, **kwargs})


class WriteForm(KeyedForm):
    """A message, after a yes."""

    words = _words("Message", "Write a message", 2000)


class AskForm(KeyedForm):
    """A question before a yes."""

    code = forms.ChoiceField(label="What do you need to know?", required=False, widget=forms.RadioSelect)
    words = forms.CharField(
        label="Or ask in your own words", max_length=2000, required=False, widget=forms.Textarea(attrs={"maxlength": "2000"}),
        help_text="They answer yes, no, a day, or that you should ring. What they type reaches you only after you say yes.",
        error_messages={"max_length": "Shorten this to 2,000 letters or fewer."},
    )  # fmt: skip

    def __init__(self, *args: Any, questions: Sequence[Question], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [*((one.code, one.words) for one in questions), ("", "Something else")]
        self.fields["code"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("code") and sent.get("words"):
            self.add_error("words", "Ask one question at a time: choose “Something else” to ask in your own words.")
        if not sent.get("code") and not sent.get("words") and "words" not in self.errors:
            self.add_error("code", "Choose a question, or write your own")
        return sent


class AnswerMessageForm(KeyedForm):
    """The answer to one question: one of those to choose from, or a day."""

    message = forms.UUIDField(widget=forms.HiddenInput, error_messages={"required": _RELOAD, "invalid": _RELOAD})
    answer = forms.CharField(required=False, max_length=30)
    day = forms.DateField(required=False, widget=DateInput(), error_messages={"invalid": "Enter a real date, such as 27 March 2026"})

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        day = sent.get("day")
        if not sent.get("answer") and not day and "day" not in self.errors:
            self.add_error("answer", "Choose an answer")
        sent["answer"] = sent.get("answer") or (day.isoformat() if day else "")
        return sent


class DocumentForm(forms.Form):
    """One file. What is in it is looked at by `core.uploads`."""

    file = forms.FileField(
        label="The file", allow_empty_file=True, error_messages={"required": "Choose a file", "missing": "Choose a file"},
    )  # fmt: skip
    title = forms.CharField(
        label="What is it?", help_text="For example: discharge letter of 3 March.", max_length=120,
        error_messages={"required": "Say what the document is", "max_length": "Shorten this to 120 letters or fewer."},
    )  # fmt: skip
    referral = forms.TypedChoiceField(
        label="Who may open it?", required=False, coerce=UUID, empty_value=None,
        help_text="A service opens it only once it has said yes.",
    )  # fmt: skip

    def __init__(self, *args: Any, referrals: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if referrals:
            choices = [("", "Our organisation only"), *((str(key), f"Also on the referral to {words}") for key, words in referrals)]
            self.fields["referral"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["referral"]


class FollowUpForm(forms.Form):
    """What is to be done, by whom and by when."""

    words = forms.CharField(
        label="What is to be done?", max_length=300, help_text="For example: ring and ask how the first week went.",
        error_messages={"required": "Say what is to be done", "max_length": "Shorten this to 300 letters or fewer."},
    )  # fmt: skip
    due_on = forms.DateField(
        label="By which day?", widget=DateInput(),
        error_messages={"required": "Choose a day", "invalid": "Enter a real date, such as 27 March 2026"},
    )  # fmt: skip
    whose = forms.ChoiceField(label="Whose is it?", required=False)
    referral = forms.TypedChoiceField(label="Which referral is it about?", required=False, coerce=UUID, empty_value=None)

    def __init__(self, *args: Any, people: Choices, teams: Choices, referrals: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["whose"].choices = whose(people, teams)  # type: ignore[attr-defined]
        if referrals:
            self.fields["referral"].choices = [("", "None"), *((str(key), words) for key, words in referrals)]  # type: ignore[attr-defined]
        else:
            del self.fields["referral"]


class AssignForm(VersionForm):
    """Somebody else is to do it."""

    whose = forms.ChoiceField(label="Give it to", required=False)

    def __init__(self, *args: Any, people: Choices, teams: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["whose"].choices = whose(people, teams)  # type: ignore[attr-defined]


class PostponeForm(VersionForm):
    """Put off to a later day."""

    due_on = forms.DateField(
        label="To which day?", widget=DateInput(),
        error_messages={"required": "Choose a later day", "invalid": "Enter a real date, such as 27 March 2026"},
    )  # fmt: skip
    reason = forms.CharField(label="Why?", max_length=300, error_messages={"required": "Say why it is postponed"})


class DoneForm(VersionForm):
    """It is done."""

    outcome = _words("What came of it?", "Say in a few words what came of it", 500)


class ScoredForm(VersionForm):
    """The score of an outcome tool, or why there is none."""

    score = forms.DecimalField(
        label="Score", required=False, max_digits=8, decimal_places=3, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages=dict.fromkeys(
            ("invalid", "max_digits", "max_decimal_places", "max_whole_digits"), "Enter the score as a number, such as 12 or 0.75"
        ),
    )  # fmt: skip
    scored_on = forms.DateField(
        label="On which day did they answer?", required=False, widget=DateInput(),
        error_messages={"invalid": "Enter a real date, such as 27 March 2026"},
    )  # fmt: skip
    outcome = forms.CharField(
        label="Anything to add, or why there is no score", required=False, max_length=400, widget=forms.Textarea,
        error_messages={"max_length": "Shorten this to 400 letters or fewer."},
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and data.get("score") is None and not data.get("outcome"):
            self.add_error("score", "Enter the score, or say below why there is none")
        return data


class CancelForm(VersionForm):
    """It is not needed any more."""

    reason = forms.CharField(
        label="Why is it not needed?", max_length=300, error_messages={"required": "Say why it is not needed any more"}
    )


def whose(people: Choices, teams: Choices) -> list[tuple[str, str]]:
    """Nobody in particular, a colleague or a team, as one choice."""
    named = [(f"user:{key}", words) for key, words in people]
    return [("", "Whoever is free"), *named, *((f"team:{key}", f"Team: {words}") for key, words in teams)]


def given_to(value: str) -> dict[str, UUID | None]:
    """The choice as the operations take it."""
    kind, _, key = value.partition(":")
    return {"user_id": UUID(key) if kind == "user" else None, "team_id": UUID(key) if kind == "team" else None}
