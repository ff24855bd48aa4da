"""The states of an alarm: the whole table, as ISA-18.2 draws it."""

from __future__ import annotations

from pathlib import Path

import pytest
from shopfloor.services.alarms import Alarm, AlarmKind, Change, Condition, Move, State, after
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.store import AlarmStore

A, K, R, C = State.ACTIVE, State.ACKNOWLEDGED, State.RETURNED, State.CLOSED
TABLE = {
    (A, Move.RAISE): A, (A, Move.RETURN): R, (A, Move.ACKNOWLEDGE): K,
    (K, Move.RAISE): K, (K, Move.RETURN): C, (K, Move.ACKNOWLEDGE): K,
    (R, Move.RAISE): A, (R, Move.RETURN): R, (R, Move.ACKNOWLEDGE): C,
    (C, Move.RAISE): C, (C, Move.RETURN): C, (C, Move.ACKNOWLEDGE): C,
}  # fmt: skip
HIGH = Condition(
    "limit:x", AlarmKind.LIMIT, "limit_high", 2, "Power high", "Power is high.", asset="a", values={"v": 1}
)


@pytest.mark.parametrize(("state", "move"), TABLE)
def test_every_move_from_every_state(state: State, move: Move) -> None:
    assert after(state, move) is TABLE[state, move]


def moves(book: Book, text: str) -> list[str]:
    """Play r(aise), n(ormal), a(cknowledge); the states that came of it."""
    seen: list[str] = []
    last: Alarm | None = None
    for time, move in enumerate(text, 1):
        if move == "a":
            assert last is not None
            last = book.acknowledge(last, "Anna", time, "seen")
            seen.append(last.state)
            continue
        alarm = book.apply(Change(HIGH.key, time, HIGH if move == "r" else None))
        last = alarm or last
        seen.append(alarm.state if alarm else "-")
    return seen


@pytest.mark.parametrize(
    ("text", "states", "ids"),
    [
        ("rn", ["active", "returned"], 1),
        ("ran", ["active", "acknowledged", "closed"], 1),
        ("rna", ["active", "returned", "closed"], 1),
        ("rr", ["active", "-"], 1),
        ("rar", ["active", "acknowledged", "-"], 1),
        ("rnr", ["active", "returned", "active"], 1),
        ("ranr", ["active", "acknowledged", "closed", "active"], 2),
        ("rnara", ["active", "returned", "closed", "active", "acknowledged"], 2),
        ("n", ["-"], 0),
        ("rnn", ["active", "returned", "-"], 1),
        ("raa", ["active", "acknowledged", "acknowledged"], 1),
    ],
)
def test_a_life(tmp_path: Path, text: str, states: list[str], ids: int) -> None:
    with AlarmStore(tmp_path) as store:
        assert moves(Book(store), text) == states
        assert len(store.alarms(None, 10)) == ids
        open_states = [a.state for a in store.open_alarms()]
        assert len(open_states) <= 1


def test_an_alarm_survives_a_restart_with_all_it_knows(tmp_path: Path) -> None:
    with AlarmStore(tmp_path) as store:
        moves(Book(store), "ra")
    with AlarmStore(tmp_path) as store:
        book = Book(store)
        (alarm,) = book.open_alarms()
        assert alarm.condition == HIGH
        assert alarm.acknowledged is not None
        assert (alarm.state, alarm.since, alarm.acknowledged.by) == (State.ACKNOWLEDGED, 1, "Anna")
        assert book.apply(Change(HIGH.key, 9, HIGH)) is None
        closed = book.apply(Change(HIGH.key, 10))
        assert closed is not None
        assert closed.state is State.CLOSED


def test_every_move_is_an_event(tmp_path: Path) -> None:
    with AlarmStore(tmp_path) as store:
        moves(Book(store), "ran")
        events = store.events(0, 100, "a", 10)
        assert [event.kind for event in events] == ["alarm-returned", "alarm-acknowledged", "alarm-raised"]
        assert events[1].sentence == "Power high: seen by Anna."
        assert store.events(0, 100, "b", 10) == []
        assert [e.kind for e in store.events(2, 3, None, 10)] == ["alarm-acknowledged"]


def test_the_most_urgent_comes_first(tmp_path: Path) -> None:
    with AlarmStore(tmp_path) as store:
        book = Book(store)
        for key, priority in (("x", 3), ("y", 1), ("z", 2)):
            book.apply(Change(key, 1, Condition(key, AlarmKind.MODEL, "c", priority, key, key)))
        book.apply(Change("y", 2))
        assert [a.condition.key for a in book.open_alarms()] == ["y", "z", "x"]
        assert book.version == 4
