"""Adding a photo or a document."""

from django import forms

from catalogue.models import Attachment


class FileForm(forms.Form):
    """One file, and words for it. What is in the file is looked at by `catalogue.entry.attachments`."""

    kind = forms.ChoiceField(
        label="What are you adding?", choices=Attachment.Kind.choices, initial=Attachment.Kind.PHOTO, widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it is a photo or a document."},
    )  # fmt: skip
    file = forms.FileField(
        label="The file", help_text="A photo (JPEG, PNG or WebP) or a PDF, up to 10 MB.",
        error_messages={"required": "Choose a file.", "empty": "That file is empty. Choose another one."},
    )  # fmt: skip
    title = forms.CharField(
        label="In words", help_text="Of a photo: what it shows, for people who cannot see it. Of a document: its name.", max_length=200,
        error_messages={"required": "Say what the photo shows, or what the document is called."},
    )  # fmt: skip
