"""Metrics for Prometheus and whoever reads its text format, version 0.0.4.

Source: the exposition formats of the Prometheus documentation. The server writes some forty lines of it and reads none,
so it does so itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import psutil
from shopfloor.gateway.version import installed_version
from shopfloor.services.historian import SourceLedger
from shopfloor.services.historian.meters import BOUNDS, Meter, Meters

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
STATES: Final = ("ok", "full", "readonly", "failed", "damaged")
_COUNTED: Final = ("accepted", "stored", "rejected", "dropped", "repeated", "damaged", "missing")
_GAUGES: Final = {
    "rows": "Values in the store, in memory and in segments.",
    "bytes": "Size of all segments.",
    "segments": "Published segments.",
    "memory_rows": "Values that are safe in the log and not in a segment yet.",
    "log_bytes": "Size of the log and its write-ahead file.",
}
_TARGETS: Final = {
    "waiting": ("segments", "Segments that a server store has not taken yet."),
    "refused": ("values", "Values that a server store refused for good; they are set aside."),
}
_METERS: Final = {
    "append": "Time until a batch was durable, waiting included.",
    "flush": "Time to turn a memtable into segments and publish them.",
    "compaction": "Time to merge small segments into one and publish it.",
}


def text(stats: Mapping[str, Any], ledger: Iterable[SourceLedger], meters: Meters) -> str:
    """The whole answer of `GET /metrics`."""
    return "".join(
        f"{line}\n"
        for line in itertools.chain(
            _process(), _store(stats), _targets(stats["targets"]), _durations(meters), _ledger(ledger)
        )
    )


def _process() -> Iterator[str]:
    process = psutil.Process()
    times = process.cpu_times()
    yield from _head("shopfloor_build_info", "gauge", "The version of Shopfloor.")
    yield f"shopfloor_build_info{_labels(version=installed_version())} 1"
    yield from _one("process_resident_memory_bytes", "gauge", "Memory of the server.", process.memory_info().rss)
    yield from _one("process_cpu_seconds_total", "counter", "CPU of the server.", times.user + times.system)


def _store(stats: Mapping[str, Any]) -> Iterator[str]:
    for name, help_ in _GAUGES.items():
        yield from _one(f"shopfloor_store_{name}", "gauge", help_, stats[name])
    for name in ("oldest", "newest"):
        if stats[name] is not None:
            help_ = f"Time of the {name} value, in seconds since 1970."
            yield from _one(f"shopfloor_store_{name}_timestamp_seconds", "gauge", help_, stats[name] / 1e9)
    yield from _one("shopfloor_store_collapsed_total", "counter", "Values that were there already.", stats["collapsed"])
    yield from _one("shopfloor_store_damaged_parts", "gauge", "Files and batches not readable.", len(stats["damaged"]))
    yield from _head("shopfloor_store_state", "gauge", "1 for the state that the store is in.")
    for state in STATES:
        yield f"shopfloor_store_state{_labels(state=state)} {int(stats['state'] == state)}"


def _targets(targets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if targets:
        yield from _head("shopfloor_store_target_up", "gauge", "0 while a server store takes no values.")
        yield from (f"shopfloor_store_target_up{_labels(target=t['target'])} {int(not t['trouble'])}" for t in targets)
    for what, (unit, help_) in _TARGETS.items() if targets else ():
        name = f"shopfloor_store_target_{what}_{unit}"
        yield from _head(name, "gauge", help_)
        yield from (f"{name}{_labels(target=target['target'])} {target[what]}" for target in targets)


def _durations(meters: Meters) -> Iterator[str]:
    for name, help_ in _METERS.items():
        yield from _histogram(f"shopfloor_store_{name}_seconds", help_, getattr(meters, name))


def _histogram(name: str, help_: str, meter: Meter) -> Iterator[str]:
    reading = meter.read()
    yield from _head(name, "histogram", help_)
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), itertools.accumulate(reading.counts), strict=True):
        yield f"{name}_bucket{_labels(le=bound)} {count}"
    yield f"{name}_sum {reading.seconds!r}"
    yield f"{name}_count {reading.count}"


def _ledger(ledger: Iterable[SourceLedger]) -> Iterator[str]:
    rows = list(ledger)
    yield from _head(
        "shopfloor_ledger_values_total", "counter", "Values of a source of a gateway, by what became of them."
    )
    for row in rows:
        for what in _COUNTED:
            labels = _labels(gateway=row.gateway, source=row.source, what=what)
            yield f"shopfloor_ledger_values_total{labels} {getattr(row, what)}"
    yield from _head("shopfloor_ledger_balanced", "gauge", "1 while the account of a source adds up.")
    for row in rows:
        yield f"shopfloor_ledger_balanced{_labels(gateway=row.gateway, source=row.source)} {int(row.balanced)}"


def _one(name: str, kind: str, help_: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, help_)
    yield f"{name} {value!r}"


def _head(name: str, kind: str, help_: str) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"


def _labels(**labels: str) -> str:
    r"""Labels in braces, escaped.

    >>> _labels(source='a "b"\n')
    '{source="a \\"b\\"\\n"}'
    """
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
