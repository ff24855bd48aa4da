"""The book of what targets have: what it says between changes is what it reads back after a start."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
from shopfloor.plant import Kind
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.log import Log
from shopfloor.services.historian.remote.deliveries import Deliveries
from shopfloor.services.historian.remote.offer import Refusal
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.segment import Segment

TARGETS = ("one", "two")
TAGS = Dictionary([(0, "delta/area/line/cell/asset/power", 1)])


def segment(id_: int) -> Segment:
    groups = np.empty((0, 4), np.int64)
    return Segment(id_, Path(str(id_)), Kind.FLOAT, "2026-01-01", 1, 1, id_, 0, 0, 0, groups)


def refusal(number: int) -> Refusal:
    one = np.zeros(1, np.int32)
    return Refusal(Rows(one, one.astype(np.int64), one.astype(np.float64), one.astype(np.uint32)), f"No {number}.")


def told(book: Deliveries, segments: list[Segment]) -> list[object]:
    waiting = [[one.id for one in book.waiting(target, segments)] for target in TARGETS]
    return [waiting, book.durable(), [(book.durable_of(target), book.refused(target)) for target in TARGETS]]


def test_the_book_says_what_it_would_read_back(tmp_path: Path) -> None:
    rng = random.Random(4)
    with closing(Log(tmp_path / "log.db")) as log:
        book = Deliveries(log, threading.Lock(), TARGETS)
        segments: list[Segment] = []
        for step in range(300):
            change(book, log, rng, segments, step)
            assert told(book, segments) == told(again(log), segments), step
        durable = book.durable()
        assert durable
        assert book.refused("one")[0] > 0


def change(book: Deliveries, log: Log, rng: random.Random, segments: list[Segment], step: int) -> None:
    """One of the things that happen: a flush, a segment taken, settled or lost, a compaction."""
    target = rng.choice(TARGETS)
    waiting, unsettled = book.waiting(target, segments), [id_ for id_, _, _ in book.unsettled(target)]
    free = [one for one in segments if one.id in (book.durable() or ())]
    if waiting and rng.random() < 0.7:
        refused = [refusal(step)] if rng.random() < 0.2 else []
        book.take(target, waiting[0], TAGS, refused, rng.choice([0.0, 5.0]), "run")
    elif unsettled and rng.random() < 0.7:
        cut = rng.randint(0, len(unsettled))
        book.settle(target, unsettled[:cut], unsettled[cut:])
    elif len(free) > 2:
        merged = segment(step)
        with log.transaction() as db:
            catalogued(db, merged)
            book.replaced(db, free[:2], [merged])
        book.committed(free[:2], [merged])
        segments[:] = [one for one in segments if one not in free[:2]] + [merged]
    else:
        segments.append(segment(step))
        with log.transaction() as db:
            catalogued(db, segments[-1])


def catalogued(db: sqlite3.Connection, made: Segment) -> None:
    db.execute("INSERT INTO segments(id, kind, name) VALUES (?, 'float64', ?)", (made.id, str(made.id)))


def again(log: Log) -> Deliveries:
    return Deliveries(log, threading.Lock(), TARGETS)
