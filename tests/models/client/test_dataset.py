"""Labelled data sets from a real server: what an event is, what a window shows, and what it must never show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running_server import CNC, COUNT, POWER, STATE, TEMPERATURE, Running, running, until
from shopfloor.models.client import Dataset, alarms, dataset, downtime, scrap
from shopfloor.models.client.draw import QUIET, Rule, draw
from shopfloor.models.client.spans import UNKNOWN, Span
from shopfloor.models.spec import Stream
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import Batch, QuestionError, Sample

S = 1_000_000_000
NOON = 1_790_000_000 * S
HOUR = 3600 * S
BAD = 0x80340000
OTHER = CNC.replace("cnc-01", "cnc-02")
TAGS = ["spindle.power", "spindle.temperature"]
STOP = NOON + 1800 * S


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An hour of two machines, 10 s apart: power is the seconds since noon; two alarms, a stop, three bad parts."""
    with running(tmp_path_factory.mktemp("dataset")) as server:
        seconds = np.arange(0, 3600, 10)
        for name in (POWER, TEMPERATURE):
            for path in (name, name.replace(CNC, OTHER)):
                server.send(_ramp(path, seconds))
        for at, state in ((0, "EXECUTE"), (1800, "STOPPED"), (1980, "EXECUTE")):
            server.feed(Sample(STATE, NOON + at * S, state))
        for at, count in ((0, 0), (700, 0), (1201, 1), (2401, 3), (3000, 0), (3300, 1)):
            server.feed(Sample(COUNT, NOON + at * S, count))
        yield server


def _ramp(path: str, seconds: Any) -> Batch:
    """Below all limits; temperature is bad from 600 s to 900 s."""
    quality = np.where((path.endswith("temperature")) & (seconds >= 600) & (seconds < 900), BAD, 0).astype(np.uint32)
    return Batch((path,), np.zeros(len(seconds), np.int32), NOON + seconds * S, 10 + seconds / 1000.0, quality)


def asked(server: Running, event: Any, **changes: Any) -> Dataset:
    given = {"tags": TAGS, "start": NOON, "end": NOON + HOUR, "before": "2min", "after": "5min", "assets": CNC}
    return dataset(event, url=server.url, **{**given, **changes})


def test_windows_before_a_stop_show_its_past_alone(server: Running) -> None:
    found = asked(server, downtime("STOPPED"))
    (row,) = np.flatnonzero(found.label == "downtime")
    assert (found.time[row], found.asset[row]) == (STOP - 10 * S, CNC)
    assert found.windows.shape == (4, 12, 2)
    np.testing.assert_allclose(found.windows[row, :, 0], 10 + np.arange(1680, 1800, 10) / 1000.0)
    assert found.y.sum() == 1
    assert (np.abs(found.time[found.y == 0] - STOP) > 120 * S).all()
    assert str(found) == "4 moments of 1 assets (1 downtime, 3 quiet); windows (4, 12, 2), 100% of it known."


def test_quiet_times_lie_outside_events_their_after_and_the_future(server: Running) -> None:
    found = asked(server, downtime("STOPPED"), negatives=None, hop="10s")
    quiet = found.time[found.y == 0]
    assert len(quiet) > 200
    window, before = 110 * S, 120 * S
    assert not ((quiet >= STOP - before) & (quiet - window <= NOON + (1980 + 300) * S)).any()
    assert quiet.max() == NOON + HOUR - before
    assert found.y.sum() == 12
    assert asked(server, downtime("STOPPED"), negatives=2.5, hop="10s").y.sum() == 12
    assert len(asked(server, downtime("STOPPED"), negatives=2.5, hop="10s")) == 12 + 30


def test_what_is_bad_or_too_old_is_not_known(server: Running) -> None:
    found = asked(server, [(CNC, NOON + 905 * S, NOON + 905 * S, "leak")], negatives=0, window="10min", hold="30s")
    known = found.known[0]
    at = found.time[0] - NOON + np.arange(-590, 10, 10) * S
    assert known[:, 0].all()
    np.testing.assert_array_equal(known[:, 1], (at < 620 * S) | (at >= 900 * S))


