"""Referrals and figures as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import clock
from flow import moves
from flow.models import QueuedAsk, Referral, ReferralTask
from flow.workflow import REFERRER_WORDS, Reason, Side, steps_open_to


class StepSerializer(serializers.Serializer):
    """A step that the reader can take now: POST it to `tasks/<id>/<action>/`."""

    action = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the word that screens use
    needs_reason = serializers.BooleanField()


class SenderTaskSerializer(serializers.ModelSerializer):
    """A task as the organisation that sent it sees it."""

    service_name = serializers.CharField(source="pool.service.name")
    provider_name = serializers.CharField(source="provider.name")
    status_words = serializers.SerializerMethodField()
    held_until = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()

    class Meta:
        model = ReferralTask
        fields = [
            "id", "referral", "pool", "service_name", "provider", "provider_name", "status", "status_words", "status_reason",
            "status_reason_text", "held_until", "requested_at", "respond_by", "answered_at", "changed_at", "version", "steps",
        ]  # fmt: skip
        read_only_fields = fields

    def get_status_words(self, task: ReferralTask) -> str:
        return REFERRER_WORDS[task.status]

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_held_until(self, task: ReferralTask) -> Any:
        hold = task.reservation
        return hold.expires_at if hold and hold.state == hold.State.HELD else None

    @extend_schema_field(StepSerializer(many=True))
    def get_steps(self, task: ReferralTask) -> Any:
        return StepSerializer(steps_open_to(status=task.status, side=Side.REFERRER), many=True).data


class MoveSerializer(serializers.Serializer):
    """Whose move it is: `referrer`, `provider`, `hub` or `nobody`; what is expected, by when, and since when it is late."""

    side = serializers.CharField()
    who = serializers.CharField(help_text="The service or hub; empty for the sender.")
    step = serializers.CharField()
    by = serializers.DateTimeField(allow_null=True)
    overdue_since = serializers.DateTimeField(allow_null=True)


class QueuedSerializer(serializers.ModelSerializer):
    """A service of a list that is asked in order."""

    class Meta:
        model = QueuedAsk
        fields = ["pool", "position", "state", "because"]
        read_only_fields = fields


class ReferralListSerializer(serializers.ListSerializer):
    """Whose move it is, is found for all of them together."""

    def to_representation(self, data: Any) -> Any:
        referrals = list(data.all() if hasattr(data, "all") else data)
        found = moves.of_referrals(referrals, clock.now())
        for referral in referrals:
            referral.move = found[referral.pk]
        return super().to_representation(referrals)


class ReferralSerializer(serializers.ModelSerializer):
    """A referral as its sender sees it: ids and states. Who the person is stands in `patients/<id>/`."""

    tasks = SenderTaskSerializer(many=True)
    queue = QueuedSerializer(many=True)
    move = serializers.SerializerMethodField()

    @extend_schema_field(MoveSerializer)
    def get_move(self, referral: Referral) -> Any:
        move = getattr(referral, "move", None) or moves.of_referral(referral, clock.now())
        return MoveSerializer(move).data

    class Meta:
        model = Referral
        fields = [
            "id",
            "patient",
            "episode",
            "profile",
            "match_run",
            "urgency",
            "created_at",
            "wanted",
            "in_order",
            "closed_at",
            "pathway_version",
            "move",
            "queue",
            "tasks",
        ]
        list_serializer_class = ReferralListSerializer
        read_only_fields = fields


class ReferralDetailSerializer(ReferralSerializer):
    """One referral, with what its sender may change of it (`PATCH`). `edits`: how often that was done."""

    needed_by = serializers.DateField(source="profile.needed_by", allow_null=True)

    class Meta(ReferralSerializer.Meta):
        fields = [*ReferralSerializer.Meta.fields, "reason", "needed_by", "answer_within", "edits"]
        read_only_fields = fields


class NewlySentSerializer(ReferralSerializer):
    """The same of what has just been sent, from what was made with it: read anew by nobody."""

    tasks = SenderTaskSerializer(many=True, source="sent")
    queue = QueuedSerializer(many=True, source="listed")


class NewReferralSerializer(serializers.Serializer):
    """One referral to one or several pools. `consent`: the person, or somebody who may decide for them, agreed."""

    patient = serializers.UUIDField()
    profile = serializers.UUIDField()
    pools = serializers.ListField(child=serializers.UUIDField())
    hold_pools = serializers.ListField(child=serializers.UUIDField(), default=list, help_text="Keep a place at these.")
    episode = serializers.UUIDField(required=False, allow_null=True)
    match_run = serializers.UUIDField(required=False, allow_null=True)
    urgency = serializers.ChoiceField(choices=Referral.Urgency.choices, default=Referral.Urgency.ROUTINE)
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=4000, help_text="Shown to a provider after it has accepted."
    )
    consent = serializers.BooleanField()
    wanted = serializers.IntegerField(default=1, min_value=1, help_text="How many services are to say yes; then the others are withdrawn.")
    in_order = serializers.BooleanField(default=False, help_text="Ask one after the other, in the order of `pools`.")
    keep_asked = serializers.BooleanField(default=False, help_text="In order: who misses the deadline stays asked while the next is.")
    answer_within = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=15, help_text="Minutes to answer, instead of what the urgency says."
    )
    even_so = serializers.BooleanField(default=False, help_text="Ask also those whose entries speak against this person.")
    pathway_version = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="A `version` of `pathways/`.")
    pathway_answers = serializers.DictField(
        child=serializers.CharField(max_length=1000, allow_blank=True), default=dict, help_text="Answers by the key of each question."
    )


class StepRequestSerializer(serializers.Serializer):
    """Why, when the step asks why; and the version that was looked at, to refuse a step on what has changed since."""

    reason = serializers.ChoiceField(choices=Reason.choices, required=False, allow_blank=True, default="")
    reason_text = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    version = serializers.IntegerField(required=False, allow_null=True, default=None)
    even_so = serializers.BooleanField(default=False, help_text="With a yes: what has changed since was read (`changed-since`).")


class AnonymisedSerializer(serializers.Serializer):
    """All that a provider sees before it accepts."""

    task = serializers.UUIDField()
    pool = serializers.UUIDField()
    service_name = serializers.CharField()
    pool_name = serializers.CharField()
    status = serializers.CharField()
    status_words = serializers.CharField()
    version = serializers.IntegerField()
    requested_at = serializers.DateTimeField(allow_null=True)
    respond_by = serializers.DateTimeField(allow_null=True)
    held_until = serializers.DateTimeField(allow_null=True)
    urgency = serializers.CharField()
    sender_name = serializers.CharField()
    sender_kind = serializers.CharField()
    age_band = serializers.CharField()
    sex = serializers.CharField(help_text="Empty when not stated.")
    outcode = serializers.CharField()
    care_types = serializers.ListField(child=serializers.CharField())
    needs = serializers.ListField(child=serializers.CharField())
    must_haves = serializers.ListField(child=serializers.CharField())
    conditions = serializers.ListField(child=serializers.CharField(), help_text="Diagnoses and guidelines.")
    funding = serializers.ListField(child=serializers.CharField())
    needed_by = serializers.DateField(allow_null=True)


class IdentitySerializer(serializers.Serializer):
    """Who it is, after the provider has accepted."""

    patient = serializers.UUIDField()
    given_name = serializers.CharField()
    family_name = serializers.CharField()
    birth_date = serializers.DateField()
    nhs_number = serializers.CharField()
    postcode = serializers.CharField()
    phone = serializers.CharField()
    email = serializers.CharField()
    address = serializers.CharField()
    preferred_contact = serializers.CharField(help_text="In words; empty when nobody has asked.")
    contact_note = serializers.CharField()
    preferred_language = serializers.CharField()
    needs_interpreter = serializers.BooleanField()
    access_needs = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()


class ChangedSerializer(serializers.Serializer):
    """What the sender changed. `why` is empty before a yes."""

    at = serializers.DateTimeField()
    words = serializers.ListField(child=serializers.CharField())
    why = serializers.CharField()


class ProviderTaskSerializer(serializers.Serializer):
    """A task as its provider sees it."""

    profile = AnonymisedSerializer()
    identity = IdentitySerializer(allow_null=True)
    steps = StepSerializer(many=True)
    changed = ChangedSerializer(many=True, help_text="Since this service said yes, or since it was asked; newest first.")
    agrees = serializers.BooleanField(help_text="False: the person took back their agreement, or said no. Do not take it further.")


class WaitRowSerializer(serializers.Serializer):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the word that screens use
    bands = serializers.ListField(child=serializers.IntegerField(), help_text="Days waited: 0–1, 2–6, 7–13, 14–20, 21+.")
    total = serializers.IntegerField()


class RagCountSerializer(serializers.Serializer):
    group = serializers.CharField()
    green = serializers.IntegerField()
    amber = serializers.IntegerField()
    red = serializers.IntegerField()
    grey = serializers.IntegerField()
    free = serializers.IntegerField()


class StatusCountSerializer(serializers.Serializer):
    status = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the word that screens use
    count = serializers.IntegerField()


class FirstAnswerSerializer(serializers.Serializer):
    answered = serializers.IntegerField()
    median = serializers.DurationField(allow_null=True)
    p90 = serializers.DurationField(allow_null=True)


class HoldFiguresSerializer(serializers.Serializer):
    now = serializers.IntegerField()
    filled = serializers.IntegerField()
    released = serializers.IntegerField()
    expired = serializers.IntegerField(help_text="Ran out unused in the last seven days.")
    withdrawn = serializers.IntegerField()


class TrendPointSerializer(serializers.Serializer):
    on = serializers.DateField()
    waiting = serializers.IntegerField()


class DashboardSerializer(serializers.Serializer):
    """Figures of the region or of one organisation; never a person."""

    at = serializers.DateTimeField()
    scope = serializers.CharField(help_text='"region", or the id of an organisation.')
    scope_name = serializers.CharField()
    waiting = serializers.IntegerField()
    by_pathway = WaitRowSerializer(many=True)
    by_delay = WaitRowSerializer(many=True)
    capacity = RagCountSerializer(many=True)
    referrals = StatusCountSerializer(many=True)
    overdue = serializers.IntegerField(help_text="Requests whose time to answer has passed.")
    first_answer = FirstAnswerSerializer()
    holds = HoldFiguresSerializer()
    trend = TrendPointSerializer(many=True)
