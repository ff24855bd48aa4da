"""OPC UA: variables of a server become tags, with their quality and source time."""

from pathlib import Path
from typing import ClassVar, Final

from shopfloor.gateway.opcua.options import NodeOptions, OpcuaOptions
from shopfloor.gateway.opcua.security import Security
from shopfloor.gateway.opcua.source import OpcuaSource
from shopfloor.plant.contracts import Plant

__all__ = ["CONNECTOR", "NodeOptions", "OpcuaConnector", "OpcuaOptions", "OpcuaSource"]


class OpcuaConnector:
    """The kind `opcua` of a source."""

    kind: ClassVar[str] = "opcua"
    options: ClassVar[type[OpcuaOptions]] = OpcuaOptions

    def build(self, name: str, options: OpcuaOptions, plant: Plant, folder: Path) -> OpcuaSource:
        """Make the source."""
        return OpcuaSource(name, options, security=Security(options, folder))


CONNECTOR: Final = OpcuaConnector()
