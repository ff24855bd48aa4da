"""Compaction: a day that is over becomes one file, late values do not write it anew, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shopfloor.plant import Batch, Kind, Sample, StoreError
from shopfloor.services.historian import Historian, Options, keeper
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments import compaction

TAG = "delta/area/line/cell/asset/power"
DAY = 86_400_000_000_000
NOON = 20_000 * DAY + DAY // 2
OPTIONS = Options(reserve_bytes=0, group_rows=50, compact_segments=100, flush_age_s=3600)


class Gateway:
    """Sends batches of its own times, each flushed into a segment of its own."""

    def __init__(self, store: Historian) -> None:
        self._store, self._sequence, self.sent = store, 0, 0

    def send(self, count: int, *, flush: bool = True, kind: Kind = Kind.FLOAT, start: int = NOON) -> None:
        at = range(start + self.sent, start + self.sent + count)
        value: Callable[[int], Any] = {Kind.FLOAT: float, Kind.INT: int, Kind.TEXT: str}[kind]
        self._sequence += 1
        self.sent += count
        self._store.ingest("edge", self._sequence, "s", self.sent, Batch.of([Sample(TAG, t, value(t)) for t in at]))
        if flush:
            self._store.flush()


def values(store: Historian) -> int:
    return int(store.reader.read([TAG], 0, 2 * NOON).num_rows)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_day_that_is_over_becomes_one_file_of_each_kind(tmp_path: Path, kind: Kind) -> None:
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + DAY) as store:
        gateway = Gateway(store)
        for _ in range(5):
            gateway.send(60, kind=kind)
        before = store.reader.read([TAG], 0, 2 * NOON)
        store.maintain()
        assert len(list(tmp_path.glob("day=*/*-????????.parquet"))) == 1
        assert (store.stats()["rows"], store.stats()["collapsed"]) == (300, 0)
        assert store.reader.read([TAG], 0, 2 * NOON).equals(before)


def test_the_day_that_goes_on_stays_as_it_is(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + 1) as store:
        gateway = Gateway(store)
        gateway.send(60)
        gateway.send(60)
        store.maintain()
        assert store.stats()["segments"] == 2


def test_a_few_late_values_do_not_write_a_day_anew(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + DAY) as store:
        gateway = Gateway(store)
        gateway.send(800)
        store.maintain()
        gateway.send(99)
        store.maintain()
        assert store.stats()["segments"] == 2
        gateway.send(1)
        store.maintain()
        assert store.stats()["segments"] == 1
        assert values(store) == 900


def test_a_day_of_one_file_is_packed_once(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + DAY) as store:
        gateway = Gateway(store)
        gateway.send(400)
        (loose,) = tmp_path.glob("day=*/*-????????.parquet")
        store.maintain()
        (packed,) = tmp_path.glob("day=*/*-????????.parquet")
        store.maintain()
        assert packed != loose
        assert packed.exists()
        assert values(store) == 400


def test_what_a_day_replaced_is_gone_before_the_next_day_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[int]] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        seen.append([len(list(day.glob("*-????????.parquet"))) for day in sorted(tmp_path.glob("day=*"))])
        return compaction.compact(*arguments, **options)

    monkeypatch.setattr(keeper, "compact", watched)
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + 9 * DAY) as store:
        gateway = Gateway(store)
        for day in range(3):
            gateway.send(60, start=NOON + day * DAY)
            gateway.send(60, start=NOON + day * DAY)
        store.maintain()
    assert seen == [[2, 2, 2], [1, 2, 2], [1, 1, 2]]


def test_memory_reaches_the_disk_and_the_store_closes_in_the_middle_of_a_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    merged = compaction._merged

    def slow(parts: Any) -> Iterator[Rows]:
        for at, rows in enumerate(merged(parts)):
            if at == 1:
                gateway.send(100, flush=False)
                store._shelf.seal()
            if at == 3:
                seen.append((store.stats()["memory_rows"], values(store)))
                store._keeper._closing = True
            yield rows

    monkeypatch.setattr(compaction, "_merged", slow)
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + DAY) as store:
        gateway = Gateway(store)
        gateway.send(400)
        gateway.send(400)
        store.maintain()
        assert seen == [(0, 900)]
        assert store.stats()["segments"] == 3
    monkeypatch.undo()
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + DAY) as store:
        store.maintain()
        assert (store.stats()["segments"], values(store)) == (1, 900)


def test_rows_that_do_not_add_up_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    merged = compaction._merged
    monkeypatch.setattr(compaction, "_merged", lambda parts: list(merged(parts))[:-1])
    monkeypatch.setattr(keeper.Keeper, "start", lambda _: None)
    with Historian.open(tmp_path, options=OPTIONS, clock=lambda: NOON + DAY) as store:
        gateway = Gateway(store)
        gateway.send(400)
        gateway.send(400)
        with pytest.raises(StoreError, match=r"read \d+ values of 800: nothing was changed"):
            store.maintain()
        assert (store.stats()["segments"], values(store)) == (2, 800)
