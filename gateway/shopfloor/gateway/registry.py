"""Finding connectors: those that are installed (entry points `shopfloor.connectors`) and those that ship."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final, cast

from shopfloor.plant import ConfigError
from shopfloor.plant.contracts import Connector

GROUP: Final = "shopfloor.connectors"
_SHIPPED: Final = {
    "opcua": "shopfloor.gateway.opcua",
    "mqtt": "shopfloor.gateway.mqtt",
    "modbus": "shopfloor.gateway.modbus",
    "sparkplug": "shopfloor.gateway.sparkplug",
    "recording": "shopfloor.gateway.recording",
}


def kinds() -> list[str]:
    """Every kind of source that can be used here.

    >>> {"opcua", "mqtt", "recording"} <= set(kinds())
    True
    """
    return sorted({*_SHIPPED, *(point.name for point in entry_points(group=GROUP))})


def connector(kind: str) -> Connector:
    """The connector of a kind; `ConfigError` names the ones there are."""
    if kind in _SHIPPED:
        return cast("Connector", import_module(_SHIPPED[kind]).CONNECTOR)
    for point in entry_points(group=GROUP, name=kind):
        return cast("Connector", point.load())
    near = difflib.get_close_matches(kind, kinds(), 1)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(kinds())}."
    raise ConfigError(f"No connector of kind {kind!r} is installed: {hint}")
