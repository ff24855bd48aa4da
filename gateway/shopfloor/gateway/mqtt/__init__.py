"""MQTT: JSON messages on topics become values of tags."""

from pathlib import Path
from typing import ClassVar, Final

from shopfloor.gateway.mqtt.mapping import Mapping
from shopfloor.gateway.mqtt.options import MqttOptions, TopicOptions
from shopfloor.gateway.mqtt.source import MqttSource
from shopfloor.plant.contracts import Plant

__all__ = ["CONNECTOR", "MqttConnector", "MqttOptions", "MqttSource", "TopicOptions"]


class MqttConnector:
    """The kind `mqtt` of a source."""

    kind: ClassVar[str] = "mqtt"
    options: ClassVar[type[MqttOptions]] = MqttOptions

    def build(self, name: str, options: MqttOptions, plant: Plant, folder: Path) -> MqttSource:
        """Make the source."""
        return MqttSource(name, options, Mapping.of(options.topics, plant))


CONNECTOR: Final = MqttConnector()
