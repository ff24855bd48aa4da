"""Generalisation: who comes when, and what halts it. Every alarm takes the new version back without anybody."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.services.registry import Registry
from shopfloor.services.registry.watch import Watch
from shopfloor.services.registry.waves import SHARES, first_line, line_of, reaches
from shopfloor.services.registry.words import Rollout
from small_registry import EVERYWHERE, FLEET, HOUR, opened, scored, submitted, true

MANY = [f"delta/area/line-{i % 20}/cell/m-{i:04d}" for i in range(2_000)]


def reached(wave: int, number: int = 2, fleet: list[str] = MANY) -> set[str]:
    rollout = Rollout(number, wave, SHARES[wave], first_line(f"life {number}", fleet), 0, "anna")
    return {asset for asset in fleet if reaches(rollout, "life", asset)}


def test_waves_hold_one_line_then_their_share_and_always_all_before_them() -> None:
    waves = [reached(wave) for wave in range(4)]
    assert len({line_of(asset) for asset in waves[0]}) == 1
    assert waves[0] < waves[1] < waves[2] < waves[3] == set(MANY)
    line = 0.05
    for wave, share in ((1, 0.1), (2, 0.5)):
        assert abs(len(waves[wave]) / len(MANY) - (share + line * (1 - share))) < 0.03
    assert reached(1, number=3) != waves[1], "another version begins with others"


@given(st.integers(0, 3), st.permutations(FLEET))
def test_who_is_reached_does_not_depend_on_the_order_of_the_fleet(wave: int, fleet: list[str]) -> None:
    assert reached(wave, fleet=fleet) == reached(wave, fleet=FLEET)


def spreading(registry: Registry, folder: Path) -> Watch:
    submitted(registry, folder, 2)
    registry.roll_out("life", 2, EVERYWHERE, "anna", "a trial in waves", override=True)
    return Watch(registry)


def speaking(registry: Registry) -> dict[str, int]:
    return {asset: live.number for asset in FLEET if (live := registry.resolve("life", asset).live)}


def test_a_good_version_spreads_wave_by_wave_until_it_is_the_champion(tmp_path: Path) -> None:
    hours = [0]
    with opened(tmp_path, clock=lambda: hours[0] * HOUR) as registry:
        watch = spreading(registry, tmp_path)
        one, two = (registry.state.version("life", n) for n in (1, 2))
        assert sum(n == 2 for n in speaking(registry).values()) == 10, "one line of ten"
        shadows = registry.resolve("life", next(a for a, n in speaking(registry).items() if n == 2)).shadows
        assert [v.number for v in shadows] == [1], "the champion goes on being compared"
        seen = []
        for wave in range(4):
            watch.tend()
            assert registry.state.place("life", EVERYWHERE).rollout.wave == wave, "no wave without its own evidence"
            first = hours[0]
            hours[0] += 100
            scored(registry, one, 2.0, 100, half=3.3, first=first)
            scored(registry, two, 1.0, 100, half=1.8, first=first, seed=2)
            true(registry, 100, first)
            seen.append(sum(n == 2 for n in speaking(registry).values()))
            watch.tend()
        assert seen == sorted(seen)
        assert seen[-1] == 40
        place = registry.state.place("life", EVERYWHERE)
        assert (place.champion, place.before, place.rollout) == (2, (1,), None)
        assert registry.state.events[-1].by == "system: wave"


BAD = {
    "coverage": {"off": 1.0, "half": 0.2},
    "errors": {"off": np.nan, "half": 1.0},
    "latency": {"off": 1.0, "half": 1.8, "latency_us": 30_000.0},
    "loss": {"off": 6.0, "half": 11.0},
}


@pytest.mark.parametrize("why", BAD)
@pytest.mark.parametrize("spreads", [True, False], ids=["in a wave", "as champion"])
def test_an_alarm_takes_a_version_back_by_itself(tmp_path: Path, why: str, *, spreads: bool) -> None:
    with opened(tmp_path, clock=lambda: 0) as registry:
        if spreads:
            watch = spreading(registry, tmp_path)
        else:
            submitted(registry, tmp_path, 2)
            registry.promote("life", 2, EVERYWHERE, "anna", "a mistake", override=True)
            watch = Watch(registry)
        one, two = (registry.state.version("life", n) for n in (1, 2))
        scored(registry, one, 1.0, 200, half=1.8)
        scored(registry, two, n=200, seed=2, **BAD[why])  # type: ignore[arg-type]
        true(registry, 200)
        watch.tend()
        assert set(speaking(registry).values()) == {1}
        last = registry.state.events[-1]
        assert (last.what, last.by) == ("rolled back", f"system: {why}")
        assert last.why.endswith(".")
        watch.tend()
        assert registry.state.events[-1] == last, "once"


def test_a_first_champion_has_nothing_to_go_back_to_and_its_alarm_stays_to_be_seen(tmp_path: Path) -> None:
    with opened(tmp_path, clock=lambda: 0) as registry:
        (one,) = submitted(registry, tmp_path, 1)
        scored(registry, one, 1.0, 200, half=0.1)
        true(registry, 200)
        watch = Watch(registry)
        watch.tend()
        assert registry.alarms["life", EVERYWHERE].startswith("coverage: ")
        assert set(speaking(registry).values()) == {1}


def test_a_version_that_keeps_its_word_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path, clock=lambda: 0) as registry:
        submitted(registry, tmp_path, 2)
        registry.promote("life", 2, EVERYWHERE, "anna", "a trial", override=True)
        for number in (1, 2):
            scored(registry, registry.state.version("life", number), 1.0, 2_000, half=1.7, seed=number)
        true(registry, 2_000)
        watch = Watch(registry)
        watch.tend()
        assert (set(speaking(registry).values()), registry.alarms) == ({2}, {})
