"""Rows at moments: followed live in any pieces, begun anew anywhere, or made of the whole history: the same bits."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shopfloor.models.columns import SECOND
from shopfloor.models.spec import FeatureSpec, SpecError
from shopfloor.models.streaming import Running, StreamSpec, describe, good_columns, rows, sampled

ASSETS = ("a/b/c/d/m-1", "a/b/c/d/m-2", "a/b/c/d/m-3")
FEATURES = FeatureSpec(
    ("load", "state", "flow"), ((1.0, 0.0, 5.0),), ((2.0, 1.0, 3.0),), levels=(("state", ("IDLE", "RUN")),),
    remembered=("load", "flow"), lags=1, step=10.0 * SECOND, pairs=(("ratio", "load", "flow", 0.0, 1.0),),
)  # fmt: skip
SPEC = StreamSpec(FEATURES, ("spindle.load", "state", "coolant.flow"), every=10, hold=25, settle=8, lookback=60)
PLAIN = StreamSpec.of(("spindle.load", "coolant.flow"), every=10, hold=25, settle=8, lookback=60)
START = 1_700_000_040 * SECOND
BAD, UNCERTAIN = 0x8000_0000, 0x4000_0000

values = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([np.nan, np.inf, 0.0, -0.0, 3e8 + 0.001]))
arrivals = st.tuples(
    st.integers(0, 2), st.sampled_from(SPEC.tags), st.integers(0, 4200), values,
    st.sampled_from([0, 0, 0, BAD, UNCERTAIN, 0xC000_0000]), st.floats(0.0, float(SPEC.settle)),
)  # fmt: skip


class Store:
    """What came by some time, as a historian keeps it: of one tag and moment the value that came last."""

    def __init__(self, arrived):
        self.arrived = sorted(arrived, key=lambda a: a[2] * SECOND // 10 + a[5] * SECOND)

    def columns(self, start, end, now):
        held = {}
        for asset, tag, tenths, value, quality, late in self.arrived:
            time = START + tenths * SECOND // 10
            if time + late * SECOND <= now and start <= time < end:
                held[f"{ASSETS[asset]}/{tag}", time] = (value, quality)
        paths = sorted({key[0] for key in held})
        order = sorted(held, key=lambda key: (paths.index(key[0]), key[1]))
        text = [("RUN" if held[key][0] > 0 else "IDLE") if key[0].endswith("state") else None for key in order]
        tags = pa.DictionaryArray.from_arrays(
            pa.array([paths.index(k[0]) for k in order], pa.int32()), pa.array(paths, pa.string())
        )
        table = pa.table({
            "tag": tags, "time": pa.array([k[1] for k in order], pa.timestamp("ns", "UTC")),
            "value": pa.array([None if t else held[k][0] for k, t in zip(order, text, strict=True)], pa.float64()),
            "text": pa.array(text, pa.string()), "quality": pa.array([held[k][1] for k in order], pa.uint32()),
        })  # fmt: skip
        found = good_columns(table)
        return [found.get(asset, {}) for asset in ASSETS]


def followed(spec, store, begin, end, ticks):
    """Judged as time goes on: at each tick all moments that are settled, memories begun anew where they end."""
    out, running, upto = [], None, begin
    for now, stopped in ticks:
        restart = stopped
        due = min(now - spec.settle * SECOND + 1, end)
        while len(moments := spec.moments(upto, due)):
            if running is None or restart or moments[0] >= running.until:
                running = Running.begun(
                    spec, store.columns(spec.since(int(moments[0])), int(moments[0]), now), int(moments[0])
                )
            moments, restart = moments[moments < running.until], False
            first, last = int(moments[0]), int(moments[-1]) + 1
            inputs = sampled(spec, store.columns(first - spec.hold * SECOND, last, now), moments)
            out.append(running.take(moments, inputs))
            upto = last
    return (np.concatenate([getattr(one, key) for one in out]) for key in ("time", "x", "known"))


@settings(max_examples=60, deadline=None)
@given(
    arrived=st.lists(arrivals, max_size=60), again=st.lists(st.integers(0, 59), max_size=5), memory=st.booleans(),
    gaps=st.lists(st.tuples(st.integers(1, 90), st.booleans()), min_size=5, max_size=40),
)  # fmt: skip
def test_live_in_any_pieces_is_the_whole_history_to_the_bit(arrived, again, memory, gaps):
    spec = SPEC if memory else PLAIN
    store = Store(arrived + [arrived[i] for i in again if i < len(arrived)])
    begin, end = START + 130 * SECOND, START + 400 * SECOND
    now, ticks = begin, []
    for gap, restart in [*gaps, (1000, False)]:
        now += gap * SECOND
        ticks.append((now, restart))
    time, x, known = followed(spec, store, begin, end, ticks)
    whole = rows(spec, store.columns(spec.since(begin), end, 1 << 62), begin, end)
    np.testing.assert_array_equal(time, whole.time)
    np.testing.assert_array_equal(known, whole.known)
    assert x.tobytes() == whole.x.tobytes()
    cut = rows(spec, store.columns(spec.since(begin + 95 * SECOND), end, 1 << 62), begin + 95 * SECOND, end)
    assert cut.x.tobytes() == whole.x[-len(cut.time) :].tobytes()


def test_a_row_depends_on_two_lookbacks_at_most_and_on_all_of_one():
    tag, moment = "spindle.load", START + 600 * SECOND
    held = {tag: [(0, t, float(t % 7)) for t in range(0, 6000, 50)]}
    arrived = [(a, tag, t, v, 0, 0.0) for a, t, v in held[tag]]
    row = rows(SPEC, Store(arrived).columns(0, moment + 1, 1 << 62), moment, moment + 1).x
    since = SPEC.since(moment)
    assert moment - since <= (2 * SPEC.lookback + SPEC.hold) * SECOND
    other = [(a, t_, t, v + 1e6 if START + t * SECOND // 10 < since else v, q, w) for a, t_, t, v, q, w in arrived]
    assert rows(SPEC, Store(other).columns(0, moment + 1, 1 << 62), moment, moment + 1).x.tobytes() == row.tobytes()
    moved = [(a, t_, t, v + 1.0 if t == 5500 else v, q, w) for a, t_, t, v, q, w in arrived]
    assert rows(SPEC, Store(moved).columns(0, moment + 1, 1 << 62), moment, moment + 1).x.tobytes() != row.tobytes()


def test_bad_values_are_no_values_and_words_are_ranks():
    moment = START + 600 * SECOND
    arrived = [(0, "spindle.load", 5800, 4.0, 0, 0.0), (0, "spindle.load", 5990, 9.0, BAD, 0.0),
               (0, "state", 5990, 1.0, 0, 0.0), (0, "state", 6000, -1.0, BAD, 0.0)]  # fmt: skip
    columns = Store(arrived).columns(0, moment + 1, 1 << 62)
    got = sampled(SPEC, columns, np.array([moment, moment + 10 * SECOND]))[:, 0]
    np.testing.assert_array_equal(got, [[4.0, 1.0, np.nan], [np.nan, 1.0, np.nan]])


def test_golden_windows_are_described_as_live_rows_are():
    arrived = [(0, tag, t, float(t % 11), 0, 0.0) for tag in SPEC.tags for t in range(0, 6000, 30)]
    moment = START + 480 * SECOND
    columns = Store(arrived).columns(0, moment + 1, 1 << 62)
    window = sampled(SPEC, columns, SPEC.moments(SPEC.begin_of(moment), moment + 1))[:, 0]
    live = rows(SPEC, columns, moment, moment + 1).x[0, 0]
    assert describe(SPEC)(window[None])[0].tobytes() == live.tobytes()
    with pytest.raises(ValueError, match="golden windows are"):
        describe(SPEC)(np.zeros((1, 3000, 3)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"every": 0}, "`every` is 0"),
        ({"every": 1.5}, "`every` is 1.5"),
        ({"lookback": 65}, "times `every`"),
        ({"lookback": 864_000, "every": 1}, "times `every`"),
        ({"settle": -1}, "`settle` is -1"),
        ({"tags": ("a/b", "c", "d")}, "no tag of an asset"),
        ({"tags": ("a", "b")}, "3 inputs and 2 tags"),
        ({"features": FeatureSpec.plain(("a", "b", "c"), remembered=("a",))}, "the step is 1 ns"),
        ({"features": FeatureSpec.plain(("a", "b", "c"), age=True)}, "An age begins anew"),
    ],
)
def test_a_stream_that_no_model_may_be_judged_by_is_refused(change, said):
    fields = {key: getattr(SPEC, key) for key in ("features", "tags", "every", "hold", "settle", "lookback")}
    with pytest.raises(SpecError, match=said):
        StreamSpec(**{**fields, **change})


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["stream"].pop("hold"),
        lambda said: said["stream"].update(format=2),
        lambda said: said["stream"].update(tags=[1, 2, 3]),
        lambda said: said["stream"].update(lookback=10**400),
        lambda said: said["features"].update(lags=10**9),
        lambda said: said["features"].update(centre=[["x", 0, 0]]),
        lambda said: said["features"].update(centre=[[10**400, 0, 0]]),
        lambda said: said["features"].update(mixes=[["m", ["x", 0, 0]]]),
        lambda said: said["features"].update(mixes=5),
        lambda said: said.update(more=1),
        lambda said: said.update(features=[]),
    ],
)
def test_hostile_json_is_refused_in_one_sentence(change):
    said = SPEC.to_json()
    change(said)
    with pytest.raises(SpecError):
        StreamSpec.of_json(said)
