"""What each kind of service of the region is like: how many there are, what they are called, whom they take."""

from flow.demo.kinds.base import Kind
from flow.demo.kinds.community import COMMUNITY
from flow.demo.kinds.health import HEALTH
from flow.demo.kinds.homes import HOMES

KINDS: tuple[Kind, ...] = (*HOMES, *HEALTH, *COMMUNITY)

__all__ = ["KINDS", "Kind"]
