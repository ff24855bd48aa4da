"""What a source is said to do."""

from __future__ import annotations

import time

from shopfloor.gateway.state import SourceState
from shopfloor.plant import Batch, Kind, Sample


def test_a_clock_that_runs_ahead_does_not_hide_that_values_stay_away() -> None:
    now, state = time.time_ns(), SourceState("machining")
    tag = "delta/a/b/c/d/power"
    state.count(Batch.of([Sample(tag, now, 1.0), Sample(tag, now + 10**18, 2.0)], Kind.FLOAT))
    assert (state.values, state.newest_time) == (2, now)
    state.count(Batch.of([Sample(tag, now + 10**18, 2.0)], Kind.FLOAT))
    assert (state.values, state.newest_time) == (3, now)
