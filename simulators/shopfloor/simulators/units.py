"""Units as OPC UA writes them: EUInformation with the UNECE common code (OPC 10000-8, 5.6.3; UNECE Rec. 20)."""

from __future__ import annotations

from typing import Final

from asyncua import ua

_NAMESPACE: Final = "http://www.opcfoundation.org/UA/units/un/cefact"
_CODES: Final = {
    "%": "P1",
    "1/min": "RPM",
    "A": "AMP",
    "K": "KEL",
    "Nm": "NU",
    "V": "VLT",
    "cm": "CMT",
    "kA": "B22",
    "kW": "KWT",
    "kWh": "KWH",
    "kg": "KGM",
    "kg/d": "F30",
    "kg/h": "E93",
    "l/min": "L2",
    "m/min": "2X",
    "mV": "2Z",
    "min": "MIN",
    "mm": "MMT",
    "mm/min": "H81",
    "mm/s": "C16",
    "rpm": "RPM",
    "s": "SEC",
    "uOhm": "B94",
    "um": "4H",
    "°C": "CEL",
}


def unit_id(code: str) -> int:
    """The number that OPC UA makes of a UNECE code: its characters as bytes.

    >>> unit_id("KWT")
    4937556
    """
    return int.from_bytes(code.encode(), "big")


def unit(text: str) -> ua.EUInformation:
    """EUInformation of a unit as the plant writes it; one that UNECE does not know has the id -1.

    >>> unit("kW").UnitId, unit("furlong").UnitId
    (4937556, -1)
    """
    code = _CODES.get(text)
    name = ua.LocalizedText(text)
    return ua.EUInformation(_NAMESPACE, unit_id(code) if code else -1, name, name)
