"""Notices and webhooks as the API tells them."""

from typing import Any

from rest_framework import serializers

from notifications.models import Webhook
from notifications.notices.hearing import FOR_SYSTEMS
from notifications.notices.kinds import labels


class NoticeSerializer(serializers.Serializer[Any]):
    """One notice of the reader's own."""

    id = serializers.UUIDField(source="notice.pk", read_only=True)
    kind = serializers.ChoiceField(source="notice.kind", choices=labels(), read_only=True)
    words = serializers.CharField(read_only=True)
    urgent = serializers.BooleanField(source="notice.urgent", read_only=True)
    at = serializers.DateTimeField(source="notice.at", read_only=True)
    read_at = serializers.DateTimeField(source="notice.read_at", read_only=True, allow_null=True)
    about = serializers.DictField(source="notice.data", read_only=True, help_text="Ids and codes of what it is about.")


class ReadSerializer(serializers.Serializer[Any]):
    """How many were marked."""

    marked = serializers.IntegerField(read_only=True)


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """An address of the organisation's own system."""

    types = serializers.ListField(child=serializers.ChoiceField(choices=[(type_, type_) for type_ in FOR_SYSTEMS]), required=False)
    works = serializers.BooleanField(read_only=True)

    class Meta:
        model = Webhook
        fields = (
            "id", "name", "url", "types", "works", "stopped_at", "stopped_because", "failures", "answered_at", "old_key_until",
            "created_at",
        )  # fmt: skip
        read_only_fields = ("stopped_at", "stopped_because", "failures", "answered_at", "old_key_until", "created_at")


class KeySerializer(serializers.Serializer[Any]):
    """An address with its key, which is told this once."""

    webhook = WebhookSerializer()
    key = serializers.CharField(read_only=True)


class TrialSerializer(serializers.Serializer[Any]):
    """A trial that was put by."""

    id = serializers.UUIDField(read_only=True)
    state = serializers.CharField(read_only=True)
