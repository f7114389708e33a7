"""Places as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from capacity.batch import MOST_LINES
from capacity.models import CapacityStatus
from capacity.queries import PoolState
from capacity.status import Rag


class MomentSerializer(serializers.Serializer):
    """What a figure looks like from an instant on, if nobody says anything more."""

    since = serializers.DateTimeField()
    rag = serializers.ChoiceField(choices=[rag.value for rag in Rag])
    word = serializers.CharField()
    reason = serializers.CharField()


class CapacitySerializer(serializers.Serializer):
    """A pool's present state. `free` = `available` − `held`; null is not known."""

    id = serializers.UUIDField()
    service = serializers.UUIDField()
    service_name = serializers.CharField()
    organization = serializers.UUIDField()
    organization_name = serializers.CharField()
    care_type = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    version = serializers.IntegerField()
    available = serializers.IntegerField(allow_null=True)
    held = serializers.IntegerField()
    free = serializers.IntegerField(allow_null=True)
    maximum = serializers.IntegerField(allow_null=True)
    occupied = serializers.IntegerField(allow_null=True)
    reserved = serializers.IntegerField(allow_null=True, help_text="Vacant, kept by the provider for somebody of its own: never free.")
    waiting = serializers.IntegerField(allow_null=True, help_text="How many are on the waiting list.")
    expected_wait_days = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=CapacityStatus.choices)
    is_open = serializers.BooleanField()
    closed_reason = serializers.CharField()
    closed_until = serializers.DateField(allow_null=True, help_text="When it is expected to open again.")
    note = serializers.CharField()
    bed_type = serializers.CharField(help_text="Of a care home's bed, in the words of the Capacity Tracker; or empty.")
    for_sex = serializers.CharField(help_text="`female` or `male` where these places are for women or men only; or empty.")
    per = serializers.CharField(help_text="For which stretch of time the places are counted: `day`, `week`, `session`; or empty.")
    session_of = serializers.UUIDField(allow_null=True, help_text="The places a session that this session was made from.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="Of a session.")
    ends_at = serializers.DateTimeField(allow_null=True)
    reported_at = serializers.DateTimeField(allow_null=True)
    told_by = serializers.CharField(help_text="Organisation and route; never a person.")
    rag = serializers.ChoiceField(choices=[rag.value for rag in Rag])
    word = serializers.CharField(help_text="Says the same as the colour.")
    reason = serializers.CharField()
    timeline = serializers.SerializerMethodField()

    @extend_schema_field(MomentSerializer(many=True))
    def get_timeline(self, state: PoolState) -> list[dict[str, Any]]:
        return [{"since": since, "rag": s.rag.value, "word": s.word, "reason": s.reason} for since, s in state.timeline]


def _count(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=100_000, **options)


class ReportSerializer(serializers.Serializer):
    """What a provider sees now. A field left out keeps its value; the time of the report is renewed."""

    available = _count()
    maximum = _count()
    occupied = _count()
    reserved = _count()
    waiting = _count()
    expected_wait_days = _count()
    status = serializers.ChoiceField(required=False, choices=CapacityStatus.choices)
    is_open = serializers.BooleanField(required=False)
    closed_reason = serializers.CharField(required=False, allow_blank=True, max_length=200)
    closed_until = serializers.DateField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)
    withdraw_because = serializers.CharField(
        required=False, allow_blank=True, max_length=200,
        help_text="Why held places are taken back when the figure falls below them; the teams read it. Without it: 409 `below-held`.",
    )  # fmt: skip
    observed_at = serializers.DateTimeField(required=False, help_text="When somebody looked; now, unless said.")


class ReportLineSerializer(ReportSerializer):
    """One line of many: as `ReportSerializer`, and of which pool."""

    pool = serializers.UUIDField()
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="Refuse this line if the pool has changed since."
    )
    key = serializers.CharField(required=False, max_length=64, help_text="Of this one update, by which it is never counted twice.")


class LinesSerializer(serializers.Serializer):
    """Many reports in one request."""

    reports = ReportLineSerializer(many=True, help_text=f"At most {MOST_LINES:,}.")


class ProblemSerializer(serializers.Serializer):
    """Why something was refused, and what to do: RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="For programs; it does not change.")
    detail = serializers.CharField(help_text="For people.")


class LineOutcomeSerializer(serializers.Serializer):
    """What became of one line, in the order of the request."""

    pool = serializers.UUIDField(allow_null=True)
    outcome = serializers.ChoiceField(
        choices=["kept", "late", "refused"], help_text="late: kept in history alone, for a later observation stands."
    )
    version = serializers.IntegerField(required=False)
    problem = ProblemSerializer(required=False)


class OutcomesSerializer(serializers.Serializer):
    kept = serializers.IntegerField()
    late = serializers.IntegerField()
    refused = serializers.IntegerField()
    reports = LineOutcomeSerializer(many=True)
