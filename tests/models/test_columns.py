"""Step-held columns: the same means from exceptions and from a dense stream, whatever else was read."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.models import toy
from shopfloor.models.columns import SECOND, Steps, columns

START = 1_800_000_000 * SECOND


def steps(gaps, values):
    return Steps(START + np.cumsum(gaps).astype(np.int64) * SECOND, np.array(values, float))


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([1.0, 2.5, -4.0, np.nan])), min_size=1, max_size=40))
def test_a_stream_of_changes_and_a_dense_stream_have_the_same_means(rows):
    sparse = steps(*zip(*rows, strict=True))
    ticks = np.arange(sparse.time[0], sparse.time[-1] + 5 * SECOND, SECOND)
    dense = Steps(ticks, sparse.at(ticks))
    begin, end = np.array([ticks[0]]), np.array([ticks[-1] + SECOND])
    for mine, theirs in zip(sparse.moments(begin, end), dense.moments(begin, end), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 30), st.integers(1, 40))
def test_an_interval_is_summed_by_itself(low, width):
    rng = np.random.default_rng(3)
    whole = steps(rng.integers(1, 4, 60), rng.normal(size=60))
    begin = np.array([START + low * SECOND])
    end = begin + width * SECOND
    alone = whole.since(int(begin[0])).before(int(end[0])).moments(begin, end)
    np.testing.assert_array_equal(np.array(whole.moments(begin, end)), np.array(alone))


def test_bad_values_end_what_was_held():
    mean = steps([1, 2, 2], [1.0, np.nan, 3.0]).mean(np.array([START]), np.array([START + 7 * SECOND]))
    assert mean.tolist() == [(2 * 1.0 + 2 * 3.0) / 4]


def test_a_table_of_a_reader_becomes_columns_by_asset_and_tag():
    world = {"a/b/c/d/m-1": toy.machine(1, 0.05, start=START), "a/b/c/d/m-2": toy.machine(2, 0.05, start=START)}
    found = columns(toy.table(world, START, START + 3600 * SECOND))
    assert set(found) == set(world)
    assert found["a/b/c/d/m-2"]["state"].value[0] == "EXECUTE"
    np.testing.assert_array_equal(
        found["a/b/c/d/m-1"]["spindle.power"].value, world["a/b/c/d/m-1"]["spindle.power"].before(
            START + 3600 * SECOND).value,
    )  # fmt: skip
