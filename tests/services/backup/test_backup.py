"""Backup, restore and verify: one moment of a store that is written and compacted meanwhile, and every damage named."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filling import NOON, ROWS, STEP, TAGS, batch, fill, filling
from running_server import POWER, S, running, until
from shopfloor.plant import Kind, Sample, StoreError
from shopfloor.services.alarms.store import AlarmStore
from shopfloor.services.backup import MANIFEST, restore, take
from shopfloor.services.cli import main
from shopfloor.services.historian import Historian, Options

END = 2 * NOON
QUIET = Options(reserve_bytes=0, group_rows=500)
ALL = [f"{tag}.{kind.value}" for tag in TAGS for kind in Kind]


def answers(store: Historian) -> list[object]:
    """What a store says to every kind of question."""
    reader = store.reader
    return [
        reader.tags(),
        reader.latest().to_pydict(),
        reader.read(ALL, 0, END).to_pydict(),
        reader.aggregate(ALL, NOON // (3600 * S) * 3600 * S, END, 3600 * S).drop_columns(["sum"]).to_pydict(),
        reader.downsample(ALL[0], NOON, NOON + 100 * S, 100).column("time").to_pylist(),
        [(row.accepted, row.stored, row.balanced) for row in store.ledger()],
    ]


def made(folder: Path, batches: int = 12) -> None:
    """A data folder with segments, and batches that are in the log only."""
    with Historian.open(folder / "store", options=QUIET) as store:
        fill(store, 1, batches)
        store.flush()
        fill(store, batches + 1, 3)


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_restored_store_answers_as_at_the_moment_of_the_backup(tmp_path: Path, name: str) -> None:
    data, place, back = tmp_path / "data", tmp_path / name, tmp_path / "back"
    made(data)
    with Historian.open(data / "store", options=QUIET) as store:
        before = answers(store)
        take(data, place)
        fill(store, 16, 5)
        store.flush()
    assert restore(place, back).damaged == ()
    with Historian.open(back / "store", options=QUIET) as store:
        assert repr(answers(store)) == repr(before)
        assert store.ingest("edge", 16, "s", 16 * ROWS, batch(16)).values == ROWS
    assert not list((data / "store").glob("pins/*"))


def test_backups_under_constant_ingest_and_compaction_are_whole(tmp_path: Path) -> None:
    """Each is one moment: every batch up to some sequence, whole, none after it."""
    data = tmp_path / "data"
    seen = []
    with filling(data / "store") as child:
        for number in range(3):
            since = tmp_path / f"copy-{number - 1}" if number else None
            take(data, tmp_path / f"copy-{number}", since=since)
            assert main(["verify", "--data", str(data)]) == 0, "online, while it is compacted"
        assert child.poll() is None
    for number in range(3):
        assert main(["verify", "--data", str(tmp_path / f"copy-{number}")]) == 0
        restore(tmp_path / f"copy-{number}", tmp_path / f"back-{number}")
        with Historian.open(tmp_path / f"back-{number}" / "store", options=QUIET) as store:
            (account,) = store.ledger()
            last, rest = divmod(account.accepted, ROWS)
            assert rest == 0
            times = store.reader.read(ALL, 0, END, columns=("time",)).column("time").cast("int64").to_numpy()
            assert np.array_equal(np.sort(times), NOON + np.arange(ROWS, (last + 1) * ROWS) * STEP)
            seen.append(last)
    assert seen == sorted(set(seen)), "each later one has more"


def test_a_backup_since_an_earlier_one_links_what_it_has(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made(data)
    take(data, tmp_path / "one")
    with Historian.open(data / "store", options=QUIET) as store:
        store.flush()
    take(data, tmp_path / "two", since=tmp_path / "one")
    first = {path.relative_to(tmp_path / "one"): path.stat().st_ino for path in (tmp_path / "one").rglob("*.parquet")}
    second = {path.relative_to(tmp_path / "two"): path.stat().st_ino for path in (tmp_path / "two").rglob("*.parquet")}
    assert first
    assert first.items() < second.items()
    live = {path.stat().st_ino for path in data.rglob("*.parquet")}
    assert not live & set(second.values()), "a backup shares no file with the store"
    assert main(["verify", "--data", str(tmp_path / "two")]) == 0


def test_a_running_server_is_backed_up_with_its_alarms_and_without_its_tokens(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        now = server.parts.clock()
        server.feed(Sample(POWER, now, 16.0))
        until(lambda: server.get("/alarms"))
        assert main(["backup", str(tmp_path / "copy"), "--data", str(tmp_path / "data")]) == 0
        assert main(["backup", str(tmp_path / "all"), "--data", str(tmp_path / "data"), "--secrets"]) == 0
    assert not (tmp_path / "copy" / "secrets").exists()
    assert (tmp_path / "all" / "secrets" / "gateway.token").stat().st_mode & 0o777 == 0o600
    assert main(["restore", str(tmp_path / "all"), "--data", str(tmp_path / "back")]) == 0
    assert (tmp_path / "back/secrets/gateway.token").read_text() == (
        tmp_path / "data/secrets/gateway.token"
    ).read_text()
    with running(tmp_path / "back") as server:
        assert server.get("/latest", tags=POWER)
    with AlarmStore(tmp_path / "back" / "alarms") as alarms:
        assert alarms


def test_nothing_is_restored_from_a_damaged_backup_or_over_anything(tmp_path: Path) -> None:
    data, place, back = tmp_path / "data", tmp_path / "copy", tmp_path / "back"
    made(data)
    take(data, place)
    with pytest.raises(StoreError, match="is not empty: restore into a new folder"):
        restore(place, data)
    victim = next(iter(place.rglob("*.parquet")))
    flip(victim, victim.stat().st_size // 2)
    with pytest.raises(StoreError, match=r"is damaged: its SHA-256 .*\nNothing was restored: 1 files"):
        restore(place, back)
    assert not back.exists()
    (place / MANIFEST).unlink()
    with pytest.raises(StoreError, match="is no backup, or an unfinished one"):
        restore(place, back)
    with pytest.raises(StoreError, match="not empty: name a new folder"):
        take(data, place)
    with pytest.raises(StoreError, match="There is no store in"):
        take(tmp_path / "nothing", tmp_path / "other")


def test_a_manifest_cannot_lead_outside(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "copy"
    made(data)
    take(data, place)
    manifest = (place / MANIFEST).read_text()
    (place / MANIFEST).write_text(manifest.replace('"store/log.db"', '"../log.db"'))
    with pytest.raises(StoreError, match="outside of the backup"):
        restore(place, tmp_path / "back")


def test_a_backup_whose_process_was_killed_holds_no_files_for_ever(tmp_path: Path) -> None:
    made(tmp_path / "data")
    store = tmp_path / "data" / "store"
    code = (
        "import os, pathlib, sys; from shopfloor.services.historian.care.snapshot import held\n"
        "with held(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(store)], check=False).returncode == -9
    assert list(store.glob("pins/*/day=*/*"))
    with Historian.open(store, options=QUIET):
        assert not list(store.glob("pins/*"))


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0x10
    file.write_bytes(data)


def said(data: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["verify", "--data", str(data)]) == 1
    return capsys.readouterr().out.splitlines()


def test_verify_names_what_is_damaged_and_what_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, 30)
    assert main(["verify", "--data", str(tmp_path)]) == 0
    files = sorted((tmp_path / "store").glob("day=*/float64-????????.parquet"))
    whole = files[0].read_bytes()
    flip(files[0], len(whole) // 3)
    (one, count) = said(tmp_path, capsys)
    assert str(files[0]) in one
    assert "values cannot be read until then" in one
    assert count == "1 damaged parts"
    files[0].unlink()
    (one, _) = said(tmp_path, capsys)
    assert f"{files[0]} is missing: restore it from a backup" in one
    assert main(["backup", str(tmp_path / "copy"), "--data", str(tmp_path)]) == 1
    assert main(["restore", str(tmp_path / "copy"), "--data", str(tmp_path / "back")]) == 1


def test_verify_opens_the_store_of_a_tar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was damaged before the backup has the SHA-256 that the backup gave it."""
    data, good, bad = tmp_path / "data", tmp_path / "good.tar", tmp_path / "bad.tar"
    made(data, 30)
    assert main(["backup", str(good), "--data", str(data)]) == 0
    with sqlite3.connect(data / "store" / "log.db") as db:
        db.execute("UPDATE sources SET accepted = accepted + 7")
    db.close()
    assert main(["backup", str(bad), "--data", str(data)]) == 0
    assert main(["verify", "--data", str(good)]) == 0
    capsys.readouterr()
    assert main(["verify", "--data", str(bad)]) == 1
    assert "does not add up" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tar", "data", "good.tar"], "nothing is left"


