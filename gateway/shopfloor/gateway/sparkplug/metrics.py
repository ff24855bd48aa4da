"""The metrics of our own edge node: what it says at birth, and values as payloads."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.gateway.sparkplug.datatypes import DataType, field_of
from shopfloor.gateway.sparkplug.encode import put
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.plant import Batch, Kind, Sample
from shopfloor.plant.contracts import Plant, Scalar
from shopfloor.plant.quality import Severity, is_backfilled

REBIRTH: Final = "Node Control/Rebirth"
_TYPES: Final = {Kind.FLOAT: DataType.DOUBLE, Kind.INT: DataType.INT64, Kind.TEXT: DataType.STRING}
_QUALITIES: Final = {Severity.GOOD: 192, Severity.UNCERTAIN: 500, Severity.BAD: 0}
_MS: Final = 1_000_000


@dataclass(slots=True)
class Known:
    """One tag as a metric: its number, its device, and the newest value there was."""

    alias: int
    device: str
    name: str
    path: str
    code: DataType
    last: Sample | None = None


@dataclass(slots=True)
class Metrics:
    """Every tag that this node reports, by path and by device. One asset is one device."""

    by_path: dict[str, Known] = field(default_factory=dict)
    devices: dict[str, list[Known]] = field(default_factory=dict)
    by_alias: dict[int, Known] = field(default_factory=dict)

    @classmethod
    def of(cls, plant: Plant, paths: Sequence[str]) -> Metrics:
        """The metrics of the tags that the plant file declares."""
        metrics = cls()
        for path in paths:
            tag = plant.tag(path)
            metrics._add(path, tag.kind if tag else Kind.FLOAT)
        return metrics

    def take(self, batch: Batch) -> set[str]:
        """Note the newest values of a batch; answers the devices that have a metric that no birth has named yet."""
        fresh = set()
        for name in batch.names:
            if name not in self.by_path:
                fresh.add(self._add(name, batch.kind).device)
        for sample in batch:
            known = self.by_path[sample.tag]
            if known.last is None or sample.time >= known.last.time:
                known.last = sample
        return fresh

    def find(self, device: str, metric: Any) -> Known | None:
        """The metric that a command means, by its alias or its name."""
        if metric.HasField("alias"):
            known = self.by_alias.get(metric.alias)
            return known if known is not None and known.device == device else None
        return next((one for one in self.devices.get(device, ()) if one.name == metric.name), None)

    def _add(self, path: str, kind: Kind) -> Known:
        asset, _, name = path.rpartition("/")
        known = Known(len(self.by_path) + 1, device_of(asset), name, path, _TYPES[kind])
        self.by_path[path] = self.by_alias[known.alias] = known
        self.devices.setdefault(known.device, []).append(known)
        return known


def device_of(asset: str) -> str:
    """The device id of an asset: its path, which may hold no '/' there.

    >>> device_of("north/stamping/line-1/cell-1/press-1")
    'north:stamping:line-1:cell-1:press-1'
    """
    return asset.replace("/", ":")


def node_birth(bdseq: int) -> bytes:
    """The NBIRTH: its sequence number is 0, and rebirth has no alias."""
    now = time.time_ns() // _MS
    payload = Payload(timestamp=now, seq=0)
    payload.metrics.add(name="bdSeq", timestamp=now, datatype=DataType.INT64, long_value=bdseq)
    payload.metrics.add(name=REBIRTH, timestamp=now, datatype=DataType.BOOLEAN, boolean_value=False)
    return bytes(payload.SerializeToString())


def node_death(bdseq: int) -> bytes:
    """The NDEATH: the number of the session and nothing else."""
    now = time.time_ns() // _MS
    payload = Payload(timestamp=now)
    payload.metrics.add(name="bdSeq", timestamp=now, datatype=DataType.INT64, long_value=bdseq)
    return bytes(payload.SerializeToString())


def device_birth(metrics: list[Known], seq: int) -> bytes:
    """The DBIRTH: name, alias, data type and current value of every metric; null where there is none yet."""
    payload = Payload(timestamp=time.time_ns() // _MS, seq=seq)
    for known in metrics:
        metric = payload.metrics.add(name=known.name, alias=known.alias, datatype=known.code)
        if known.last is None:
            metric.timestamp, metric.is_null = payload.timestamp, True
        else:
            _fill(metric, known, known.last)
    return bytes(payload.SerializeToString())


def data(samples: list[tuple[Known, Sample]], seq: int, *, historical: bool) -> bytes:
    """A DDATA: aliases, times and values."""
    payload = Payload(timestamp=time.time_ns() // _MS, seq=seq)
    for known, sample in samples:
        metric = payload.metrics.add(alias=known.alias)
        if historical or is_backfilled(sample.quality):
            metric.is_historical = True
        _fill(metric, known, sample)
    return bytes(payload.SerializeToString())


def by_device(batch: Batch, metrics: Metrics, most: int) -> Iterator[tuple[str, list[tuple[Known, Sample]]]]:
    """The samples of a batch for each device, at most so many at once."""
    groups: dict[str, list[tuple[Known, Sample]]] = {}
    for sample in batch:
        known = metrics.by_path[sample.tag]
        groups.setdefault(known.device, []).append((known, sample))
    for device, samples in groups.items():
        for start in range(0, len(samples), most):
            yield device, samples[start : start + most]


def _fill(metric: Any, known: Known, sample: Sample) -> None:
    metric.timestamp = sample.time // _MS
    severity = Severity.of(sample.quality)
    if severity is not Severity.GOOD:
        metric.properties.keys.append("Quality")
        metric.properties.values.add(type=DataType.INT32, int_value=_QUALITIES[severity])
    if isinstance(sample.value, float) and math.isnan(sample.value):
        metric.is_null = True
        return
    try:
        put(metric, known.code, sample.value)
    except ValueError:
        metric.is_null = True


def value_in(metric: Any, known: Known) -> Scalar | None:
    """The value of a command, or None when it is none of the metric's type."""
    field_name = metric.WhichOneof("value")
    if field_name != field_of(known.code):
        return None
    value: Scalar = getattr(metric, field_name)
    if known.code is DataType.INT64 and isinstance(value, int) and value >= 2**63:
        return value - 2**64
    return value
