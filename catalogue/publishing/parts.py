"""Parts of a service's document that apps above the catalogue add. Each registers when it starts."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

#: From ids of public services and the present instant to what each of them shows; a service with nothing to show is left out.
Provider = Callable[[Collection[UUID], datetime], dict[UUID, list[dict[str, Any]]]]

_PROVIDERS: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """Let `provider` fill the list `name` of every service's document."""
    _PROVIDERS[name] = provider


def read(services: Collection[UUID], at: datetime) -> dict[str, dict[UUID, list[dict[str, Any]]]]:
    """What every registered provider has for these services, by the name of its list."""
    return {name: provider(services, at) for name, provider in _PROVIDERS.items()}
