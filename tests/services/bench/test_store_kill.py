"""kill -9 of the store in full flow, in a flush, in a compaction, in a backup: a few of the rounds of the bench."""

from __future__ import annotations

from pathlib import Path

from shopfloor.services.bench.store.kill import MOMENTS, kill


def test_nothing_acknowledged_is_lost_and_every_answer_stays(tmp_path: Path) -> None:
    part = kill(len(MOMENTS), 3, tmp_path)
    (summary,) = part["summary"]
    assert part["well"], summary
    assert (summary["lost"], summary["torn"], summary["changed"], summary["damaged"]) == (0, 0, 0, 0)
    assert summary["values_stored"] >= summary["acknowledged"] > 0
    assert summary["backups"] == 2
