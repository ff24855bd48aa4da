"""Bad pages of a store's database: what can be read of it is saved, and what cannot is named, exactly."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from shopfloor.plant import Batch, StoreError
from shopfloor.services.cli import main
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.care.repair import Repaired, repair

TAGS = tuple(f"delta/area/line/cell/asset/tag {i:03d} {'x' * 60}" for i in range(300))
FIRST, ROWS, FLUSHED, LOGGED = 20_000 * 86_400 * 10**9, 1_500, 6, 24
PAGE = 16_384
LAST = FLUSHED + LOGGED
OPTIONS = Options(reserve_bytes=0, group_rows=500, compact_segments=100, flush_age_s=10_000)


def batch(sequence: int) -> Batch:
    row = np.arange(ROWS)
    time = FIRST + sequence * 60 * 10**9 + row * 10**7
    return Batch(TAGS, (row % 300).astype(np.int32), time, np.full(ROWS, float(sequence)), np.zeros(ROWS, np.uint32))


def put(store: Historian, sequence: int) -> None:
    store.ingest("edge", sequence, f"s{sequence % 2}", ROWS * (sequence + 1) // 2, batch(sequence))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with six segments and 24 batches in its log, each over several pages."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    with Historian.open(folder, options=OPTIONS) as store:
        for sequence in range(1, FLUSHED + 1):
            put(store, sequence)
            store.flush()
        for sequence in range(FLUSHED + 1, LAST + 1):
            put(store, sequence)
    with closing(sqlite3.connect(folder / "log.db")) as db:
        assert db.execute("PRAGMA page_size").fetchone() == (PAGE,)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("day=*/*"))}


def spoil(file: Path, page: int, damage: str) -> bytes:
    data = bytearray(file.read_bytes())
    start, end = page * PAGE + (100 if page == 0 else 0), (page + 1) * PAGE
    flipped = bytes(byte ^ 0x10 for byte in data[start : start + 12]) + data[start + 12 : end]
    noise = np.random.default_rng(page).bytes(end - start)
    data[start:end] = {"zeros": bytes(end - start), "noise": noise, "bits": flipped}[damage]
    file.write_bytes(data)
    return bytes(data)


def named(said: Repaired) -> set[int]:
    """Sequences that the sentences name."""
    found: set[int] = set()
    for sentence in said.lost:
        for first, last in re.findall(r"batch(?:es)? (\d+)(?: to (\d+))? of gateway edge", sentence):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def counts(store: Historian) -> dict[int, int]:
    value, count = np.unique(store.reader.read(store.reader.tags(), 0, 2**62)["value"].to_numpy(), return_counts=True)
    return dict(zip(value.astype(int).tolist(), count.tolist(), strict=True))


@pytest.mark.parametrize("damage", ["zeros", "noise", "bits"])
def test_each_batch_is_there_or_named_whichever_page_is_bad(whole: Path, tmp_path: Path, damage: str) -> None:
    lost = repaired = 0
    for page in range(1, pages(whole), 2 if damage == "zeros" else 5):
        said, gone = check(whole, tmp_path / f"{page}", [page], damage)
        lost += len(gone)
        repaired += said.aside is not None
    assert lost > 0
    assert repaired > 5


def test_several_bad_pages_are_named_or_it_is_said_that_more_may_be_lost(whole: Path, tmp_path: Path) -> None:
    rng = random.Random(7)
    for turn in range(12):
        check(whole, tmp_path / f"{turn}", rng.sample(range(1, pages(whole)), 4), "noise")


def pages(folder: Path) -> int:
    return (folder / "log.db").stat().st_size // PAGE


def check(whole: Path, folder: Path, bad: list[int], damage: str) -> tuple[Repaired, set[int]]:
    """Spoil pages of a copy, repair it, and go on with it; answers what was said, and which batches are gone."""
    shutil.copytree(whole, folder)
    for page in bad:
        spoil(folder / "log.db", page, damage)
    before, spoilt = files(folder), (folder / "log.db").read_bytes()
    said = repair(folder, "now")
    assert files(folder) == before, "segments are not touched"
    assert said.aside is None or (said.aside / "log.db").read_bytes() == spoilt
    with Historian.open(folder, options=OPTIONS) as store:
        found, gone = counts(store), named(said) | damaged(store)
        assert files(folder) == before, "the start lists every file"
        assert set(found.values()) <= {ROWS}, bad
        assert not set(found) & gone, bad
        unknown = any("not even the gateway is known" in one for one in said.lost)
        assert unknown or set(found) | gone == set(range(1, LAST + 1)), bad
        assert unknown or len(bad) > 1 or set(found) >= set(range(1, FLUSHED + 1)), "what lies in segments is there"
        put(store, LAST + 1)
        assert LAST + 1 in counts(store)
    shutil.rmtree(folder)
    return said, gone


def test_the_command_says_what_is_lost_and_keeps_the_damaged_files(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder = tmp_path / "data", tmp_path / "data" / "store"
    shutil.copytree(whole, folder)
    command = ["repair", "--data", str(data)]
    assert main(command) == 0
    assert "nothing was changed" in capsys.readouterr().out
    with closing(sqlite3.connect(folder / "log.db")) as db:
        db.execute("PRAGMA writable_schema = ON")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'log'").fetchone()
    spoil(folder / "log.db", root - 1, "zeros")
    assert main(["verify", "--data", str(data)]) == 1
    assert "shopfloor repair" in capsys.readouterr().out
    with pytest.raises(StoreError, match="`shopfloor repair`"):
        Historian.open(folder, options=OPTIONS)
    with Historian.open(tmp_path / "data2" / "store", options=OPTIONS):
        assert main(["repair", "--data", str(tmp_path / "data2")]) == 2
    assert "in use by process" in capsys.readouterr().err
    assert main(command) == 1
    said = capsys.readouterr().out
    assert f"batches {FLUSHED + 1} to {LAST} of gateway edge are lost (values of s0 or s1), of the last minutes" in said
    assert "1 part lost; the damaged files are kept in" in said
    assert main(command) == 0
    assert main(["verify", "--data", str(data)]) == 0


def test_what_sqlite_had_not_brought_into_the_file_is_saved_as_well(whole: Path, tmp_path: Path) -> None:
    folder, copy = tmp_path / "store", tmp_path / "copy"
    shutil.copytree(whole, folder)
    with Historian.open(folder, options=OPTIONS) as store:
        for sequence in range(LAST + 1, LAST + 4):
            put(store, sequence)
        assert (folder / "log.db-wal").stat().st_size > 0
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("lock", "*-shm"))
    spoil(copy / "log.db", pages(copy) - 3, "zeros")
    said = repair(copy, "now")
    with Historian.open(copy, options=OPTIONS) as store:
        found, gone = set(counts(store)), named(said) | damaged(store)
    assert found | gone == set(range(1, LAST + 4))
    assert {LAST + 1, LAST + 2, LAST + 3} <= found


def test_a_file_that_is_no_database_is_said(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "store")
    spoil(tmp_path / "store" / "log.db", 0, "zeros")
    with pytest.raises(StoreError, match="does not even say which tables it has"):
        repair(tmp_path / "store", "now")
    with pytest.raises(StoreError, match="There is no store in"):
        repair(tmp_path, "now")


def damaged(store: Historian) -> set[int]:
    """What the start names, where SQLite itself noticed nothing."""
    return {int(found) for one in store.stats()["damaged"] for found in re.findall(r"batch (\d+) of gateway edge", one)}
