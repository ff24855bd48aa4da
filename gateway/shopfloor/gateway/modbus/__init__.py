"""Modbus TCP: registers and coils of a device, polled, become tags."""

from pathlib import Path
from typing import ClassVar, Final

from shopfloor.gateway.modbus.options import ModbusOptions
from shopfloor.gateway.modbus.source import ModbusSource
from shopfloor.plant.contracts import Plant

__all__ = ["CONNECTOR", "ModbusConnector", "ModbusOptions", "ModbusSource"]


class ModbusConnector:
    """The kind `modbus` of a source."""

    kind: ClassVar[str] = "modbus"
    options: ClassVar[type[ModbusOptions]] = ModbusOptions

    def build(self, name: str, options: ModbusOptions, plant: Plant, folder: Path) -> ModbusSource:
        """Make the source."""
        return ModbusSource(name, options)


CONNECTOR: Final = ModbusConnector()
