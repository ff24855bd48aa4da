"""The page of `shopfloor bench store`: what is missing, what failed and who answers otherwise is said."""

from __future__ import annotations

from typing import Any

from shopfloor.services.bench.machine import facts
from shopfloor.services.bench.store.page import PAGE, table
from shopfloor.services.bench.store.questions import Answer

OURS = {
    "store": "ours", "version": "1", "rows_per_cpu_s": 1_200_000, "ratio": 1.0, "bar": 1_000_000, "p99_ms": 20.0,
    "taken_per_cpu_s": 2_000_000, "rows_per_s": 400_000, "p50_ms": 10.0, "max_ms": 30.0, "peak_mb": 200,
}  # fmt: skip
PEER = {**OURS, "store": "influxdb", "version": "1.6.7", "rows_per_cpu_s": 300_000, "ratio": 4.0, "bar": 3.0}
ABSENT = {"store": "victoriametrics", "absent": "victoria-metrics is not installed"}
FAILED = {"store": "duckdb", "failed": "duckdb failed: IOException: disk | full"}


def part(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "title": name, "bar": "much", "machine": facts(), "summary": [], **more}


def test_ratio_bar_and_age_stand_beside_each_other() -> None:
    lines = table(part("ingest", summary=[OURS, FAILED, ABSENT, PEER])).splitlines()
    assert lines[2].startswith("| **ours** 1 | 1,200,000 | 1 | 1 M |")
    assert lines[3].startswith("| DuckDB | failed (duckdb failed: IOException: disk / full) |")
    assert lines[4].startswith("| VictoriaMetrics (of 2022) | not installed (victoria-metrics is not installed) |")
    assert lines[5].startswith("| InfluxDB 1.6.7 (of 2018) | 300,000 | 4.0 | 3 x |")
    assert len({line.count("|") for line in lines}) == 1


def test_a_store_that_answers_otherwise_is_named() -> None:
    asked = {
        "question": "Q2", "title": "one tag", "n": 3, "total": 1.0, "differs": ["influxdb"],
        "cpu_ms": {"ours": 2.0, "influxdb": 10.0}, "wall_ms": {"ours": 3.0, "influxdb": 11.0},
    }  # fmt: skip
    queries = part("queries", versions={"ours": "1", "influxdb": "1.6.7"}, summary=[asked])
    assert table(queries).splitlines()[-1] == "| Q2 one tag | 2.00 (3.0) | 10.00 (11.0) | 5.0 | influxdb |"
    assert Answer(3, 0.1 + 0.2).agrees(Answer(3, 0.3))
    assert not Answer(3, 0.3).agrees(Answer(2, 0.3))
    assert not Answer(3, 0.3).agrees(Answer(3, 0.3001))


def test_the_chart_has_a_bar_for_every_store_that_was_measured() -> None:
    assert PAGE.chart is not None
    assert PAGE.chart([part("ingest", summary=[OURS, ABSENT, PEER])]).count("<rect") == 2
    assert PAGE.chart([part("memory")]) == ""
