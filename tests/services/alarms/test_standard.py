"""The alarm state transition diagram of ANSI/ISA-18.2-2016 as a table, and the book that must follow it.

Rows are the states of the diagram (letters in brackets as there), columns what happens. "-" stays where it is.
The diagram lets each of shelved, suppressed by design and out of service be entered from every state; below them the
state goes on, so that what shows afterwards is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from shopfloor.services.alarms import Alarm, AlarmKind, Aside, AsideKind, AsideMove, Change, Condition, moved, shown
from shopfloor.services.alarms.book import Book, Design
from shopfloor.services.alarms.state import Move, State, after
from shopfloor.services.alarms.store import AlarmStore

S = 1_000_000_000
MOVES = (Move.RETURN, Move.LATCH, Move.CLEAR, Move.ACKNOWLEDGE, Move.RESET, Move.REALARM, Move.RAISE)
TABLE = """
                          return    latch                 clear   acknowledge           reset   re-alarm  raise
(B) active                returned  latched               closed  acknowledged          -       -         -
(C) acknowledged          closed    latched-acknowledged  closed  -                     -       active    -
(D) returned              -         -                     closed  closed                -       -         active
(E) latched               -         -                     closed  latched-acknowledged  -       -         active
(F) latched-acknowledged  -         -                     closed  -                     closed  -         active
(A) closed                -         -                     -       -                     -       -         -
"""
SIDES = {
    AsideMove.SHELVE: "shelved",
    AsideMove.SUPPRESS: "suppressed",
    AsideMove.REMOVE_FROM_SERVICE: "out-of-service",
}
BACK = {
    AsideMove.SHELVE: AsideMove.UNSHELVE,
    AsideMove.SUPPRESS: AsideMove.UNSUPPRESS,
    AsideMove.REMOVE_FROM_SERVICE: AsideMove.RETURN_TO_SERVICE,
}


def cells() -> Iterator[tuple[State, Move, State]]:
    head, *rows = TABLE.strip().splitlines()
    assert tuple(Move(word) for word in head.split()) == MOVES
    for row in rows:
        _, state, *answers = row.split()
        for move, answer in zip(MOVES, answers, strict=True):
            yield State(state), move, State(state if answer == "-" else answer)


def test_every_state_and_every_move_of_the_diagram() -> None:
    table = list(cells())
    assert len(table) == len(State) * len(Move)
    assert {(state, move): after(state, move) for state, move, _ in table} == {(s, m): to for s, m, to in table}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", SIDES)
def test_set_aside_from_every_state_and_the_true_state_shows_afterwards(state: State, move: AsideMove) -> None:
    aside = moved((), move)
    assert shown(state, aside) == SIDES[move]
    for what in Move:
        below = after(state, what)
        assert shown(below, aside) == SIDES[move], "nothing that happens below shows"
        assert shown(below, moved(aside, BACK[move])) == ("normal" if below is State.CLOSED else below.value)
    assert moved((), BACK[move]) == frozenset()


def test_what_is_set_aside_twice_shows_when_both_have_ended() -> None:
    order = list(AsideKind)
    for moves in permutations(SIDES):
        aside: frozenset[AsideKind] = frozenset()
        for move in moves:
            aside = moved(aside, move)
            assert shown(State.ACTIVE, aside) == min(aside, key=order.index).value
        for move in moves:
            aside = moved(aside, BACK[move])
        assert shown(State.ACTIVE, aside) == "active"


def condition(key: str = "limit:x", *, latch: bool = False, realarm_s: float | None = None) -> Condition:
    return Condition(key, AlarmKind.LIMIT, "limit_high", 2, "Power high", "Power is high.", asset="a", latch=latch,
                     realarm_s=realarm_s)  # fmt: skip


class Played:
    """A book on a real file, played by letters: r(aise) n(ormal) a(cknowledge) z (reset), s/S shelve and back,
    d/D suppressed by design and back, o/O out of service and back, t: a minute passes."""

    def __init__(self, folder: Path, what: Condition) -> None:
        self.what, self.reason, self.time = what, "", 0
        self.heard: list[int] = []
        self.store = AlarmStore(folder)
        self.store.__enter__()
        self.book = Book(self.store, Design(lambda *_: self.reason), lambda _, time: self.heard.append(time // S))
        self.states: list[str] = []

    def alarm(self) -> Alarm:
        alarm = self.store.newest(self.what.key)
        assert alarm is not None
        return alarm

    def play(self, text: str) -> list[str]:
        for letter in text:
            self.time += (60 if letter == "t" else 1) * S
            self.step(letter)
            self.book.tick(self.time)
            hidden = self.book.aside_of(self.what.key)
            self.states.append(hidden.kind if hidden else shown(self.alarm().state, ()))
        return self.states

    def step(self, letter: str) -> None:
        key, now = self.what.key, self.time
        match letter:
            case "r" | "n":
                self.book.apply(Change(key, now, self.what if letter == "r" else None))
            case "a":
                self.book.acknowledge(self.alarm(), "Anna", now, "")
            case "z":
                self.book.reset(self.alarm(), "Anna", now, "")
            case "s":
                aside = Aside(key, AsideKind.SHELVED, "Anna", now, now + 50 * S, "Sensor is cleaned.", 1)
                self.book.set_aside(aside, self.alarm())
            case "o":
                aside = Aside(key, AsideKind.OUT_OF_SERVICE, "Eva", now, None, "Pump is away.", 1)
                self.book.set_aside(aside, self.alarm())
            case "S" | "O":
                kind = AsideKind.SHELVED if letter == "S" else AsideKind.OUT_OF_SERVICE
                self.book.put_back(self.alarm(), kind, now, "Eva")
            case "d" | "D":
                self.reason = "state is STOPPED." if letter == "d" else ""


N, A, K, R, L, F, H, P, X = (
    "normal", "active", "acknowledged", "returned", "latched", "latched-acknowledged", "shelved", "suppressed",
    "out-of-service",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "states", "heard"),
    [
        ("rsS", [A, H, A], [1, 3]),
        ("rast", [A, K, H, K], [1]),
        ("rst", [A, H, A], [1, 62]),
        ("rsnt", [A, H, H, N], [1]),
        ("rnst", [A, R, H, R], [1]),
        ("ransrt", [A, K, N, H, H, A], [1, 65]),
        ("ransrnt", [A, K, N, H, H, H, N], [1]),
        ("rdD", [A, P, A], [1, 3]),
        ("randrD", [A, K, N, N, P, A], [1, 6]),
        ("randrnD", [A, K, N, N, P, N, N], [1]),
        ("rotO", [A, X, X, A], [1, 63]),
        ("rsot", [A, H, X, X], [1]),
        ("rsotO", [A, H, X, X, A], [1, 64]),
        ("rsdSD", [A, H, P, P, A], [1, 5]),
    ],
)
def test_lives_with_something_set_aside(tmp_path: Path, text: str, states: list[str], heard: list[int]) -> None:
    played = Played(tmp_path, condition())
    with played.store:
        assert played.play(text) == states
        assert played.heard == heard, "when it asks for attention"


def test_a_latched_alarm_stays_until_it_was_seen_and_reset(tmp_path: Path) -> None:
    played = Played(tmp_path, condition(latch=True))
    with played.store:
        assert played.play("rnzazranzsrn") == [A, L, L, F, N, A, K, F, N, H, H, H]
        assert played.play("t")[-1] == L, "a latched alarm waits below the shelf"


def test_an_acknowledged_alarm_that_lasts_asks_again(tmp_path: Path) -> None:
    played = Played(tmp_path, condition(realarm_s=60))
    with played.store:
        assert played.play("ratat") == [A, K, A, K, A]
        assert played.heard == [1, 62, 123]
        assert len(played.store.alarms(None, 10)) == 1


def test_what_is_older_than_the_retention_goes_and_what_is_open_or_set_aside_stays(tmp_path: Path) -> None:
    played, other = Played(tmp_path, condition()), condition("limit:y")
    with played.store:
        played.play("ranr")
        played.book.apply(Change(other.key, 5 * S, other))
        done = played.store.newest(other.key)
        assert done is not None
        played.book.acknowledge(done, "Anna", 6 * S, "")
        played.book.apply(Change(other.key, 7 * S))
        played.book.set_aside(Aside(other.key, AsideKind.OUT_OF_SERVICE, "Eva", 8 * S, None, "Away.", done.id), done)
        assert [alarm.state for alarm in played.store.alarms(None, 10)] == ["closed", "active", "closed"]
        played.store.forget(9 * S)
        assert {alarm.condition.key for alarm in played.store.alarms(None, 10)} == {other.key, played.what.key}
        assert [alarm.state for alarm in played.book.open_alarms()] == [State.ACTIVE]
        assert len(played.book.aside()) == 1
        assert played.store.events(0, 9 * S, None, 10) == []


def test_what_is_set_aside_survives_a_restart_and_is_told_with_who_and_why(tmp_path: Path) -> None:
    played = Played(tmp_path, condition())
    with played.store:
        played.play("rs")
    again = Played(tmp_path, condition())
    with again.store:
        assert again.book.open_alarms() == []
        ((aside, alarm),) = again.book.aside()
        assert (aside.kind, aside.by, aside.reason, alarm.state) == (H, "Anna", "Sensor is cleaned.", State.ACTIVE)
        again.book.tick(1_000 * S)
        assert [alarm.state for alarm in again.book.open_alarms()] == [State.ACTIVE]
        told = again.store.events(0, 2_000 * S, "a", 10)
        steps = [(event.detail["before"], event.detail["after"], event.detail.get("by")) for event in reversed(told)]
        assert steps == [(N, A, None), (A, H, "Anna"), (H, A, None)]