def test_scrap_is_each_rise_of_a_counter_and_each_bad_state(server: Running) -> None:
    found = asked(server, scrap("part.count"), after=0)
    assert [(one.start - NOON) // S for one in found.events if one.label] == [1201, 2401, 3300]
    assert ((found.time[found.y == 1] - NOON) // S).tolist() == [1200, 2400, 3290]
    assert [(one.start - NOON) // S for one in asked(server, scrap("part.count", bad=3), after=0).events] == [2401]


def test_alarms_of_the_journal_are_events(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for at, value in ((0, 3.0), (600, 16.0), (660, 3.0), (1800, 16.0), (1810, 3.0)):
            server.feed(Sample(POWER, NOON + at * S, value))
            server.feed(Sample(TEMPERATURE, NOON + at * S, 20.0))
        until(lambda: len(server.get("/alarms/journal", start=NOON / 1e6, end=(NOON + HOUR) / 1e6)) == 2)
        found = asked(server, alarms(tag="spindle.power", priority=2), hold="1h")
        assert [(one.start - NOON) // S for one in found.events] == [600, 1800]
        assert ((found.time[found.y == 1] - NOON) // S).tolist() == [590, 1790]
        for other in (alarms(priority=1), alarms(text="temperature"), alarms(OTHER), alarms(kind="source")):
            with pytest.raises(QuestionError, match="No such event"):
                asked(server, other)


def test_rows_are_those_of_live_judging(server: Running) -> None:
    """The features of a live specification with memory, pushed value by value from where its memory begins."""
    spec = StreamSpec.of(tuple(TAGS), every=10, hold=30, lookback=300, remembered=tuple(TAGS))
    found = asked(server, [(CNC, NOON + 1700 * S, NOON + 1750 * S, "leak")], spec=spec, hop="30s")
    assert found.x.shape == (len(found), len(spec.features.names))
    for row in (0, len(found) - 1):
        stream = Stream(spec.features)
        for at in range(spec.begin_of(int(found.time[row])), int(found.time[row]) + 1, 10 * S):
            bad = ((at - NOON) // S - 20 >= 600 and (at - NOON) // S < 900) or at < NOON
            power = 10 + (at - NOON) / S / 1000.0 if at >= NOON else np.nan
            said = stream.push([CNC], np.array([at]), np.array([[power, np.nan if bad else power]]))
        np.testing.assert_array_equal(said[0], found.x[row])


def test_the_same_question_gives_the_same_rows_and_its_lineage(server: Running) -> None:
    one, two = (asked(server, downtime("STOPPED"), seed=4) for _ in range(2))
    assert one.sha == two.sha != asked(server, downtime("STOPPED"), seed=5).sha
    told = one.lineage(seeds=[4])
    assert '"downtime": {"label": "downtime", "states": ["STOPPED"], "tag": "state"}' in told.source
    assert one.sha in told.source
    assert told.rows_sha == two.lineage().rows_sha


def test_a_flat_table_and_a_split_that_nothing_crosses(server: Running) -> None:
    found = asked(server, scrap("part.count"), after=0, negatives=None)
    table = found.table()
    assert list(table) == ["asset", "time", "window", "label", *TAGS]
    assert {len(column) for column in table.values()} == {len(found) * 12}
    assert table["time"][11].astype(np.int64) == found.time[0]
    earlier, later = found.split(NOON + 1500 * S)
    assert earlier.time.max() <= NOON + 1500 * S
    assert later.time.min() - 120 * S - 120 * S > NOON + 1500 * S
    assert len(earlier) + len(later) < len(found)


def test_without_an_event_every_moment_comes_for_a_truth_of_your_own(server: Running) -> None:
    found = asked(server, None, window="10s", assets="delta", start=NOON + 60 * S, end=NOON + 120 * S)
    assert sorted(set(found.asset)) == [CNC, OTHER]
    assert len(found) == 12
    with pytest.raises(QuestionError, match="have no truth"):
        _ = found.y
    truth = np.arange(12.0)
    assert found.labelled(truth).y.tolist() == truth.tolist()
    with pytest.raises(QuestionError, match="expected is one for each of the 12 rows"):
        found.labelled(truth[:3])


@pytest.mark.parametrize(
    ("event", "changes", "sentence"),
    [
        (downtime("ABORTED"), {}, "No such event of 1 assets in 1 h"),
        (downtime("STOPPED"), {"tags": []}, "No tags are named"),
        (downtime("STOPPED"), {"tags": ["load"]}, "cnc-01 lacks load"),
        (downtime("STOPPED", tag="stat"), {}, "cnc-01 lacks stat"),
        (downtime("STOPPED"), {"start": NOON - HOUR, "end": NOON}, "No such event"),
        (downtime("STOPPED"), {"assets": "delta/none"}, "No asset fits"),
        (downtime("STOPPED"), {"before": "ten"}, "before is 'ten'"),
        (downtime("STOPPED"), {"before": "15s"}, "multiple of every"),
        (downtime("STOPPED"), {"every": 0}, "expected whole seconds"),
        (downtime("STOPPED"), {"after": -1}, "after is -1"),
        ([(CNC, NOON)], {}, "Event 1 is"),
        ([(CNC, NOON, NOON - 1, "x")], {}, "ends before it starts"),
        (alarms(kind="fire"), {}, "expected one of limit, model, source"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(server: Running, event: Any, changes: Any, sentence: str) -> None:
    with pytest.raises(QuestionError, match=sentence):
        asked(server, event, **changes)


spans = st.lists(
    st.builds(
        lambda start, length, label: Span("a", start * 7, (start + length) * 7, label),
        st.integers(0, 150), st.integers(0, 30), st.sampled_from(["stop", "scrap", UNKNOWN]),
    ), max_size=6,
)  # fmt: skip


@given(spans, st.integers(1, 5), st.integers(1, 5), st.integers(0, 60), st.sampled_from([None, 0.5, 3.0]))
def test_no_draw_ever_touches_an_event_or_looks_ahead(
    known: list[Span], before: int, window: int, after: int, negatives: float | None
) -> None:
    rule = Rule(before * 10, after, window * 10, 10, 10, negatives)
    found = draw(rule, {"a": known}, 0, 1000)
    events = [one for one in known if one.label != UNKNOWN]
    for at, label in zip(found.time.tolist(), found.label.tolist(), strict=True):
        first = at - rule.window + 10
        assert first >= 0
        for one in known:
            assert one.start > at or one.end + after * (one.label != UNKNOWN) < first
        ahead = [one for one in (events if label != QUIET else known) if at < one.start <= at + rule.before]
        assert bool(ahead) == (label != QUIET)
        assert label == QUIET or label in {one.label for one in ahead if one.start == min(a.start for a in ahead)}
        assert label != QUIET or at + rule.before <= 1000
    if negatives is not None:
        events_drawn = int((found.label != QUIET).sum())
        assert len(found.time) - events_drawn <= round(negatives * events_drawn)
