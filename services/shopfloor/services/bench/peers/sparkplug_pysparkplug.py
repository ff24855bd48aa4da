"""pysparkplug's decoder: bytes of a DDATA message to its payload object, aliases resolved by the birth."""

from __future__ import annotations

import json
import resource
import sys
import time


def main() -> None:
    """Decode for a while, and say how many metrics that was."""
    from pysparkplug import DataType, DBirth, DData, Metric

    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    now = time.time_ns() // 1_000_000
    names = [f"line/cell/device/t{index}" for index in range(count)]
    metrics = tuple(Metric(now, name, DataType.DOUBLE, value=1.5, alias=i) for i, name in enumerate(names))
    birth = DBirth(timestamp=now, seq=1, metrics=metrics)
    values = tuple(Metric(now, None, DataType.DOUBLE, value=1.5 + i, alias=i) for i in range(count))
    message = DData(timestamp=now, seq=2, metrics=values).encode()
    for _ in range(50):
        DData.decode(message, birth=birth)
    messages, cpu, begun = 0, time.process_time(), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        DData.decode(message, birth=birth)
        messages += 1
    used, took = time.process_time() - cpu, time.perf_counter() - begun
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {"values": messages * count, "cpu_s": used, "seconds": took, "rss": rss}
    sys.stdout.write(f"result {json.dumps(result)}\n")


if __name__ == "__main__":
    main()
