"""What a birth says of its metrics, put into the table of the node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shopfloor.gateway.sparkplug.columns import Columns
from shopfloor.gateway.sparkplug.datatypes import COMPOUND, field_of, known
from shopfloor.gateway.sparkplug.decode import fits
from shopfloor.gateway.sparkplug.names import Names
from shopfloor.gateway.sparkplug.plans import Slot
from shopfloor.gateway.sparkplug.table import Table
from shopfloor.plant import PathError


def explain(
    metrics: Iterable[Any], device: str, address: str, table: Table, names: Names, columns: Columns
) -> Iterator[str]:
    """Note every metric of a birth; yields a sentence for each that cannot be used."""
    taken = {slot.path for slot in table.slots if slot.tag >= 0}
    for metric in metrics:
        code = metric.datatype
        if not metric.name or not known(code):
            table.add(Slot(device, metric.name, -1, "", code, "", metric.alias if metric.HasField("alias") else None))
            what = f"the data type {code}, which is none of Sparkplug 3.0" if metric.name else "no name"
            yield f"the metric {metric.name or metric.alias!r} of {address} has {what}"
        else:
            slot = _slot(metric, device, address, names)
            other = table.disown(slot.alias) if slot.alias is not None else None
            if other is not None:
                yield f"the metrics {other.metric!r} and {metric.name!r} of {address} share the alias {slot.alias}"
                slot.alias = None
            if slot.path and slot.path in taken:
                yield f"two metrics of {address} would be the tag {slot.path}: name them by 'tags'"
                slot.path = ""
            slot.tag = columns.paths.number(slot.path) if slot.path else -1
            taken.add(slot.path)
            table.add(slot)


def _slot(metric: Any, device: str, address: str, names: Names) -> Slot:
    field = metric.WhichOneof("value") or field_of(metric.datatype)
    if metric.datatype not in COMPOUND and not fits(metric.datatype, field):
        field = field_of(metric.datatype)
    alias = metric.alias if metric.HasField("alias") else None
    return Slot(device, metric.name, -1, _path(address, metric.name, names), metric.datatype, field, alias)


def _path(address: str, metric: str, names: Names) -> str:
    try:
        return names.tag(address, metric) or ""
    except PathError:
        return ""
