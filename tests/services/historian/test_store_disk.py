"""A disk that is full or read-only: nothing more is taken, everything is readable, and it goes on by itself."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from shopfloor.plant import Batch, SinkUnavailable, StoreError
from shopfloor.services.historian import Historian, Options

TAG = "delta/area/line/cell/asset/power"
SIZE = 44_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk needs root and the right to mount a tmpfs")
    yield disk
    subprocess.run(["umount", disk], check=True)


def noise(sequence: int, rows: int = 20_000) -> Batch:
    generator = np.random.default_rng(sequence)
    time_ = 1_700_000_000_000_000_000 + (sequence * rows + np.arange(rows, dtype=np.int64)) * 1_000
    return Batch((TAG,), np.zeros(rows, np.int32), time_, generator.normal(size=rows), np.zeros(rows, np.uint32))


def fill(store: Historian) -> tuple[int, str]:
    """Ingest until the store refuses; answers the last stored sequence and the sentence."""
    for sequence in range(1, 1000):
        try:
            store.ingest("edge", sequence, "s", sequence * 20_000, noise(sequence))
        except SinkUnavailable as problem:
            return sequence - 1, str(problem)
    raise AssertionError("1000 batches fitted on a small disk")


def accepts(store: Historian, sequence: int) -> bool:
    try:
        return store.ingest("edge", sequence, "s", sequence * 20_000, noise(sequence)).values == 20_000
    except SinkUnavailable:
        return False


def until(happens: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("reserve", [0, 6_000_000])
def test_a_full_disk_stops_the_store_until_there_is_space(small_disk: Path, reserve: int) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(20_000_000))
    options = Options(reserve_bytes=reserve, flush_rows=100_000, patience_s=0.5)
    with Historian.open(small_disk / "store", options=options) as store:
        last, sentence = fill(store)
        assert "free space, then it goes on by itself" in sentence
        assert store.stats()["state"] == "full"
        assert store.reader.read([TAG], 0, 2**62, columns=("time",)).num_rows == last * 20_000
        ballast.unlink()
        until(lambda: accepts(store, last + 1))
        until(lambda: bool(store.stats()["state"] == "ok"))
        assert store.reader.read([TAG], 0, 2**62, columns=("time",)).num_rows == (last + 1) * 20_000
        assert all(account.balanced for account in store.ledger())
    with Historian.open(small_disk / "store", options=options) as store:
        assert store.reader.read([TAG], 0, 2**62, columns=("time",)).num_rows == (last + 1) * 20_000


def test_a_read_only_disk_is_one_sentence(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreError, match=r"cannot be written .*: give the store a folder it may write"):
        Historian.open(small_disk / "store")


def test_no_space_left_for_the_segments_is_refused_before_the_disk_is_full(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=Options(reserve_bytes=2**62)) as store:
        with pytest.raises(SinkUnavailable, match="bytes left"):
            store.ingest("edge", 1, "s", 20_000, noise(1))
        assert store.stats()["state"] == "full"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="give the store a folder it may write"):
        Historian.open(tmp_path / "file" / "store")
