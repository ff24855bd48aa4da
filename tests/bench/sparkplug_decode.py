# ruff: noqa: T201 (a program for people)
"""What Sparkplug payloads cost: `python tests/bench/sparkplug_decode.py [rounds]`, CPU time, rounds interleaved.

Payloads of 200 metrics with aliases. `ours`: from bytes to batches. `subset`: the same where every payload holds other
metrics than those before, so that no form is known. `asking`: protobuf and a question for the type of each value, which
gives a list of (alias, time, value).
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from shopfloor.gateway.sparkplug.arrival import Arrival
from shopfloor.gateway.sparkplug.columns import Columns, Paths
from shopfloor.gateway.sparkplug.datatypes import DataType, field_of
from shopfloor.gateway.sparkplug.decode import decode
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.gateway.sparkplug.plans import Slot
from shopfloor.gateway.sparkplug.table import Table

METRICS = 200
KNOWN = 1_000
START = 1_700_000_000_000
MIXED = (DataType.DOUBLE, DataType.INT32, DataType.BOOLEAN, DataType.INT64)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"{METRICS} metrics a payload; load {os.getloadavg()[0]:.1f}; median of {rounds} rounds")
    for name, codes in (("doubles", (DataType.DOUBLE,)), ("mixed types", MIXED)):
        for what, costs in measured(codes, rounds).items():
            cost = statistics.median(costs)
            print(f"{name:12} {what:12} {cost * 1e9:7.0f} ns a metric {1e-6 / cost:6.2f} M metrics per CPU-second")


def measured(codes: tuple[DataType, ...], rounds: int) -> dict[str, list[float]]:
    rng = random.Random(7)
    same = [payload(codes, list(range(METRICS)), rng, n) for n in range(50)]
    other = [payload(codes, sorted(rng.sample(range(KNOWN), METRICS)), rng, n) for n in range(50 * rounds)]

    works: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
        "ours": (ours(codes), same), "subset": (ours(codes), other), "asking": (asking, same)
    }  # fmt: skip
    costs: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, (work, payloads) in works.items():
            costs[name].append(cost(work, payloads[:50]))
        del other[:50]
    return costs


def ours(codes: tuple[DataType, ...]) -> Callable[[bytes], Any]:
    table, columns = world(codes)

    def work(data: bytes) -> Any:
        decode(Arrival(data, 0, table.layout("d", data)), table, "d", columns)
        return list(columns.batches())

    return work


def world(codes: tuple[DataType, ...]) -> tuple[Table, Columns]:
    paths, table = Paths(), Table()
    for n in range(KNOWN):
        path, code = f"a/b/c/d/e/m{n}", codes[n % len(codes)]
        table.add(Slot("d", f"m{n}", paths.number(path), path, code, field_of(code), n + 1))
    return table, Columns(paths)


def payload(codes: tuple[DataType, ...], chosen: list[int], rng: random.Random, seq: int) -> bytes:
    made = Payload(timestamp=START + seq, seq=seq)
    for n in chosen:
        code = codes[n % len(codes)]
        value = {
            DataType.DOUBLE: rng.random(),
            DataType.INT32: 1_000 + n + seq,
            DataType.BOOLEAN: rng.random() < 0.5,
            DataType.INT64: 10**9 + n + seq,
        }[code]
        made.metrics.add(alias=n + 1, timestamp=START + seq + n, **{field_of(code): value})
    return bytes(made.SerializeToString())


def asking(data: bytes) -> list[Any]:
    metrics = Payload.FromString(data).metrics
    return [(one.alias, one.timestamp, getattr(one, one.WhichOneof("value"))) for one in metrics]


def cost(work: Callable[[bytes], Any], payloads: list[bytes]) -> float:
    start = time.process_time()
    for data in payloads:
        work(data)
    return (time.process_time() - start) / len(payloads) / METRICS


if __name__ == "__main__":
    main()
