"""Which answers of providers a curator looks for."""

from django import forms
from django.db.models import Q, QuerySet

from capacity.models import Channel, Reply

Outcome = Reply.Outcome


class ReplyFilter(forms.Form):
    """Answers, narrowed. Without a choice: those that were not understood."""

    outcome = forms.ChoiceField(
        label="What became of it",
        required=False,
        choices=[
            (Outcome.ASKED_AGAIN, "Not understood"), (Outcome.STRANGER, "Sender not known"), (Outcome.STOPPED, "Asked to stop"),
            (Outcome.APPLIED, "Kept"), ("all", "All"),
        ],
    )  # fmt: skip
    channel = forms.ChoiceField(label="Came by", required=False, choices=[("", "Either"), *Channel.choices])
    q = forms.CharField(label="Service or sender holds", required=False, max_length=100)

    def chosen(self, replies: QuerySet[Reply]) -> QuerySet[Reply]:
        """The answers asked for, the newest first."""
        self.is_valid()
        sent = self.cleaned_data
        if (outcome := sent.get("outcome") or Outcome.ASKED_AGAIN) != "all":
            replies = replies.filter(outcome=outcome)
        if channel := sent.get("channel"):
            replies = replies.filter(channel=channel)
        if text := sent.get("q"):
            replies = replies.filter(Q(service__name__icontains=text) | Q(sender__icontains=text))
        return replies.order_by("-received_at", "pk")
