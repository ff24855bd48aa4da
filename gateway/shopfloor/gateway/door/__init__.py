"""The door: the one narrow way back to the machines."""

from shopfloor.gateway.door.audit import Audit
from shopfloor.gateway.door.door import Door, Way

__all__ = ["Audit", "Door", "Way"]
