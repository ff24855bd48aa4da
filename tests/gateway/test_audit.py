"""The audit of writes: on disk before the device is asked, tamper-evident, honest after a crash."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from shopfloor.gateway.door.audit import STOPPED, Audit
from shopfloor.plant import StoreError, quality
from shopfloor.plant.contracts import Outcome, Setpoint

TAG = "delta/water/hall/cell-1/pump-1/setpoint.flow"

CHILD = """
import asyncio, pathlib, sys
from shopfloor.gateway.door import Audit
from shopfloor.gateway.door import Door, Way
from shopfloor.plant import config
from shopfloor.plant.config import WriteOptions
from shopfloor.plant.contracts import Outcome, Setpoint

PLANT = config.loads('''
plant: {site: delta}
types: {pump: {tags: {setpoint.flow: {writable: true, range: [0, 30]}}}}
assets: [{path: delta/water/hall/cell-1/pump-1, type: pump}]
''')
TAG = "delta/water/hall/cell-1/pump-1/setpoint.flow"

class Device:
    connected = True
    def can_write(self, tag): return True
    async def apply(self, setpoint):
        if setpoint.value == 1.0: return Outcome(0, 1.0)
        print("asked", flush=True)
        await asyncio.sleep(60)

async def main():
    with Audit.open(pathlib.Path(sys.argv[1])) as audit:
        ways = [Way("pumps", Device(), WriteOptions(allow=(TAG,), every="0s"))]
        door = Door(lambda: PLANT, lambda: ways, audit)
        await door.apply(Setpoint(TAG, 1.0), by="ada")
        await door.apply(Setpoint(TAG, 2.0), by="ada", reason="the last one")

asyncio.run(main())
"""


def filled(folder: Path) -> None:
    with Audit.open(folder, lambda: 1_700_000_000_000_000_000) as audit:
        for n in range(4):
            intent = audit.intend(Setpoint(TAG, float(n)), "pumps", "ada", "")
            audit.close(intent, Outcome(quality.GOOD, float(n), before=n - 1.0))
        audit.refuse(Setpoint(TAG, 99.0), "pumps", "bob", "", Outcome(quality.BAD_OUT_OF_RANGE, None, "Too much."))


def test_the_newest_come_first(tmp_path: Path) -> None:
    filled(tmp_path)
    with Audit.open(tmp_path) as audit:
        records = audit.newest(3)
        assert audit.verify() == ""
        assert audit.head()[0] == 9
    assert [(one.asked, one.state, one.by) for one in records] == [
        (99.0, "refused", "bob"),
        (3.0, "done", "ada"),
        (2.0, "done", "ada"),
    ]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE entry SET body = replace(body, '\"ada\"', '\"eve\"') WHERE sequence = 3", "Row 3 of the audit is not"),
        ("UPDATE entry SET hash = hex(randomblob(32)) WHERE sequence = 4", "Row 4 of the audit is not"),
        ("UPDATE entry SET intent = 1 WHERE sequence = 4", "Row 4 of the audit is not"),
        ("DELETE FROM entry WHERE sequence = 5", "Row 5 of the audit is missing"),
        ("DELETE FROM entry WHERE sequence = 1", "Row 1 of the audit is missing"),
        ("DELETE FROM entry WHERE sequence > 8", "The audit ends at row 8 and had 9"),
        ("DELETE FROM entry WHERE sequence > 7", "Row 8 of the audit is missing"),
        ("DELETE FROM entry", "The audit ends at row 0 and had 9"),
    ],
)
def test_a_changed_or_missing_row_is_found(tmp_path: Path, statement: str, words: str) -> None:
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "audit.sqlite") as db:
        db.execute(statement)
    db.close()
    with Audit.open(tmp_path) as audit:
        assert words in audit.verify()


def test_an_audit_written_anew_is_found_by_a_head_that_was_noted(tmp_path: Path) -> None:
    filled(tmp_path)
    with Audit.open(tmp_path) as audit:
        head = audit.head()
        assert audit.verify(head) == ""
    for file in tmp_path.glob("audit.sqlite*"):
        file.unlink()
    with Audit.open(tmp_path) as audit:
        for _ in range(9):
            audit.refuse(Setpoint(TAG, 0.0), "pumps", "eve", "", Outcome(quality.BAD, None, "."))
        assert audit.verify() == ""
        assert "the audit was written anew" in audit.verify(head)


def test_a_kill_between_intent_and_outcome_is_unknown(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "asked\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    with sqlite3.connect(tmp_path / "audit.sqlite") as db:
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (3,)
    db.close()
    for _ in range(2):
        with Audit.open(tmp_path) as audit:
            last, first = audit.newest(9)
            assert audit.verify() == ""
            assert audit.head()[0] == 4, "the crash is told once"
    assert (first.state, first.after) == ("done", 1.0)
    assert (last.state, last.asked, last.reason, last.sentence) == ("unknown", 2.0, "the last one", STOPPED)


def test_a_damaged_audit_shuts_the_door_and_not_the_gateway(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    damaged = b"no database, but long enough to be read as one" * 40
    (tmp_path / "audit.sqlite").write_bytes(damaged)
    words = r"audit.sqlite cannot be used .*nothing is written to a device"
    with Audit.open(tmp_path) as audit:
        assert "until then nothing is written to a device." in caplog.text
        for call in (
            audit.verify,
            audit.head,
            lambda: audit.newest(1),
            lambda: audit.intend(Setpoint(TAG, 1), "", "", ""),
        ):
            with pytest.raises(StoreError, match=words):
                call()
    assert (tmp_path / "audit.sqlite").read_bytes() == damaged
