"""The alarms of the design: what can come of whom, and what is set aside before it comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from shopfloor.plant import Limit, Tag
from shopfloor.plant.tag import Side
from shopfloor.services.alarms import (
    Alarm,
    AlarmKind,
    AlarmUnknown,
    Aside,
    AsideKind,
    Change,
    Condition,
    State,
    Watched,
)
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.designed import Designed
from shopfloor.services.alarms.limits import Rule
from shopfloor.services.alarms.sources import Link
from shopfloor.services.alarms.store import AlarmStore
from shopfloor.services.alarms.transitions import NEWEST, Asked, transitions

CNC = "d/f/m/c/cnc-01"
TITLES = {CNC: "CNC 01"}
RULE = Rule(
    f"{CNC}/power", CNC, "CNC 01", Tag("power", unit="kW", title="Power"), Limit(Side.HIGH, 15.0, advice="Slow.")
)
SIGNAL = Condition(f"quality:{CNC}:bore", AlarmKind.QUALITY, "out_of_control", 3, "Bore out of control", "", asset=CNC)
PREDICTION = {
    "asset": CNC, "target": "tool_life", "title": "Tool life", "status": "ok", "value": 40.0, "advice": "Nothing.",
    "reasons": [{"sentence": "It is new."}], "unit": "min",
}  # fmt: skip
LINKS = (Link("edge-1", "machining", "connected", "", 0.1, 0.1), Link("edge-1", "file", "finished", "", 9, 0.1, False))
WATCHED = Watched(lambda: LINKS, lambda: (PREDICTION,), signals=lambda: (SIGNAL,))
CAN_COME = {
    RULE.key: (AlarmKind.LIMIT, "Power high", CNC),
    SIGNAL.key: (AlarmKind.QUALITY, "Bore out of control", CNC),
    f"model:{CNC}:tool_life": (AlarmKind.MODEL, "Tool life: CNC 01", CNC),
    "source:down:edge-1:machining": (AlarmKind.SOURCE, "Source machining is down", None),
    "source:quiet:edge-1:machining": (AlarmKind.SOURCE, "No values from machining", None),
    "source:dropped:edge-1:machining": (AlarmKind.SOURCE, "Values of machining are being lost", None),
    "source:down:edge-1:file": (AlarmKind.SOURCE, "Source file is down", None),
    "source:dropped:edge-1:file": (AlarmKind.SOURCE, "Values of file are being lost", None),
    "source:silent:edge-1": (AlarmKind.SOURCE, "Gateway edge-1 is silent", None),
}


def test_what_can_come_of_limits_charts_predictions_and_sources(tmp_path: Path) -> None:
    with AlarmStore(tmp_path) as store:
        designed = Designed((RULE,), TITLES, WATCHED, Book(store), store)
        found = {one.condition.key: one for one in designed.all()}
        assert {
            key: (one.condition.kind, one.condition.title, one.condition.asset) for key, one in found.items()
        } == CAN_COME
        assert {one.alarm for one in found.values()} == {None}
        assert {one.condition.value for one in found.values()} == {None}, "no value of now, as nothing has come"
        assert found[RULE.key].condition.limit == 15.0
        assert found[f"model:{CNC}:tool_life"].condition.why == ""
        assert [one.condition.asset for one in designed.all(CNC)] == [CNC] * 3
        with pytest.raises(AlarmUnknown, match="alarms/designed"):
            designed.alarm("limit:of:nothing")
        assert store.newest_of_each() == {}, "asking writes nothing"


@pytest.mark.parametrize("key", CAN_COME)
@pytest.mark.parametrize("kind", [AsideKind.SHELVED, AsideKind.OUT_OF_SERVICE])
def test_what_is_set_aside_before_it_comes_is_heard_by_nobody_until_it_is_put_back(
    tmp_path: Path, key: str, kind: AsideKind
) -> None:
    heard: list[str] = []
    with AlarmStore(tmp_path) as store:
        book = Book(store, heard=lambda alarm, _: heard.append(alarm.condition.key))
        designed = Designed((RULE,), TITLES, WATCHED, book, store)
        never = designed.alarm(key)
        assert designed.alarm(key) == never, "one row, however often it is asked for"
        book.set_aside(Aside(key, kind, "Eva", 5, None, "Not wired yet.", never.id), never)
        assert (never.since, store.alarms(None, 9), store.open_alarms()) == (0, [], [])
        assert store.began(0, 99) == []
        ((aside, below),) = book.aside()
        assert (aside.kind, below.condition.key, below.state) == (kind, key, State.CLOSED)
        assert below.condition.sentence == f"{CAN_COME[key][1]} has not come yet."
        with AlarmStore(tmp_path) as again:
            assert len(Book(again).aside()) == 1, "also after a restart"
        book.apply(Change(key, 10, below.condition))
        assert (heard, book.open_alarms()) == ([], [])
        ((_, came),) = book.aside()
        assert (came.state, came.since, came.id > never.id) == (State.ACTIVE, 10, True)
        assert book.put_back(came, kind, 20, "Eva").state is State.ACTIVE
        assert heard == [key]
        assert [alarm.id for alarm in book.open_alarms()] == [came.id]
        steps = [(one.before, one.after, one.by) for one in transitions(store.database, 0, 99, Asked(), NEWEST)]
        assert steps[::-1] == [
            ("normal", kind.value, "Eva"), ("normal", "active", ""), (kind.value, "active", "Eva"),
        ]  # fmt: skip


def test_one_that_came_already_is_set_aside_as_it_is_and_what_was_put_back_is_forgotten(tmp_path: Path) -> None:
    with AlarmStore(tmp_path) as store:
        book = Book(store)
        designed = Designed((RULE,), TITLES, WATCHED, book, store)
        foreseen = designed.alarm(SIGNAL.key)
        book.set_aside(Aside(SIGNAL.key, AsideKind.SHELVED, "Eva", 5, 8, "Not yet.", foreseen.id), foreseen)
        store.forget(100)
        assert store.alarm(foreseen.id) is not None, "it carries what is set aside"
        book.tick(9)
        assert book.aside() == []
        store.forget(100)
        assert store.alarm(foreseen.id) is None
        raised = book.apply(Change(RULE.key, 50, designed.all(CNC)[1].condition))
        assert isinstance(raised, Alarm)
        assert raised.condition.key == RULE.key
        assert designed.alarm(RULE.key) == raised