def test_verify_finds_rollups_that_are_not_what_their_rows_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path, 30)
    files = sorted((tmp_path / "store").glob("day=*/float64-*.hours.parquet"))
    assert files
    import pyarrow.parquet as pq

    table = pq.read_table(files[0])
    at = table.schema.get_field_index("max")
    pq.write_table(table.set_column(at, "max", [np.asarray(table.column("max")) + 1]), files[0])
    (one, _) = said(tmp_path, capsys)
    assert "the column max of its hours is not what its rows give" in one


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE log SET body = zeroblob(100) WHERE sequence = 14", "batch 14 of gateway edge is damaged"),
        ("UPDATE log SET rows = rows + 1 WHERE sequence = 14", "it has 400 values of 401"),
        ("DELETE FROM tags WHERE id = 0", "was never stored"),
        ("UPDATE sources SET stored = stored - 400", "does not add up"),
        ("UPDATE segments SET rows = rows + 1 WHERE id = 1", "its"),
        ("UPDATE segments SET day = '2024-01-01' WHERE id = 1", "is missing"),
    ],
)
def test_verify_finds_changes_of_the_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, sentence: str
) -> None:
    made(tmp_path)
    with sqlite3.connect(tmp_path / "store" / "log.db") as db:
        db.execute(change)
    db.close()
    assert any(sentence in line for line in said(tmp_path, capsys))


def test_one_bit_anywhere_in_the_database_never_ends_in_a_stack_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite has no checksum of its pages: a bit may be unused. Whatever is found is one sentence."""
    made(tmp_path)
    file = tmp_path / "store" / "log.db"
    whole, found = file.read_bytes(), 0
    for at in range(0, len(whole), len(whole) // 30):
        flip(file, at)
        found += main(["verify", "--data", str(tmp_path)]) > 0
        file.write_bytes(whole)
    assert found
    assert "Traceback" not in capsys.readouterr().err
