"""The marks of an OPC UA source: how far it has been read, kept with the values."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from shopfloor.gateway.opcua.flow import Flow
from shopfloor.gateway.opcua.marks import Gap, Marks
from shopfloor.gateway.opcua.resume import Station
from shopfloor.gateway.opcua.session import Ticket
from shopfloor.plant import Batch, Sample

A, B = "delta/a/b/c/d/a", "delta/a/b/c/d/b.x"
STATION = Station(Ticket("i=7", b"nonce"), ((78, 2.0),), {78: 4}, "items")


def marks(data: bytes = b"") -> Marks:
    one = Marks()
    one.restore(data)
    one.follow([A, B])
    return one


def batch(*rows: tuple[str, int]) -> Batch:
    return Batch.of([Sample(tag, time, float(time)) for tag, time in rows])


def test_marks_survive_a_restart() -> None:
    one = marks()
    one.place(STATION)
    one.open(Gap(A, 5, 90))
    data = one.advance(batch((A, 3), (A, 2), (f"{B}[0]", 8), (f"{B}.Low", 9), ("delta/a/b/c/d/other", 99)))
    two = marks(data)
    assert (two.names, two.time.tolist(), two.counted.tolist()) == ([A, B], [3, 9], [2, 0])
    assert (two.gaps, two.station) == ([Gap(A, 5, 90)], STATION)
    assert two.to_bytes() == data


def test_a_station_moves_with_its_last_row_and_not_before() -> None:
    one = marks()
    one.place(STATION)
    there = Station(STATION.ticket, STATION.subscriptions, {78: 5}, "items")
    one.complete(3, there)
    middle = marks(one.advance(batch((A, 1), (A, 2))))
    assert (middle.station, middle.counted.tolist()) == (STATION, [2, 0])
    end = marks(one.advance(batch((A, 3))))
    assert (end.station, end.counted.tolist()) == (there, [0, 0])


def test_history_closes_gaps_and_moves_nothing_else() -> None:
    one = marks()
    one.advance(batch((A, 100)))
    one.gaps = [Gap(A, 5, 90), Gap(A, 100, 200)]
    one.late = True
    two = marks(one.advance(batch((A, 40), (A, 50))))
    assert two.gaps == [Gap(A, 50, 90), Gap(A, 100, 200)]
    assert (two.time.tolist(), two.counted.tolist()) == ([100, 0], [1, 0])


def test_what_a_crash_had_committed_is_skipped_and_repeats_are_found() -> None:
    one = marks()
    counts = np.array([2, 0])
    assert [row.time for row in one.skip(batch((A, 1), (B, 7), (A, 2), (A, 3)), counts)] == [7, 3]
    assert counts.tolist() == [0, 0]
    one.advance(batch((A, 9)))
    again = Batch.of([Sample(A, 9, 9.0), Sample(A, 9, 8.0), Sample(A, 9, 8.0), Sample(B, 9, 9.0)])
    assert one.repeats(again).tolist() == [True, False, True, False]


@pytest.mark.parametrize("cut", [0, 3, 20, 40, -1])
def test_damaged_marks_are_as_good_as_none(cut: int) -> None:
    one = marks()
    one.place(STATION)
    one.open(Gap(A, 5, 90))
    data = one.advance(batch((A, 3)))
    found = marks(data[:cut])
    assert (found.gaps, found.station, found.time.tolist()) == ([], None, [0, 0])
    marks(bytes(reversed(data)))


@pytest.mark.parametrize(("overflow", "gaps"), [(0x480, [Gap(B, 5, 15)]), (0, [Gap(A, 4, 10), Gap(B, 5, 15)])])
def test_a_queue_that_was_exactly_full_is_no_gap_when_the_server_says_which_overflowed(
    overflow: int, gaps: list[Gap]
) -> None:
    one = marks()
    one.advance(batch((A, 4), (B, 5)))
    nothing: Any = SimpleNamespace(items={}, subscriptions=(), following={}, look=lambda: None)
    flow = Flow(nothing, nothing, nothing, one, queue=2, ticket=STATION.ticket, resumed=True)
    rows = [Sample(A, 10, 1.0), Sample(A, 11, 2.0), Sample(B, 15, 1.0, overflow), Sample(B, 16, 2.0)]
    assert len(flow._checked(Batch.of(rows))) == 4
    assert one.gaps == gaps
