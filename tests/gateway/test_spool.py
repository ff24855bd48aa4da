"""The spool: durable, in order, bounded, one owner, and clear about its disk."""

import sqlite3
from pathlib import Path

import pytest
from shopfloor.gateway.spool import Entry, Spool
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.plant.config import WhenFull


def test_sequences_ascend_by_one_and_are_never_reused(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        name = spool.id
        assert spool.append([Entry("a", 1, b"1"), Entry("b", 2, b"2")]) == [1, 2]
        spool.forget(spool.peek())
        assert spool.peek() == []
    with Spool.open(tmp_path, "edge") as spool:
        assert spool.id == name
        assert spool.append([Entry("a", 5, b"3")]) == [3]
        assert spool.peek()[0].accepted == 6


def test_counters_survive_a_restart(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append([Entry("a", 10, b"x" * 100), Entry("a", 5, b"y" * 50)])
        first = spool.peek()[0]
        spool.refuse(first, "unknown tag")
        spool.reject(first)
        before = spool.tally
    with Spool.open(tmp_path, "edge") as spool:
        assert spool.tally == before
        assert spool.tally.of("a").accepted == 15
        assert spool.tally.of("a").rejected == 10
        assert spool.tally.of("a").spooled == 5
        assert spool.bytes == 50
        assert spool.rejected() == [(1, "a", "unknown tag")]


def test_a_refused_batch_stays_in_line_until_the_server_knows(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append([Entry("a", 1, b"1"), Entry("a", 1, b"2")])
        spool.refuse(spool.peek()[0], "no")
    with Spool.open(tmp_path, "edge") as spool:
        assert [row.refused for row in spool.peek()] == ["no", ""]


def test_it_is_bounded_by_bytes_but_takes_one_batch_of_any_size(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge", 100) as spool:
        assert spool.has_room(1_000)
        spool.append([Entry("a", 1, b"x" * 90)])
        assert spool.has_room(10)
        assert not spool.has_room(11)
        spool.forget(spool.peek())
        assert spool.has_room(11)


def test_peek_stops_at_rows_and_bytes(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append([Entry("a", 1, b"x" * 10) for _ in range(9)])
        assert [row.sequence for row in spool.peek(after=2, rows=3)] == [3, 4, 5]
        assert len(spool.peek(size=15)) == 2


def test_a_full_disk_takes_nothing_keeps_all_and_recovers(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append([Entry("a", 1, b"kept")])
        pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
        spool._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(SinkUnavailable, match=r"^The disk of the spool folder .* is full: free some space;"):
            spool.append([Entry("a", 1, b"x" * 100_000)])
        assert [row.data for row in spool.peek()] == [b"kept"]
        assert spool.next_sequence == 2
        spool._db.execute("PRAGMA max_page_count = 1000000")
        assert spool.append([Entry("a", 1, b"x" * 100_000)]) == [2]
        assert spool.tally.of("a").accepted == 2


def test_a_second_gateway_is_refused(tmp_path: Path) -> None:
    with (
        Spool.open(tmp_path, "edge"),
        pytest.raises(StoreError, match="Another gateway uses the spool folder"),
        Spool.open(tmp_path, "edge"),
    ):
        pass


def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(StoreError, match="cannot be used"), Spool.open(Path("/proc/1/nothing"), "edge"):
        pass


def test_a_read_only_database_is_one_sentence(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool._db.execute("PRAGMA query_only = 1")
        with pytest.raises(SinkUnavailable, match="is read-only: make it writable"):
            spool.append([Entry("a", 1, b"1")])


def test_a_damaged_spool_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreError, match=r"is damaged .* move spool.sqlite aside"), Spool.open(tmp_path, "edge"):
        pass


def test_beginning_anew_renumbers_what_waits(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append([Entry("a", 2, b"1"), Entry("b", 3, b"2"), Entry("a", 4, b"3")])
        spool.forget(spool.peek()[:1])
        old = spool.id
        assert spool.begin_anew() != old
        assert [(row.sequence, row.source, row.accepted) for row in spool.peek()] == [(1, "b", 3), (2, "a", 4)]
        assert spool.append([Entry("a", 1, b"4")]) == [3]
        assert spool.peek()[-1].accepted == 5


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    files = {"spool.sqlite", "spool.sqlite-wal", "spool.sqlite-shm"}
    for name in files:
        (tmp_path / name).touch(0o644)
    for _ in range(2):
        with Spool.open(tmp_path, "edge") as spool:
            spool.append([Entry("a", 1, b"1")])
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("spool.sqlite*")}
            assert modes == dict.fromkeys(files, 0o600)


def test_every_commit_is_synchronous(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        assert spool._db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert spool._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert sqlite3.threadsafety > 0


def test_the_file_shrinks_again_after_an_outage(tmp_path: Path) -> None:
    file = tmp_path / "spool.sqlite"
    with Spool.open(tmp_path, "edge") as spool:
        for _ in range(60):
            spool.append([Entry("machining", 1, bytes(1_000_000))])
        while rows := spool.peek(rows=8):
            spool.forget(rows)
    assert file.stat().st_size < 12_000_000


def test_what_was_committed_is_at_hand_for_a_reader_that_keeps_up(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        assert spool.fresh(0) == []
        spool.append([Entry("a", 1, b"1"), Entry("b", 2, b"2")])
        fresh = spool.fresh(0)
        assert fresh == spool.peek()
        spool.append([Entry("a", 5, b"3")])
        spool.settle(1)
        assert spool.fresh(2) == [], "a reader that begins again reads from the disk"
        spool.append([Entry("a", 1, b"")])
        assert spool.fresh(3) == []
        spool.append([Entry("a", 1, b"x") for _ in range(17)])
        assert spool.fresh(4) == [], "more than is kept in memory"
        assert [one.sequence for one in spool.peek(4)] == list(range(5, 22))


def test_what_is_at_hand_is_not_dropped_to_make_room(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge", 1_000, WhenFull.DROP_OLDEST) as spool:
        spool.settle(0)
        assert spool.fresh(0) == []
        spool.append([Entry("a", 1, bytes(100)) for _ in range(4)])
        spool.append([Entry("a", 1, bytes(100)) for _ in range(16)])
        assert spool.make_room(500)
        assert [row.sequence for row in spool.fresh(0)] == [1, 2, 3, 4]
        assert [one.sequence for one in spool.peek(rows=6)][:4] == [1, 2, 3, 4]
