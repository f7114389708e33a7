"""Places as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
    status = serializers.ChoiceField(choices=CapacityStatus.choices)
    is_open = serializers.BooleanField()
    note = serializers.CharField()
    reported_at = serializers.DateTimeField(allow_null=True)
    told_by = serializers.CharField(help_text="Organisation and route; never a person.")
    rag = serializers.ChoiceField(choices=[rag.value for rag in Rag])
    word = serializers.CharField(help_text="Says the same as the colour.")
    reason = serializers.CharField()
    timeline = serializers.SerializerMethodField()

    @extend_schema_field(MomentSerializer(many=True))
    def get_timeline(self, state: PoolState) -> list[dict[str, Any]]:
        return [{"since": since, "rag": s.rag.value, "word": s.word, "reason": s.reason} for since, s in state.timeline]


class ReportSerializer(serializers.Serializer):
    """What a provider sees now. A field left out keeps its value; the time of the report is renewed."""

    available = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=100_000)
    maximum = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=100_000)
    status = serializers.ChoiceField(required=False, choices=CapacityStatus.choices)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)
    is_open = serializers.BooleanField(required=False)
    observed_at = serializers.DateTimeField(required=False, help_text="When somebody looked; now, unless said.")
