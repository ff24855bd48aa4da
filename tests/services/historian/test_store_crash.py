"""kill -9 at any moment: what was acknowledged is there, once and whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from shopfloor.services.historian import Historian, Options

CHILD = Path(__file__).with_name("crash_child.py")
ROWS = 500
ROUNDS = int(os.environ.get("SHOPFLOOR_CRASH_ROUNDS", "4"))
SEED = int(os.environ.get("SHOPFLOOR_CRASH_SEED", "20260"))
TAGS = tuple(f"delta/area/line/cell/asset/t{i}" for i in range(5))


def run_and_kill(
    folder: Path, flow: tuple[int, float], firsts: list[int], until: tuple[str, int], delay: float
) -> dict[str, int]:
    """Start the child, wait until it has told something so often, kill it after a delay.

    Answers the last acknowledged sequence of each gateway.
    """
    acknowledged = {f"edge-{number}": first - 1 for number, first in enumerate(firsts, 1)}
    command = [sys.executable, str(CHILD), str(folder), *map(str, flow), *map(str, firsts)]
    word, times = until
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        killer: threading.Timer | None = None
        for line in child.stdout:
            if not line.endswith("\n"):
                continue
            told, sequence = line.split()
            if told != "compaction":
                acknowledged[told] = int(sequence)
            times -= told.startswith(word)
            if times == 0 and killer is None:
                killer = threading.Timer(delay, child.kill)
                killer.start()
        assert killer is not None, "the child ended by itself"
        killer.join()
    return acknowledged


def stored_batches(store: Historian) -> dict[str, list[int]]:
    """Sequences found per gateway, after checking that each is whole."""
    table = store.reader.read(TAGS, 0, 2**62, columns=("time", "value"))
    gateway = table.column("time").cast(pa.int64()).to_numpy() % 2
    found = {}
    for number in (0, 1):
        sequences, rows = np.unique(table.column("value").to_numpy()[gateway == number], return_counts=True)
        assert set(rows.tolist()) <= {ROWS}, "a batch is torn"
        found[f"edge-{number + 1}"] = [int(sequence) for sequence in sequences]
    return found


@pytest.mark.parametrize(
    ("flow", "word", "most", "delay"),
    [((4, 0.0), "edge", 60, 0.1), ((2, 0.05), "compaction", 4, 0.03)],
    ids=["at any moment", "in a compaction"],
)
def test_acknowledged_batches_survive_a_kill(
    tmp_path: Path, flow: tuple[int, float], word: str, most: int, delay: float
) -> None:
    chance = random.Random(SEED)
    firsts = [1, 1]
    for _ in range(ROUNDS):
        moment = (word, chance.randrange(1, most))
        acknowledged = run_and_kill(tmp_path, flow, firsts, moment, chance.random() * delay)
        began = time.monotonic()
        with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
            assert time.monotonic() - began < 10
            found = stored_batches(store)
            for number, (gateway, last) in enumerate(acknowledged.items()):
                assert found[gateway] == list(range(1, len(found[gateway]) + 1)), "a batch is missing"
                assert last <= len(found[gateway]) <= last + 1, "only the batch in flight may be there unacknowledged"
                firsts[number] = len(found[gateway]) + 1
            for account in store.ledger():
                assert account.balanced
                assert account.stored == ROWS * len(found[account.gateway])
            assert store.stats()["state"] == "ok"
            assert store.stats()["collapsed"] == 0
    assert list(tmp_path.glob("day=*/*.parquet")), "the rounds never reached a flush"
