"""Our Sparkplug host without its network: bytes of DDATA messages to columns, in order, by the table of the births."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, Final

from shopfloor.gateway.sparkplug.host import Host
from shopfloor.gateway.sparkplug.options import SparkplugOptions
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.services.bench.tell import plan, say

_DOUBLE: Final = 10
_UINT64: Final = 8
_AT_ONCE: Final = 10
_DATA: Final = "spBv1.0/bench/DDATA/node/device"


def _host() -> Host:
    options = {"url": "mqtt://127.0.0.1", "assets": {"bench/node/device": "bench/load/line/cell/device"}}
    return Host("bench", SparkplugOptions(**options))


def _node_birth(now: int) -> bytes:
    payload = Payload(timestamp=now, seq=0)
    payload.metrics.add(name="bdSeq", timestamp=now, datatype=_UINT64, long_value=0)
    return bytes(payload.SerializeToString())


def _birth(count: int, now: int) -> bytes:
    payload = Payload(timestamp=now, seq=1)
    for index in range(count):
        payload.metrics.add(name=f"t{index}", alias=index + 1, timestamp=now, datatype=_DOUBLE, double_value=1.5)
    return bytes(payload.SerializeToString())


def _messages(count: int, now: int) -> Sequence[bytes]:
    """One message for each sequence number, beginning with the one that follows the births."""
    messages = []
    for number in range(256):
        payload = Payload(timestamp=now, seq=(number + 2) % 256)
        for index in range(count):
            payload.metrics.add(alias=index + 1, timestamp=now, double_value=1.5 + number + index)
        messages.append(bytes(payload.SerializeToString()))
    return messages


def _decode(host: Host, messages: Iterator[bytes], seconds: float) -> tuple[int, float, float]:
    """Values, CPU and time; what was decoded leaves as batches every ten messages, as it does in the source."""
    values, cpu, begun = 0, time.process_time(), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        now = time.time_ns()
        for _ in range(_AT_ONCE):
            host.take(_DATA, next(messages), now)
        values += sum(len(batch) for batch in host.columns.batches())
        host.settled.clear()
    return values, time.process_time() - cpu, time.perf_counter() - begun


def main(asked: dict[str, Any]) -> None:
    """Give birth, decode for a while, and say how many metrics that was."""
    now, host = time.time_ns() // 1_000_000, _host()
    host.take("spBv1.0/bench/NBIRTH/node", _node_birth(now), now * 1_000_000)
    host.take("spBv1.0/bench/DBIRTH/node/device", _birth(asked["metrics"], now), now * 1_000_000)
    messages = cycle(_messages(asked["metrics"], now))
    _decode(host, messages, 0.5)
    values, cpu, seconds = _decode(host, messages, asked["seconds"])
    if host.malformed:
        raise SystemExit(host.malformed_sentence)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    say("result", {"values": values, "cpu_s": cpu, "seconds": seconds, "rss": rss})


if __name__ == "__main__":
    main(plan())
