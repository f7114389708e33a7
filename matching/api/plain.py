"""An answer by its serializer, without the serializer's work for each value: a ranking has thousands, and none of them needs looking at.

The serializer stays what the document of the API is made from, and a test holds both answers together.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

Teller = Callable[[Any], Any]


def teller(serializer: serializers.Serializer) -> Teller:
    """What turns an object (or a mapping) into what the serializer would say of it. Made once."""
    fields = [(name, field.source, _of(field)) for name, field in serializer.fields.items()]

    def tell(value: Any) -> dict[str, Any]:
        get = value.__getitem__ if isinstance(value, Mapping) else value.__getattribute__
        return {name: get(source) if convert is None else convert(get(source)) for name, source, convert in fields}

    return tell


def _of(field: serializers.Field) -> Teller | None:
    """What turns the value of one field; None where it goes out as it is."""
    if isinstance(field, serializers.ListSerializer) and isinstance(field.child, serializers.Serializer):
        each = teller(field.child)
        return lambda values: [each(value) for value in values]
    if isinstance(field, serializers.Serializer):
        return teller(field)
    if isinstance(field, serializers.UUIDField):
        return str
    if isinstance(field, serializers.DateTimeField):
        return field.to_representation
    return None
