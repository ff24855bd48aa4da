"""Disks that fail under a store at work: a file system that turns read-only, a full one under a server, bad pages."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running_server import POWER, running, until
from shopfloor.plant import Batch, Sample, SinkUnavailable, StoreError
from shopfloor.services.cli import main
from shopfloor.services.historian import Historian, Options

TAG = "delta/area/line/cell/asset/power"
NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
QUIET = Options(reserve_bytes=0, group_rows=500)


def batch(sequence: int, rows: int = 400) -> Batch:
    at = NOON + (sequence * rows + np.arange(rows, dtype=np.int64)) * 1_000_000
    value = np.full(rows, sequence, np.float64)
    return Batch((TAG,), np.zeros(rows, np.int32), at, value, np.zeros(rows, np.uint32))


def fill(store: Historian, first: int, count: int) -> None:
    for sequence in range(first, first + count):
        store.ingest("edge", sequence, "s", sequence * 400, batch(sequence))


def rows(store: Historian) -> int:
    return int(store.reader.read([TAG], 0, 2 * NOON, columns=("time",)).num_rows)


def command(*words: str) -> bool:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that turns read-only at an error, as the disks of plants do."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(32_000_000)
    mounted = os.geteuid() == 0 and command("mkfs.ext4", "-q", str(image))
    if not mounted or not command("mount", "-o", "loop,errors=remount-ro", str(image), str(disk)):
        pytest.skip("a failing disk needs root and the right to mount a loop device")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def break_it(disk: Path) -> None:
    """Let the file system find an error, which makes it read-only."""
    device = next(line.split()[0] for line in Path("/proc/mounts").read_text().splitlines() if f" {disk} " in line)
    Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("1")


def test_a_disk_that_turns_read_only_stops_ingest_and_nothing_else(failing_disk: Path) -> None:
    options = Options(reserve_bytes=0, flush_age_s=0.1)
    with Historian.open(failing_disk / "store", options=options) as store:
        fill(store, 1, 5)
        until(lambda: not store.stats()["memory_rows"])
        fill(store, 6, 2)
        break_it(failing_disk)
        with pytest.raises(SinkUnavailable, match=r"cannot be written|did not take the batch"):
            fill(store, 8, 1)
        until(lambda: store.stats()["state"] == "readonly")
        assert "make it writable" in store.stats()["sentence"]
        assert rows(store) == 7 * 400
        assert main(["verify", "--data", str(failing_disk)]) == 0, "a disk that is read-only can be verified"
    subprocess.run(["umount", str(failing_disk)], check=True)
    image = failing_disk.with_name("image")
    subprocess.run(["fsck.ext4", "-fy", str(image)], capture_output=True, check=False)
    subprocess.run(["mount", "-o", "loop", str(image), str(failing_disk)], check=True)
    with Historian.open(failing_disk / "store", options=options) as store:
        assert rows(store) == 7 * 400, "everything acknowledged is there"
        fill(store, 8, 1)
        assert [account.balanced for account in store.ledger()] == [True]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or not command("mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(disk)):
        pytest.skip("a small disk needs root and the right to mount a tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_server_on_a_full_disk_says_so_everywhere_and_goes_on_by_itself(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with running(small_disk / "data") as server:
        now = server.parts.clock()
        server.feed(Sample(POWER, now, 1.0))
        server.post_health()
        ballast.write_bytes(bytes(90_000_000))
        body = Batch.of([Sample(POWER, now + 1, 2.0)]).to_bytes()
        refused = until(lambda: (answer := server.post_batch(body, 2, accepted=2)).status_code == 503 and answer)
        assert "free space, then it goes on by itself" in refused.json()["detail"]
        assert refused.headers["Retry-After"]
        health = server.get("/health")
        assert (health["status"], health["store"]["state"]) == ("degraded", "full")
        assert "is full" in health["sentence"]
        assert 'shopfloor_store_state{state="full"} 1' in server.client.get("/metrics").text
        assert server.get("/history", tag=POWER, start=now / 1e6 - 1e3, end=now / 1e6 + 1e3)["value"][0] == 1.0
        assert main(["backup", str(small_disk.parent / "copy"), "--data", str(small_disk / "data")]) == 0
        ballast.unlink()
        until(lambda: server.post_batch(body, 2, accepted=2).status_code == 200)
        assert server.get("/health")["store"]["state"] == "ok"
        assert server.get("/ledger")["balanced"]


def test_a_backup_onto_a_full_disk_is_one_sentence_and_no_backup(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Historian.open(tmp_path / "data" / "store", options=QUIET) as store:
        fill(store, 1, 200)
        store.flush()
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "ballast").write_bytes(bytes(free - 16_384))
    for name in ("copy", "copy.tar"):
        assert main(["backup", str(small_disk / name), "--data", str(tmp_path / "data")]) == 2
        assert "cannot be written" in capsys.readouterr().err
        assert main(["restore", str(small_disk / name), "--data", str(tmp_path / "back")]) == 2
        assert "is no backup" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["zeros", "noise"])
def test_a_bad_page_of_the_log_is_a_sentence_or_a_named_batch_and_never_a_stack_trace(
    tmp_path: Path, damage: str
) -> None:
    with Historian.open(tmp_path, options=QUIET) as store:
        fill(store, 1, 10)
        store.flush()
        fill(store, 11, 10)
    file = tmp_path / "log.db"
    whole, said = file.read_bytes(), list[str]()
    for at in range(0, len(whole), 16_384):
        bad = bytes(16_284) if damage == "zeros" else np.random.default_rng(at).bytes(16_284)
        file.write_bytes(whole[: at + 100] + bad + whole[at + 16_384 :])
        try:
            with Historian.open(tmp_path, options=QUIET) as store:
                assert rows(store) == 20 * 400 or store.stats()["state"] == "damaged"
        except StoreError as problem:
            said.append(str(problem))
        for end in ("-wal", "-shm"):
            file.with_name(f"log.db{end}").unlink(missing_ok=True)
        file.write_bytes(whole)
    assert said
    with Historian.open(tmp_path, options=QUIET) as store:
        assert rows(store) == 20 * 400, "a bad catalogue deletes no files, and no batches"
    assert all("restore it from a backup" in one or "expected the store's own database" in one for one in said)
