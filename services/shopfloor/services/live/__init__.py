"""Live: what is stored, alarmed, predicted and healthy, to every open page and script as it happens."""

from shopfloor.services.live.fanout import Live
from shopfloor.services.live.protocol import LiveProtocol

__all__ = ["Live", "LiveProtocol"]
