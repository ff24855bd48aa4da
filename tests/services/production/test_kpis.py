"""The formulas of ISO 22400-2 by hand-made numbers, and the sums that must be exact."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from shopfloor.plant.config import ProductionSection
from shopfloor.services.production.counts import Steps
from shopfloor.services.production.kpi import Counts, kpis
from shopfloor.services.production.losses import loss_tree
from shopfloor.services.production.times import NOTHING, Times, times
from shopfloor.services.production.visits import KINDS, settled, visits

M = 60_000_000_000
S = 1_000_000_000


def minutes(**held: int) -> Times:
    return Times({**NOTHING.held, **{kind.replace("_", "-"): n * M for kind, n in held.items()}})


SHIFT = minutes(running=300, setup=30, down=60, minor_stop=15, starved=15, idle=40, unknown=20, planned_stop=10)
MADE = Counts(pq=250, sq=5, rq=5, planned_run=250 * M)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("availability", 300 / 480),  # APT / PBT
        ("effectiveness", 250 / 300),  # PRI * PQ / APT
        ("quality_ratio", 240 / 250),  # GQ / PQ
        ("oee", 300 / 480 * 250 / 300 * 240 / 250),
        ("nee", 330 / 480 * 250 / 300 * 240 / 250),  # AUPT / PBT * effectiveness * quality ratio
        ("utilization_efficiency", 300 / 420),  # APT / AUBT
        ("allocation_efficiency", 420 / 480),  # AUBT / PBT
        ("technical_efficiency", 300 / 390),  # APT / (APT + ADET)
        ("setup_ratio", 30 / 330),  # AUST / AUPT
        ("scrap_ratio", 5 / 250),  # SQ / PQ
        ("rework_ratio", 5 / 250),  # RQ / PQ
        ("throughput_rate", 250 / 7),  # PQ / AUBT, an hour
    ],
)
def test_each_indicator_is_the_formula_of_the_standard(name: str, expected: float) -> None:
    assert getattr(kpis(SHIFT, MADE), name) == pytest.approx(expected, rel=1e-12)


def test_effectiveness_above_one_is_flagged_and_not_clipped() -> None:
    found = kpis(SHIFT, Counts(pq=400, planned_run=400 * M))
    assert found.too_fast
    assert found.effectiveness == pytest.approx(4 / 3)
    tree = {loss.kind: loss.ns for loss in loss_tree(SHIFT, Counts(pq=400, planned_run=400 * M), {})}
    assert tree["speed"] == -100 * M
    assert sum(tree.values()) == SHIFT.pot


@pytest.mark.parametrize(
    ("time", "availability"),
    [
        (minutes(unknown=480), None),  # never heard
        (minutes(unknown=470, planned_stop=10), None),
        (minutes(unknown=470, down=10), 0),
        (minutes(unknown=240, running=240), 0.5),
        (minutes(down=480), 0),
    ],
)
def test_a_time_of_which_nothing_is_known_has_no_indicator(time: Times, availability: float | None) -> None:
    found = kpis(time, Counts())
    assert (found.availability, found.allocation_efficiency is None) == (availability, availability is None)
    assert kpis(time, Counts(pq=4, planned_run=4 * M)).oee == (availability and 4 / 240 * availability)


def test_nothing_to_share_is_nothing_and_a_shift_without_a_part_is_zero() -> None:
    assert kpis(NOTHING, Counts()).oee is None
    assert kpis(minutes(running=5), Counts()).oee is None
    assert kpis(minutes(down=5), Counts()).oee == 0


def test_the_loss_tree_adds_up_to_the_planned_time_to_the_nanosecond() -> None:
    """Odd times, a run time that divides badly, and more of a reason than there is of its loss."""
    random = np.random.default_rng(4)
    for _ in range(200):
        time = Times(dict(zip(KINDS, random.integers(0, 10**13, len(KINDS)).tolist(), strict=True)))
        pq = int(random.integers(1, 999))
        made = Counts(
            pq, *random.integers(0, pq // 2 + 1, 2).tolist(), planned_run=pq * float(random.uniform(1e9, 1e11))
        )
        tree = loss_tree(time, made, {"down": {"A/a": int(random.integers(0, 2 * 10**13)), "A/b": 7}})
        assert sum(loss.ns for loss in tree) == time.pot
        down = next(loss for loss in tree if loss.kind == "down")
        assert sum(down.reasons.values()) == down.ns


SECTION = ProductionSection(
    state="state", count="n", ideal_cycle="10s", loading="5s", minor_stop="60s", hold="1h",
    states={"RUN": "running", "WAIT": "idle", "HELD": "down", "ABORTED": "down", "BREAK": "planned-stop"},
)  # fmt: skip


def rows(*said: tuple[int, str, int]) -> pa.Table:
    moments, texts, quality = zip(*said, strict=True)
    return pa.table({
        "time": pa.array([moment * S for moment in moments]), "text": list(texts),
        "quality": pa.array(quality, pa.uint32()),
    })  # fmt: skip


def held(table: pa.Table, start: int, end: int) -> dict[str, float]:
    found = settled(visits(table, SECTION, start * S, end * S), SECTION)
    whole = times(found, np.array([[start * S, end * S]]), start * S, end * S)
    assert whole.pot == (end - start) * S
    return {kind: ns / S for kind, ns in whole.held.items() if ns}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(0, "RUN", 0)], {"running": 1000}),
        ([(100, "RUN", 0)], {"unknown": 100, "running": 900}),
        ([(0, "RUN", 0), (300, "RUN", 0x80310000), (500, "RUN", 0)], {"running": 800, "unknown": 200}),
        ([(0, "RUN", 0), (300, "DANCE", 0), (500, "RUN", 0)], {"running": 800, "unknown": 200}),
        ([(0, "RUN", 0), (300, "WAIT", 0), (305, "RUN", 0)], {"running": 1000}),
        ([(0, "RUN", 0), (300, "WAIT", 0), (306, "RUN", 0)], {"running": 994, "minor-stop": 6}),
        ([(0, "RUN", 0), (300, "HELD", 0), (330, "ABORTED", 0), (361, "RUN", 0)], {"running": 939, "down": 61}),
        ([(0, "RUN", 0), (300, "HELD", 0), (330, "ABORTED", 0), (360, "RUN", 0)], {"running": 940, "minor-stop": 60}),
        ([(0, "BREAK", 0), (30, "RUN", 0)], {"planned-stop": 30, "running": 970}),
        ([(-4000, "RUN", 0), (900, "RUN", 0)], {"unknown": 900, "running": 100}),
        ([(-3100, "RUN", 0), (900, "RUN", 0)], {"running": 600, "unknown": 400}),
    ],
)
def test_time_is_what_the_states_say_and_unknown_where_they_say_nothing(said: list, expected: dict) -> None:
    assert held(rows(*said), 0, 1000) == expected


def test_steps_within_spans() -> None:
    made = Steps(np.array([0, 5, 10, 15, 20]), np.ones(5))
    assert made.inside(np.array([[0, 5], [10, 20]])).time.tolist() == [0, 10, 15]
    assert made.inside(np.empty((0, 2), np.int64)).time.tolist() == []
