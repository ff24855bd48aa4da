"""Decoding Sparkplug B: how many metrics a CPU-second reads, message after message, without any network."""

from __future__ import annotations

from typing import Any, Final

from shopfloor.services.bench.cache import Absent
from shopfloor.services.bench.clients import PEERS, Place
from shopfloor.services.bench.machine import version, version_in
from shopfloor.services.bench.scenario import Scenario
from shopfloor.services.bench.worker import module, started

_PYSPARKPLUG: Final = ("pysparkplug==0.6.1",)


def decode(name: str, place: Place, scenario: Scenario) -> dict[str, Any]:
    """Run one decoder for the seconds of the scenario; the answer has the columns of the report."""
    seconds = str(scenario.seconds)
    if name == "ours":
        command = module("peers.sparkplug_ours", {"metrics": scenario.items, "seconds": scenario.seconds})
        number = version("shopfloor")
    elif name == "pysparkplug":
        python = place.cache.python("pysparkplug", _PYSPARKPLUG)
        script = str(PEERS / "sparkplug_pysparkplug.py")
        command, number = [str(python), script, str(scenario.items), seconds], version_in(python, "pysparkplug")
    else:
        raise Absent(f"no decoder is called {name}")
    with started(name, command, place.folder, announces=False) as worker:
        result = worker.hear("result", 60 + scenario.seconds)
    values, cpu = result["values"], result["cpu_s"]
    return {
        "client_version": number, "received": values, "expected": values, "gaps": 0, "duplicates": 0,
        "values_per_s": round(values / result["seconds"]), "us_per_value": round(cpu / values * 1e6, 3),
        "values_per_cpu_s": round(values / cpu), "rss_mb": round(result["rss"] / 1e6),
    }  # fmt: skip
