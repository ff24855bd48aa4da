"""`shopfloor bench store` as its users start it, beside the peers that are installed; ratios are not judged here."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from shopfloor.plant import ShopfloorError
from shopfloor.services.bench.store import run
from shopfloor.services.bench.store.large import sized

QUESTIONS = ("Q1", "Q2", "Q2b", "Q3", "Q4", "Q4r", "Q5")
SERVERS = {"victoriametrics": "victoria-metrics", "influxdb": "influxd"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "shopfloor.services.cli", "bench", "store", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=340)


def parts(folder: Path) -> dict[str, Any]:
    return {part["name"]: part for part in json.loads((folder / "store.json").read_text())["parts"]}


@pytest.mark.timeout(360)
def test_every_store_takes_the_same_rows_and_gives_the_same_answers(tmp_path: Path) -> None:
    done = bench("--quick", "--only", "ingest,disk,queries", "--publish", str(tmp_path))
    assert done.returncode == 0, done.stderr
    measured = parts(tmp_path)
    taken = {row["store"]: row for row in measured["ingest"]["summary"]}
    held = {row["store"]: row for row in measured["disk"]["summary"]}
    assert list(taken) == ["ours", "duckdb", "victoriametrics", "influxdb"]
    for name, row in taken.items():
        if name in SERVERS and shutil.which(SERVERS[name]) is None and os.environ.get("CI") != "true":
            assert row["absent"] == held[name]["absent"] == f"{SERVERS[name]} is not installed"
            continue
        assert row["rows_per_cpu_s"] > 0, row
        assert row["ratio"] > 0
        assert held[name]["rows_held"] == held["ours"]["rows_held"] > 200_000
        assert 0.5 < held[name]["bytes_per_row"] < 60
    asked = {row["question"]: row for row in measured["queries"]["summary"]}
    assert {name: row["differs"] for name, row in asked.items()} == {name: [] for name in QUESTIONS}
    assert [asked[name]["n"] for name in ("Q1", "Q2", "Q2b", "Q3", "Q4", "Q5")] == [10_301, 900, 500, 960, 10, 24]
    text = (tmp_path / "store.md").read_text()
    assert "## Durable ingest" in text
    assert "(of 2018)" in text
    assert (tmp_path / "store.svg").exists()


def test_ours_is_read_while_it_takes_values_and_opens_again(tmp_path: Path) -> None:
    done = bench("--quick", "--only", "reads,memory,large", "--stores", "ours", "--publish", str(tmp_path))
    assert done.returncode == 0, done.stderr
    measured = parts(tmp_path)
    [reads], [memory], [large] = (measured[name]["summary"] for name in ("reads", "memory", "large"))
    assert reads["rows_per_s"] > 0
    assert len(measured["memory"]["samples"]) == 2
    assert 0 < memory["second_mb"] <= memory["most_mb"]
    assert large["rows_held"] > 200_000
    assert large["open_s"] > 0
    assert {row["question"] for row in measured["large"]["questions"]} >= {"Q1", "Q5"}
    assert "opens in s" in (tmp_path / "store.md").read_text()


def test_the_big_set_is_as_big_as_was_asked() -> None:
    data = sized(300_000_000)
    rows = 20 * data.days * 86_400 + 100 * data.hours * 3_600 + data.plant_s * 30_000
    assert rows == pytest.approx(300_000_000, abs=30_000)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--only=ingst", "There is no part 'ingst': choose from ingest, disk, queries, reads, memory, large"),
        ("--stores=tsdb", "There is no store 'tsdb': choose from ours, duckdb, victoriametrics, influxdb"),
        ("--rows=many", "--rows 'many' is no number of rows: write it as in 300M"),
    ],
)
def test_unknown_words_are_answered_with_the_known_ones(option: str, sentence: str, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    with pytest.raises(ShopfloorError, match=re.escape(sentence)):
        run.Run.of(parser.parse_args([option]), tmp_path)
