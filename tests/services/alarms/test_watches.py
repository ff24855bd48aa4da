"""Model and source alarms: patience before they are raised, patience before they return."""

from __future__ import annotations

from typing import Any

from shopfloor.services.alarms.alarm import Change
from shopfloor.services.alarms.predicted import ModelWatch
from shopfloor.services.alarms.sources import Link, SourceWatch

S = 1_000_000_000
CNC = "d/f/m/c/cnc-01"


def prediction(status: str, target: str = "tool_life") -> dict[str, Any]:
    reasons = [{"code": "worn", "sentence": f"Reason {i}.", "tag": f"{CNC}/load"} for i in range(4)]
    return {"asset": CNC, "target": target, "title": "Tool life", "status": status, "sentence": "It ends in 5 min.",
            "advice": "Change the tool.", "value": 5.0, "low": 2.0, "high": 8.0, "unit": "min",
            "reasons": reasons}  # fmt: skip


def play(watch: ModelWatch, statuses: list[str], start: int = 0) -> list[tuple[str, int]]:
    said = []
    for second, status in enumerate(statuses, start):
        said += [("raise" if c.condition else "return", second) for c in watch.judge([prediction(status)], second * S)]
    return said


def test_a_prediction_that_asks_for_action_becomes_an_alarm() -> None:
    watch = ModelWatch({CNC: "CNC 01"})
    assert list(watch.judge([prediction("act")], 0)) == []
    (change,) = watch.judge([prediction("act")], 3 * S)
    condition = change.condition
    assert condition is not None
    assert (condition.code, condition.priority, condition.title) == ("tool_life", 2, "Tool life: CNC 01")
    assert condition.why == "Reason 0. Reason 1. Reason 2."
    assert (condition.advice, condition.tag, condition.value) == ("Change the tool.", f"{CNC}/load", 5.0)


def test_one_flicker_raises_nothing_and_returns_nothing() -> None:
    watch = ModelWatch({})
    assert play(watch, ["act", "ok", "act", "ok"]) == []
    assert play(watch, ["act"] * 3, 10) == [("raise", 12)]
    assert play(watch, ["ok"] * 20 + ["act"] + ["watch"] * 31, 20) == [("return", 71)]


def test_unknown_changes_nothing() -> None:
    watch = ModelWatch({}, [f"model:{CNC}:tool_life"])
    assert play(watch, ["unknown"] * 100) == []


def test_priorities_by_target() -> None:
    watch = ModelWatch({})
    rows = [prediction("act", t) for t in ("anode_effect", "pot_unusual", "something_new")]
    list(watch.judge(rows, 0))
    assert [c.condition.priority for c in watch.judge(rows, 5 * S) if c.condition] == [1, 3, 3]


def link(state: str = "connected", age: float | None = 0.5, silent: float = 0.5, streams: bool = True) -> Link:
    return Link("edge-1", "machining", state, "The port is closed.", age, silent, streams)


def follow(watch: SourceWatch, link_now: Link, seconds: range) -> list[Change]:
    return [change for second in seconds for change in watch.judge([link_now], second * S)]


def test_a_link_that_is_down_for_ten_seconds() -> None:
    watch = SourceWatch()
    assert follow(watch, link("connecting"), range(9)) == []
    (change,) = follow(watch, link("connecting"), range(9, 12))
    assert change.condition is not None
    assert (change.condition.code, change.condition.why) == ("source_lost", "The port is closed.")
    assert change.condition.values == {"gateway": "edge-1", "source": "machining"}
    (back,) = follow(watch, link(), range(12, 16))
    assert back.condition is None


def follow_from(watch: SourceWatch, newest: float, seconds: range) -> list[Change]:
    """A source whose newest value is of that second."""
    return [
        change for second in seconds for change in follow(watch, link(age=second - newest), range(second, second + 1))
    ]


def test_a_source_that_speaks_seldom_is_no_alarm_until_it_stays_away_for_thrice_as_long() -> None:
    watch = SourceWatch()
    for minute in range(10):
        changes = follow_from(watch, 60.0 * minute, range(60 * minute, 60 * minute + 60))
        assert [change.condition is not None for change in changes] == (
            [True] if minute == 0 else [False] if minute == 1 else []
        )
    assert follow_from(watch, 540.0, range(600, 720)) == []
    assert [change.condition is not None for change in follow_from(watch, 540.0, range(720, 780))] == [True]


def test_an_outage_is_soon_forgotten() -> None:
    watch = SourceWatch()
    follow(watch, link(), range(100))
    assert len(follow_from(watch, 100.0, range(100, 4000))) == 1
    assert len(follow(watch, link(), range(4000, 4030))) == 1
    assert len(follow_from(watch, 4030.0, range(4030, 4042))) == 1


def test_values_that_never_came_again_after_a_start_are_missed_after_half_a_minute() -> None:
    assert len(follow_from(SourceWatch(), -3600.0, range(3))) == 1
    assert follow_from(SourceWatch(), 0.0, range(30)) == []


def test_a_source_without_values_and_a_silent_gateway() -> None:
    watch = SourceWatch()
    assert follow(watch, link(), range(5)) == []
    assert follow_from(watch, 5.0, range(5, 16)) == []
    (quiet,) = follow_from(watch, 5.0, range(16, 18))
    assert quiet.condition is not None
    assert quiet.condition.code == "source_quiet"
    (silent,) = [c for c in follow(watch, link(silent=11), range(18, 19)) if c.condition]
    assert silent.condition is not None
    assert silent.condition.code == "gateway_silent"
    assert follow(SourceWatch(), link("finished", None), range(30)) == []
    assert follow(SourceWatch(), link(age=99, streams=False), range(30)) == []


def test_one_alarm_for_a_silent_gateway_with_many_sources() -> None:
    links = [Link("edge-1", f"source-{i}", "connected", "", 1.0, 20.0) for i in range(5)]
    assert len(list(SourceWatch().judge(links, 0))) == 1


def test_dropped_values_are_an_alarm_until_half_a_minute_after_the_last() -> None:
    watch = SourceWatch()

    def look(dropped: int, second: int) -> list[tuple[str, str]]:
        link = Link("edge-1", "machining", "connected", "", 1.0, 0.0, dropped=dropped)
        return [(c.key, c.condition.title if c.condition else "") for c in watch.judge([link], second * S)]

    assert look(10, 0) == [], "what was dropped before this server began is no news"
    assert look(10, 1) == []
    assert look(25, 2) == [("source:dropped:edge-1:machining", "Values of machining are being lost")]
    assert look(40, 3) == look(40, 4) == look(40, 33) == []
    assert look(40, 34) == [("source:dropped:edge-1:machining", "")]
