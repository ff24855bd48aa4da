"""A model whose truth nobody learns is promoted on how it behaved on healthy days and on those with an alarm."""

from pathlib import Path

import numpy as np
import pytest
from shopfloor.services.registry import Prediction, Refused, Registry, Version
from small_registry import EVERYWHERE, FLEET, HOUR, opened, submitted

DAY = 24 * HOUR
SICK = {(asset, day) for asset in FLEET[:6] for day in (1, 2)}


def judged(registry: Registry, version: Version, false: float, found: float, seed: int) -> None:
    """Ten days of the fleet, a window each hour: the share of healthy days with an alarm, and of the others."""
    rng = np.random.default_rng(seed)
    rows = []
    for asset in FLEET:
        for day in range(10):
            high = rng.random() < (found if (asset, day) in SICK else false)
            for hour in range(24):
                value = 1.2 if high and hour == 7 else 0.3
                end = day * DAY + hour * HOUR
                rows.append(
                    Prediction(version.name, version.number, version.sha, asset, end, False, value, 0.0, 1.0, 50.0)
                )
    registry.scores.write(rows)


@pytest.mark.parametrize(
    ("false", "found", "failing"),
    [(0.1, 1.0, set()), (0.3, 1.0, {"false alarms"}), (0.1, 0.2, {"agreement"})],
)
def test_it_is_promoted_when_it_is_silent_on_healthy_days_and_speaks_on_the_others(
    tmp_path: Path, false: float, found: float, failing: set[str]
) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2, kind="distance")
        registry.alarmed = lambda start, end: [(a, d * DAY + 1) for a, d in SICK if start <= d * DAY < end]
        judged(registry, one, 0.1, 0.7, 1)
        judged(registry, two, false, found, 2)
        evidence = registry.evidence("life", 2, EVERYWHERE)
        assert evidence.days is not None
        assert (evidence.days.healthy, evidence.days.alarmed) == (388, 12)
        assert {c.name for c in registry.conditions(two, evidence) if not c.holds} == failing
        if failing:
            with pytest.raises(Refused, match=r"an alarm on 3|it spoke on"):
                registry.promote("life", 2, EVERYWHERE, "anna", "quieter")
        else:
            assert registry.promote("life", 2, EVERYWHERE, "anna", "quieter").detail["overridden"] == []


def test_without_alarms_of_the_plant_nothing_shows_that_it_finds_any(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        one, two = submitted(registry, tmp_path, 2, kind="distance")
        for version in (one, two):
            judged(registry, version, 0.05, 1.0, version.number)
        with pytest.raises(Refused, match="0 days with an alarm of the plant of 5 that are needed"):
            registry.promote("life", 2, EVERYWHERE, "anna", "quieter")
