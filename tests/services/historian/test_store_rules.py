"""What the store promises: sequences, ledger, kinds, late data, one process, damage, retention, subscribers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from shopfloor.plant import Batch, Kind, RejectedError, Sample, StoreError
from shopfloor.services.historian import Historian, Options, Retention, SequenceGap

TAG = "delta/area/line/cell/asset/power"
OTHER = "delta/area/line/cell/asset/speed"
DAY = 86_400_000_000_000
NOON = 20_000 * DAY + DAY // 2
OPTIONS = Options(reserve_bytes=0, group_rows=100, compact_segments=3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Historian]:
    with Historian.open(tmp_path / "store", options=OPTIONS) as opened:
        yield opened


def ramp(start: int = 0, count: int = 10, tag: str = TAG, step: int = 1_000_000_000) -> Batch:
    time = NOON + (start + np.arange(count, dtype=np.int64)) * step
    numbers = np.arange(start, start + count, dtype=np.float64)
    return Batch((tag,), np.zeros(count, np.int32), time, numbers, np.zeros(count, np.uint32))


def everything(store: Historian, *tags: str) -> list[float]:
    values: list[float] = store.reader.read(tags or (TAG,), 0, 2 * NOON).column("value").to_pylist()
    return values


def test_a_repeated_sequence_stores_nothing(store: Historian) -> None:
    assert store.ingest("edge", 1, "s", 10, ramp()).duplicate is False
    again = store.ingest("edge", 1, "s", 10, ramp())
    assert (again.values, again.duplicate) == (0, True)
    (account,) = store.ledger()
    assert (account.stored, account.repeated, account.balanced) == (10, 10, True)
    assert len(everything(store)) == 10


def test_a_gap_is_refused_with_the_expected_sequence(store: Historian) -> None:
    store.ingest("edge", 1, "s", 10, ramp())
    with pytest.raises(SequenceGap, match="sent sequence 3, but 2 was expected") as gap:
        store.ingest("edge", 3, "s", 20, ramp(10))
    assert gap.value.expected == 2
    assert store.ingest("edge", 2, "s", 20, ramp(10)).values == 10


def test_a_store_that_lost_its_folder_takes_an_old_gateway_and_says_so(store: Historian) -> None:
    assert store.ingest("edge", 5000, "s", 70_010, ramp()).values == 10
    (account,) = store.ledger()
    assert (account.baseline, account.stored, account.balanced) == (70_000, 10, True)
    assert "from batch 5000 on: 70000 earlier values of s were stored elsewhere" in account.sentence
    with pytest.raises(RejectedError, match="Batch 4999 of gateway edge is older than 5000"):
        store.ingest("edge", 4999, "s", 70_000, ramp())


def test_a_counter_that_disagrees_is_written_down_once(store: Historian) -> None:
    store.ingest("edge", 1, "s", 10, ramp())
    store.ingest("edge", 2, "s", 25, ramp(10))
    store.ingest("edge", 3, "s", 35, ramp(20))
    (account,) = store.ledger()
    assert (account.mismatches, account.balanced) == (1, False)
    assert "had accepted 25 values of s, this store counts 20: 5 values are missing" in account.sentence


def test_a_rejected_batch_is_counted_and_the_sequence_goes_on(store: Historian, tmp_path: Path) -> None:
    bad = ramp(tag="no path")
    with pytest.raises(RejectedError, match="'no path' has 1 parts"):
        store.ingest("edge", 1, "s", 10, bad)
    assert store.note_rejected("edge", 1, "s", 10, 10, "no path").duplicate is False
    assert store.note_rejected("edge", 1, "s", 10, 10, "no path").duplicate is True
    assert store.ingest("edge", 2, "s", 20, ramp()).values == 10
    (account,) = store.ledger()
    assert (account.stored, account.rejected, account.balanced) == (10, 10, True)


def test_a_time_outside_the_centuries_is_rejected(store: Historian) -> None:
    with pytest.raises(RejectedError, match="before 1970 or after 2261"):
        store.ingest("edge", 1, "s", 1, Batch.of([Sample(TAG, -5, 1.0)]))


def test_a_refused_batch_leaves_its_neighbours_in_the_same_commit_alone(store: Historian) -> None:
    failures: list[str] = []

    def send(gateway: str, tag: str) -> None:
        for sequence in range(1, 20):
            try:
                store.ingest(gateway, sequence, "s", sequence * 10, ramp(sequence * 10, tag=tag))
            except (RejectedError, SequenceGap):
                failures.append(gateway)

    senders = [("good", TAG), ("bad", "no path"), ("other", OTHER)]
    threads = [threading.Thread(target=send, args=sender) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == ["bad"] * 19
    assert len(everything(store, TAG, OTHER)) == 380


def test_a_tag_may_change_its_kind(store: Historian, tmp_path: Path) -> None:
    batches = [
        Batch.of([Sample(TAG, NOON, 1.5)]),
        Batch.of([Sample(TAG, NOON + 1, 7)]),
        Batch.of([Sample(TAG, NOON + 2, "seven")]),
    ]
    assert [batch.kind for batch in batches] == list(Kind)
    for sequence, batch in enumerate(batches, 1):
        store.ingest("edge", sequence, "s", sequence, batch)
    for _ in range(2):
        answer = store.reader.read([TAG], NOON, NOON + 3)
        assert answer.column("value").to_pylist() == [1.5, 7.0, None]
        assert answer.column("text").to_pylist() == [None, None, "seven"]
        assert store.reader.latest([TAG]).column("text").to_pylist() == ["seven"]
        store.flush()


def test_tables_of_names_that_begin_alike_are_told_apart(store: Historian) -> None:
    tables = [(TAG, OTHER), (TAG, f"{OTHER}.set"), (TAG, OTHER)]
    for sequence, names in enumerate(tables, 1):
        batch = Batch.of([Sample(name, NOON + sequence, float(sequence)) for name in names])
        store.ingest("edge", sequence, "s", 2 * sequence, batch)
    assert everything(store, OTHER) == [1.0, 3.0]
    assert everything(store, f"{OTHER}.set") == [2.0]


def test_late_values_are_merged_and_leave_the_latest_alone(store: Historian) -> None:
    store.ingest("edge", 1, "s", 10, ramp(100))
    store.flush()
    store.ingest("edge", 2, "s", 20, ramp(0))
    store.flush()
    store.ingest("edge", 3, "s", 30, ramp(50))
    assert everything(store) == [*range(10), *range(50, 60), *range(100, 110)]
    assert store.reader.latest([TAG]).column("value").to_pylist() == [109.0]


@pytest.mark.parametrize("compacted", [False, True])
def test_exact_duplicates_collapse_and_the_last_one_wins(store: Historian, compacted: bool) -> None:
    for sequence in range(1, 5):
        batch = ramp()
        store.ingest(
            "edge", sequence, "s", sequence * 10, batch.take(slice(None)) if sequence < 4 else _plus_one(batch)
        )
        store.flush()
    if compacted:
        store.maintain()
        assert store.stats()["segments"] == 1
        assert (store.stats()["rows"], store.stats()["collapsed"]) == (10, 30)
    assert everything(store) == [float(value + 1) for value in range(10)]


def test_compaction_keeps_every_row_over_many_row_groups(store: Historian) -> None:
    generator = np.random.default_rng(7)
    sent = 0
    for sequence in range(1, 7):
        tags = tuple(f"delta/area/line/cell/asset/t{i}" for i in range(5))
        index = generator.integers(0, 5, 1000).astype(np.int32)
        time = NOON + generator.choice(10**9, 1000, replace=False).astype(np.int64) * 6 + sequence
        sent += 1000
        batch = Batch(tags, index, time, generator.normal(size=1000), np.zeros(1000, np.uint32))
        store.ingest("edge", sequence, "s", sent, batch)
        store.flush()
    before = store.reader.read(tags, 0, 2 * NOON)
    store.maintain()
    assert store.stats()["segments"] < 6
    assert store.stats()["rows"] == sent
    assert store.reader.read(tags, 0, 2 * NOON).equals(before)


def test_rollups_give_what_the_rows_give(store: Historian) -> None:
    store.ingest("edge", 1, "s", 40_000, ramp(0, 40_000, step=100_000_000))
    store.flush()
    assert any((store._folder).glob("day=*/*.minutes.parquet"))
    table = store.reader.aggregate([TAG], NOON, NOON + 4000 * 10**9 - 5 * 10**8, 600 * 10**9)
    assert table.column("n").to_pylist() == [6000] * 6 + [3995]
    assert table.column("first").to_pylist() == [float(6000 * i) for i in range(7)]
    assert table.column("last").to_pylist()[-1] == 39_994.0
    picture = store.reader.downsample(TAG, NOON, NOON + 4000 * 10**9, 40)
    assert 30 <= picture.num_rows <= 50
    assert min(picture.column("low").to_pylist()) == 0.0
    assert max(picture.column("high").to_pylist()) == 39_999.0
    close = store.reader.downsample(TAG, NOON, NOON + 100 * 10**9, 100)
    assert close.num_rows <= 100
    assert close.column("value").to_pylist()[-1] == 999.0


def test_a_reader_sees_every_row_while_the_store_flushes_and_compacts(store: Historian) -> None:
    missing: list[int] = []
    written = 0
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            safe = written
            found = store.reader.read([TAG], 0, 2 * NOON, columns=("time",)).num_rows
            if found < safe:
                missing.append(safe - found)

    reader = threading.Thread(target=watch)
    reader.start()
    for sequence in range(1, 41):
        store.ingest("edge", sequence, "s", sequence * 50, ramp(sequence * 50, 50))
        written = sequence * 50
        if sequence % 2 == 0:
            store.flush()
            store.maintain()
    done.set()
    reader.join()
    assert not missing
    assert len(everything(store)) == 2000


def test_old_files_stay_until_their_last_reader_is_done(store: Historian) -> None:
    for sequence in range(1, 4):
        store.ingest("edge", sequence, "s", sequence * 10, ramp(sequence * 10))
        store.flush()
    held = store._shelf.view()
    store.maintain()
    assert all(path.exists() for segment in held.segments for path in segment.files())
    paths = [path for segment in held.segments for path in segment.files()]
    del held
    store.maintain()
    assert not any(path.exists() for path in paths)


def test_a_second_process_is_told_who_holds_the_folder(store: Historian) -> None:
    program = (
        "import sys; from shopfloor.services.historian import Historian; from shopfloor.plant import StoreError\n"
        "try: Historian.open(sys.argv[1])\nexcept StoreError as problem: print(problem)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, store._folder], capture_output=True, text=True, check=True, timeout=60
    )
    assert "is in use by process" in told.stdout
    assert "stop that server or choose another data folder" in told.stdout


def test_a_damaged_segment_is_named_and_the_rest_answers(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 10, ramp())
        store.ingest("edge", 2, "s", 20, ramp(count=10, step=DAY, tag=OTHER))
        store.flush()
    victim = next(tmp_path.glob("day=2024-10-05/float64-*.parquet"))
    data = bytearray(victim.read_bytes())
    data[4:40] = bytes(36)
    victim.write_bytes(data)
    victim_2 = next(tmp_path.glob("day=2024-10-06/float64-*.parquet"))
    victim_2.unlink()
    with Historian.open(tmp_path, options=OPTIONS) as store:
        found = everything(store, OTHER)
        assert len(found) == 8
        stats = store.stats()
        assert stats["state"] == "damaged"
        assert str(victim) in "".join(stats["damaged"])
        assert f"{victim_2} is missing: restore it from a backup" in "".join(stats["damaged"])


def test_tags_on_both_sides_of_one_that_is_not_asked_for_keep_their_values(store: Historian) -> None:
    tags = [f"{TAG}{number}" for number in range(5)]
    for sequence, tag in enumerate(tags, 1):
        store.ingest("edge", sequence, "s", 10 * sequence, ramp(start=100 * sequence, tag=tag))
    store.flush()
    for asked in ([0, 2], [0, 4], [1, 3], [0, 1, 4], [1, 2, 3], [4]):
        values = [float(100 * (number + 1) + step) for number in asked for step in range(10)]
        assert everything(store, *(tags[number] for number in asked)) == values


def test_what_a_crash_left_unpublished_is_removed_at_open(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 10, ramp())
        store.flush()
    day = tmp_path / "day=2024-10-04"
    strays = [day / "float64-00000099.tmp", day / "float64-00000099.parquet", tmp_path / "day=2001-01-01" / "x.tmp"]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"half")
    with Historian.open(tmp_path, options=OPTIONS) as store:
        assert not any(stray.exists() for stray in strays)
        assert len(everything(store)) == 10


def test_days_past_their_time_are_deleted(tmp_path: Path) -> None:
    options = Options(reserve_bytes=0, retention=Retention(raw_s=2 * 86_400))
    with Historian.open(tmp_path, options=options, clock=lambda: NOON + 4 * DAY) as store:
        store.ingest("edge", 1, "s", 5, ramp(count=5, step=DAY))
        store.flush()
        store.maintain()
        assert everything(store) == [2.0, 3.0, 4.0]
        assert store.stats()["rows"] == 3


def test_subscribers_get_committed_batches_and_their_faults_harm_nobody(
    store: Historian, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[int] = []
    arrived = threading.Event()

    def count(batch: Batch) -> None:
        got.append(len(batch))
        if len(got) == 3:
            arrived.set()

    def fail(batch: Batch) -> None:
        raise ValueError("a subscriber's fault")

    store.subscribe(fail)
    unsubscribe = store.subscribe(count)
    for sequence in range(1, 4):
        store.ingest("edge", sequence, "s", sequence * 10, ramp(sequence * 10))
    assert arrived.wait(20)
    unsubscribe()
    assert got == [10, 10, 10]
    assert "A subscriber of the store failed" in caplog.text


def test_latest_survives_a_reopen_with_and_without_a_flush(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 10, ramp())
        store.flush()
        store.ingest("edge", 2, "s", 11, Batch.of([Sample(OTHER, NOON, "IDLE")]))
    with Historian.open(tmp_path, options=OPTIONS) as store:
        table = store.reader.latest([OTHER, TAG, "delta/area/line/cell/asset/unknown"])
        assert table.column("tag").to_pylist() == [OTHER, TAG]
        assert table.column("value").to_pylist() == [None, 9.0]
        assert table.column("text").to_pylist() == ["IDLE", None]
        assert store.reader.latest().num_rows == 2


def test_unknown_tags_answer_no_rows(store: Historian) -> None:
    for ask in (
        lambda: store.reader.read([TAG], 0, NOON),
        lambda: store.reader.latest([TAG]),
        lambda: store.reader.downsample(TAG, 0, NOON, 100),
        lambda: store.reader.aggregate([TAG], 0, NOON, DAY),
        lambda: store.reader.read([], 0, NOON, previous=True),
    ):
        assert _rows(ask) == 0


def _rows(ask: Callable[[], pa.Table]) -> int:
    return int(ask().num_rows)


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    Historian.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "log.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match=r"written by a newer Shopfloor \(schema 99"):
        Historian.open(tmp_path)


def _plus_one(batch: Batch) -> Batch:
    return Batch(batch.names, batch.tag, batch.time, batch.value + 1, batch.quality)


def test_a_picture_of_buckets_ends_each_run_with_the_value_that_held(store: Historian) -> None:
    store.ingest("edge", 1, "s", 60, ramp(0, 60))
    store.ingest("edge", 2, "s", 61, ramp(9000, 1))
    picture = store.reader.downsample(TAG, NOON, NOON + 10_000 * 10**9, 40)
    assert picture.column("value").to_pylist() == [29.5, 59.0, 9000.0]
    assert picture.column("high").to_pylist() == [59.0, 59.0, 9000.0]
    times = picture.column("time").cast("int64").to_numpy() - NOON
    assert times.tolist() == [29_500_000_000, 59 * 10**9, 9000 * 10**9]
