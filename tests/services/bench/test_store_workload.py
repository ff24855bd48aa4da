"""The load of `shopfloor bench store`: what it promises, counted."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal
from shopfloor.plant import Batch, TagPath
from shopfloor.services.bench.store.signals import Shape
from shopfloor.services.bench.store.workload import START, Load, day, history, month, plant

SMALL = Load("plant", assets=3, tens=2, fast=1)


def columns(batches: list[Batch]) -> list[np.ndarray]:
    return [np.concatenate([getattr(one, name) for one in batches]) for name in ("tag", "time", "value", "quality")]


def test_the_plant_sends_thirty_thousand_values_a_second() -> None:
    [batch] = plant().batches(1)
    assert (len(batch), len(batch.names), plant().rate) == (30_000, 10_200, 30_000)
    assert len({str(TagPath.parse(name).asset) for name in batch.names}) == 100
    rows = np.bincount(batch.tag)
    shapes = {shape: rows[[name.rpartition("/")[2].startswith(shape) for name in batch.names]] for shape in Shape}
    assert {shape: (len(one), one.max()) for shape, one in shapes.items()} == {
        "slow": (6_000, 1), "noisy": (2_000, 1), "counter": (1_000, 1), "boolean": (1_000, 1), "vibration": (200, 100),
    }  # fmt: skip


def test_the_same_seed_gives_the_same_values() -> None:
    once, again = (columns(list(SMALL.batches(45))) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert_array_equal(one, other)


def test_every_time_of_a_tag_is_its_own_and_half_of_them_are_off_the_grid() -> None:
    tag, time, _, quality = columns(list(SMALL.batches(60)))
    order = np.lexsort((time, tag))
    assert (np.diff(time[order])[np.diff(tag[order]) == 0] > 0).all()
    slow = np.flatnonzero([shape is not Shape.VIBRATION for shape in SMALL.shapes * SMALL.assets])
    off = [(time[tag == one] % 1_000_000_000 != 0).any() for one in slow]
    assert np.mean(off) == 0.5
    assert np.abs((time - START + 500_000_000) % 1_000_000_000 - 500_000_000)[np.isin(tag, slow)].max() == 2_000_000
    assert 0 < np.mean(quality != 0) < 0.003


def test_a_stretch_goes_on_where_the_last_one_ended() -> None:
    values = {}
    for shape in Shape:
        tag, _, value, _ = columns(list(SMALL.batches(100, only=[shape])))
        values[shape] = value[tag == 0]
    assert (np.diff(values[Shape.COUNTER]) >= 0).all()
    assert np.abs(np.diff(values[Shape.SLOW])).max() < 1
    assert set(values[Shape.BOOLEAN]) == {0.0, 1.0}
    for shape in (Shape.NOISY, Shape.VIBRATION):
        assert_array_equal(values[shape], values[shape].astype(np.float32))


def test_history_ends_where_the_plant_begins() -> None:
    for load, rows in ((month(1), 20 * 86_400), (day(2), 100 * 7_200)):
        batches = list(history(load))
        tag, time, _, _ = columns(batches)
        assert len(tag) == rows
        assert len({len(one) for one in batches}) == 1
        assert load.start - 2_000_000 <= time.min() < time.max() < START
        assert load.start + 86_400_000_000_000 == START or rows == 720_000
