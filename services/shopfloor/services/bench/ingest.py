"""`shopfloor bench ingest`: ours beside its peers on the same loads, in interleaved rounds.

Every round runs every client once, so that a machine that is slow for a while is slow for all of them; what is
compared are ratios within a round, and the medians of the rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shopfloor.services.bench import loads, sparkplug
from shopfloor.services.bench.cache import Absent
from shopfloor.services.bench.clients import CLIENTS, Place, Subject
from shopfloor.services.bench.loads import Load
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.scenario import Scenario
from shopfloor.services.bench.worker import WorkerFailed

Row = dict[str, Any]
_WARM_S: Final = 3.0
_MEDIANS: Final = (
    "values_per_s", "us_per_value", "values_per_cpu_s", "server_us_per_value", "p50_ms", "p99_ms", "rss_mb",
    "subscribe_s", "ratio", "load",
)  # fmt: skip
_TOTALS: Final = ("expected", "received", "gaps", "duplicates")


@dataclass(slots=True)
class Ingest:
    """One run of the bench. A line for every client and round goes to stderr."""

    place: Place
    rounds: int
    warm_s: float = _WARM_S

    def run(self, scenario: Scenario) -> dict[str, Any]:
        """Measure one scenario; the answer is what the report keeps of it."""
        machine = facts()
        rows = self._with_one_load(scenario) if scenario.protocol == "opcua" else self._with_own_loads(scenario)
        return {
            "name": scenario.name,
            "title": scenario.title,
            "bar": scenario.bar,
            "machine": machine,
            "rounds": self.rounds,
            "rows": rows,
            "summary": summary(rows, scenario.clients),
        }

    def _with_one_load(self, scenario: Scenario) -> list[Row]:
        """Every client of every round reads the same server, one after the other."""
        rounds = range(1, self.rounds + 1)
        try:
            with loads.running(scenario, self._place(scenario, 0)) as load:
                return [row for number in rounds for row in self._round(scenario, number, load)]
        except (Absent, WorkerFailed) as problem:
            return [self._failed(name, scenario, 1, problem) for name in scenario.clients]

    def _round(self, scenario: Scenario, number: int, running: Load) -> list[Row]:
        return _with_ratios([self._safely(name, scenario, number, running) for name in scenario.clients])

    def _with_own_loads(self, scenario: Scenario) -> list[Row]:
        """A broker keeps a session for whoever has left: each client gets a broker of its own, and a decoder none."""
        rows: list[Row] = []
        for number in range(1, self.rounds + 1):
            rows += _with_ratios([self._alone(name, scenario, number) for name in scenario.clients])
        return rows

    def _alone(self, name: str, scenario: Scenario, number: int) -> Row:
        if scenario.protocol == "sparkplug":
            return self._safely(name, scenario, number, None)
        place = self._place(replace(scenario, name=f"{scenario.name}-{name}"), number)
        try:
            with loads.running(scenario, place) as running:
                return self._safely(name, scenario, number, running)
        except (Absent, WorkerFailed) as problem:
            return self._failed(name, scenario, number, problem)

    def _place(self, scenario: Scenario, number: int) -> Place:
        return replace(self.place, folder=self.place.folder / f"{scenario.name}-{number}")

    def _safely(self, name: str, scenario: Scenario, number: int, running: Load | None) -> Row:
        try:
            row = self._one(name, scenario, number, running)
        except (Absent, WorkerFailed) as problem:
            row = self._failed(name, scenario, number, problem)
        _say(row)
        return row

    def _one(self, name: str, scenario: Scenario, number: int, running: Load | None) -> Row:
        place = self._place(scenario, number)
        if running is None:
            measured = sparkplug.decode(name, place, scenario)
            return {**scenario.facts(), "client": name, "round": number, "load": load(), **measured}
        with CLIENTS[name](scenario, running.told, place) as subject:
            time.sleep(self.warm_s)
            before = running.worker.usage().cpu_s
            result = subject.measure(scenario.seconds)
            server = running.worker.usage().cpu_s - before
        return {
            **scenario.facts(), "client": name, "client_version": subject.version, "round": number, "load": load(),
            "server_version": running.version, **_figures(scenario, subject, result, server),
        }  # fmt: skip

    def _failed(self, name: str, scenario: Scenario, number: int, problem: Absent | WorkerFailed) -> Row:
        kind = "absent" if isinstance(problem, Absent) else "failed"
        return {**scenario.facts(), "client": name, "round": number, "load": load(), kind: str(problem)}


def _figures(scenario: Scenario, subject: Subject, result: Row, server: float) -> Row:
    values, cpu = result["values"], result["cpu_s"]
    return {
        "expected": round(scenario.rate * result["seconds"]),
        "received": values,
        "gaps": result["gaps"],
        "duplicates": result["duplicates"],
        "values_per_s": round(values / result["seconds"]),
        "us_per_value": round(cpu / values * 1e6, 3) if values else None,
        "values_per_cpu_s": round(values / cpu) if cpu else None,
        "server_us_per_value": round(server / values * 1e6, 2) if values else None,
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
        "rss_mb": result["rss_mb"],
        "subscribe_s": subject.voice.ready.get("subscribe_s"),
    }


def _with_ratios(rows: Sequence[Row]) -> list[Row]:
    """CPU per value as a multiple of ours in the same round."""
    ours = next((row.get("us_per_value") for row in rows if row["client"] == "ours"), None)
    for row in rows:
        cost = row.get("us_per_value")
        row["ratio"] = round(cost / ours, 2) if cost and ours else None
    return list(rows)


def summary(rows: Sequence[Row], clients: Sequence[str]) -> list[Row]:
    """One row for each client: medians of the rounds, and the sums of what came, was missing and came twice."""
    return [_of_client(name, [row for row in rows if row["client"] == name]) for name in clients]


def _of_client(name: str, rows: Sequence[Row]) -> Row:
    done = [row for row in rows if row.get("received")]
    answer: Row = {"client": name, "version": next((row.get("client_version", "") for row in done), "")}
    if not done:
        last = rows[-1] if rows else {}
        return {**answer, "absent": last.get("absent"), "failed": last.get("failed") or "nothing arrived"}
    answer |= {key: _median([row.get(key) for row in done]) for key in _MEDIANS}
    answer |= {key: sum(row.get(key) or 0 for row in done) for key in _TOTALS}
    failed = next((row["failed"] for row in rows if row.get("failed")), None)
    return {**answer, "rounds": len(done), "failed": failed}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 3) if known else None


def _say(row: Row) -> None:
    head = f"{row['scenario']:14} round {row['round']}  {row['client']:20}"
    if why := row.get("absent") or row.get("failed"):
        kind = "not installed" if row.get("absent") else "failed"
        sys.stderr.write(f"{head} {kind}: {why}\n")
        return
    cost = row["us_per_value"]
    sys.stderr.write(
        f"{head} {row['values_per_s']:>9,} values/s {cost if cost is not None else '-':>8} us/value"
        f"  gaps {row['gaps']:,}  load {row['load']}\n"
    )
