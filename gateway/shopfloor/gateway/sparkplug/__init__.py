"""Sparkplug B 3.0: metrics of edge nodes and their devices become tags."""

from pathlib import Path
from typing import ClassVar, Final

from shopfloor.gateway.sparkplug.host import Host
from shopfloor.gateway.sparkplug.options import SparkplugOptions
from shopfloor.gateway.sparkplug.source import SparkplugSource
from shopfloor.plant.contracts import Plant

__all__ = ["CONNECTOR", "SparkplugConnector", "SparkplugOptions", "SparkplugSource"]


class SparkplugConnector:
    """The kind `sparkplug` of a source."""

    kind: ClassVar[str] = "sparkplug"
    options: ClassVar[type[SparkplugOptions]] = SparkplugOptions

    def build(self, name: str, options: SparkplugOptions, plant: Plant, folder: Path) -> SparkplugSource:
        """Make the source."""
        return SparkplugSource(name, options, Host(name, options))


CONNECTOR: Final = SparkplugConnector()
