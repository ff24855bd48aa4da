"""An alarm that a full disk refuses is not forgotten."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from running_server import POWER, running, until
from shopfloor.plant import Sample, StoreError
from shopfloor.services.alarms.book import Book


def test_a_change_that_cannot_be_written_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, refused = Book.apply, []

    def full(book: Book, change: object) -> object:
        if len(refused) < 2:
            refused.append(change)
            raise StoreError("The disk is full.")
        return write(book, change)  # type: ignore[arg-type]

    with running(tmp_path) as server:
        monkeypatch.setattr(Book, "apply", full)
        server.feed(Sample(POWER, time.time_ns(), 16.0))
        until(lambda: [a["value"] for a in server.get("/alarms")] == [16.0])
    assert len(refused) == 2
    assert refused[0] == refused[1]
