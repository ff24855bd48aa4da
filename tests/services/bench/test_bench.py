"""The bench as its users start it: a quick run beside asyncua, a cut link, and the page that is written."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from shopfloor.plant import ShopfloorError
from shopfloor.services.bench import ingest_page, outage, scenario
from shopfloor.services.bench.cache import Absent, Cache
from shopfloor.services.bench.ingest import summary
from shopfloor.services.bench.machine import facts
from shopfloor.services.bench.worker import WorkerFailed, started


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "shopfloor.services.cli", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)


def part(**more: Any) -> dict[str, Any]:
    row = {"scenario": "bulk", "client": "ours", "round": 1, "received": 10, "gaps": 0, "duplicates": 0, "load": 1.0}
    figures = {
        "values_per_s": 1000, "us_per_value": 0.5, "values_per_cpu_s": 2_000_000, "server_us_per_value": 0.4,
        "p50_ms": 10.0, "p99_ms": 20.0, "rss_mb": 100, "subscribe_s": 0.1, "ratio": 1.0, "expected": 10,
    }  # fmt: skip
    peer = {**row, **figures, "client": "asyncua iterator", "ratio": 30.0, "values_per_cpu_s": 66_000}
    rows = [{**row, **figures}, peer, {**row, "client": "o6", "absent": "o6 is not installed"}]
    del rows[2]["received"]
    listed = summary(rows, ("ours", "asyncua iterator", "o6"))
    return {"name": "bulk", "title": "Bulk", "bar": "much", "machine": facts(), "rows": rows, "summary": listed} | more


def test_a_quick_run_loses_nothing_and_is_five_times_as_fast_as_asyncua(tmp_path: Path) -> None:
    options = ["--quick", "--no-install", "--cache", str(tmp_path / "cache"), "--publish", str(tmp_path)]
    done = bench("ingest", *options, "--clients", "ours,asyncua iterator,node-opcua,o6")
    assert done.returncode == 0, done.stderr
    [measured] = json.loads((tmp_path / "ingest.json").read_text())["parts"]
    rows = {row["client"]: row for row in measured["summary"]}
    assert rows["ours"]["gaps"] == rows["ours"]["duplicates"] == 0
    assert rows["ours"]["received"] == pytest.approx(30_000, abs=5_000)
    assert rows["asyncua iterator"]["ratio"] >= 5
    assert "--peer-python" in rows["o6"]["absent"]
    assert rows["node-opcua"]["absent"]
    assert "o6 | not installed" in (tmp_path / "ingest.md").read_text()
    assert measured["machine"]["cores"] >= 1
    assert measured["command"].startswith("shopfloor bench ingest --quick")


def test_a_link_that_is_cut_costs_nothing(tmp_path: Path) -> None:
    done = bench(
        "outage", "--only", "columnar-cut-3", "--clients", "ours", "--scale", "0.4", "--publish", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    [measured] = json.loads((tmp_path / "outage.json").read_text())["parts"]
    [ours] = measured["summary"]
    assert ours["expected"] >= 50 * 5 * 4
    assert (ours["lost"], ours["twice"]) == (0, 0)
    assert ours["resume_s"] is not None


def test_a_page_keeps_the_parts_of_earlier_runs(tmp_path: Path) -> None:
    page = ingest_page.PAGE
    page.publish([part(name="plain", title="Plain")], tmp_path, "second")
    page.publish([part()], tmp_path, "first")
    page.publish([part(title="Bulk again")], tmp_path, "third")
    parts = json.loads((tmp_path / "ingest.json").read_text())["parts"]
    assert [(one["name"], one["title"], one["command"]) for one in parts] == [
        ("bulk", "Bulk again", "third"),
        ("plain", "Plain", "second"),
    ]
    text = (tmp_path / "ingest.md").read_text()
    assert "## Bulk again" in text
    assert "| **ours** |" in text
    assert "30.0" in text
    bars = ET.fromstring((tmp_path / "ingest.svg").read_text()).findall("{http://www.w3.org/2000/svg}rect")
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert len(widths) == 4
    assert widths[0] == pytest.approx(widths[1] * 2_000_000 / 66_000, rel=0.01)


def test_a_foreign_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ingest.json").write_text("[]")
    with pytest.raises(ShopfloorError, match="no results of the bench"):
        ingest_page.PAGE.publish([part()], tmp_path, "again")


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(ShopfloorError, match="no scenario 'bulky': choose from bulk, plain"):
        scenario.chosen("bulky", "", quick=False, seconds=1)
    with pytest.raises(ShopfloorError, match="no outage 'loud': choose from north-cut-3"):
        outage.chosen("loud")


def test_a_peer_that_is_missing_says_why(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="nothing-at-all is not installed, and this run installs nothing"):
        Cache(tmp_path, install=False).python("peer", ["nothing-at-all"])


def test_a_worker_that_dies_says_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('no such device', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(WorkerFailed, match="peer ended with 3: no such device"), started("peer", command, tmp_path):
        pass
