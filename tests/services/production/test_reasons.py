"""The model of reasons against the true reasons of simulated stops, beside votes and the most frequent reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from shopfloor.plant.config import load
from shopfloor.services.plants import demo_plant
from shopfloor.services.production.circumstances import Circumstances, words
from shopfloor.services.production.likelihood import ReasonModel, Step
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.records import Stop
from shopfloor.services.production.suggest import reasons_of, score
from shopfloor.services.production.visits import KINDS, settled, visits
from shopfloor.simulators import lines
from shopfloor.simulators.batch import BatchRunner
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.lines.machining_layout import LOCAL, SHIFT
from shopfloor.simulators.lines.machining_work import pause
from shopfloor.simulators.noise import key_of

S = 1_000_000_000
N0 = 1_790_000_000
DAYS = 3
ASSETS = [f"delta/frames/machining/cell-a/cnc-{n:02}" for n in range(1, 5)]
CONFIG = load(demo_plant(), environ={})
SECTION = CONFIG.types["machine-tool"].production
assert SECTION is not None
REASONS = reasons_of(SECTION.reasons)
PLANNED = PlannedTime.of(CONFIG)


def truth(asset: str, state: str, n: int) -> str:
    """Why the simulated operator or machine stood from second n on."""
    if state == "ABORTED":
        return "Tool/Tool broken"
    if state == "HELD":
        return "Tool/Tool change"
    if state == "STOPPED":
        return "Set-up/New program"
    if pause(key_of(5, asset), n - 1) or pause(key_of(5, asset), n + 30):
        return "People/Break" if (n + LOCAL) % SHIFT > 9_000 else "People/Change of shift"
    return "Material/Waiting for fork-lift"


def stops_of(
    asset: str, number: int, rows: tuple[list[int], list[str]], items: tuple[list[int], list[str]]
) -> list[tuple[Stop, Circumstances]]:
    times, states = rows
    table = pa.table({"time": times, "text": states, "quality": pa.array([0] * len(times), pa.uint32())})
    found = settled(visits(table, SECTION, times[0], (N0 + DAYS * 86_400) * S), SECTION)
    out = []
    for i, code in enumerate(found.code.tolist()):
        kind, start = KINDS[code], int(found.edges[i])
        if kind in {"running", "minor-stop", "unknown"}:
            continue
        at = int(np.searchsorted(times, start, "right")) - 1
        item = items[1][max(int(np.searchsorted(items[0], start, "right")) - 1, 0)]
        end, alarm = int(found.edges[i + 1]), "Alarm code of the control" * (states[at] == "ABORTED")
        reason = truth(asset, states[at], start // S)
        stop = Stop(number * 10_000 + i, asset, start, end, kind, reason, code=alarm)
        out.append((stop, Circumstances(states[at], states[max(at - 1, 0)], item)))
    return out


@pytest.fixture(scope="module")
def told() -> list[tuple[Stop, Circumstances]]:
    line = lines.load("machining")
    rows, _ = BatchRunner(Simulation(line, ASSETS, 5, N0 * S).snapshot(), line).report(DAYS * 86_400, 3_600, 0)
    state, program = line.tag_index("state"), line.tag_index("program")
    every = []
    for number, (asset, kept) in enumerate(zip(ASSETS, rows, strict=True)):
        columns = []
        for tag in (state, program):
            mine = kept.tag == tag
            texts = [str(line.tags[tag].render(value)) for value in kept.value[mine]]
            columns.append(((kept.n[mine] * S).tolist(), texts))
        every += stops_of(asset, number, *columns)
    return sorted(every, key=lambda one: one[0].start)


def voted(told: Sequence[tuple[Stop, Circumstances]]) -> list[int]:
    """Where plain votes put the true reason: each stop of the kind, twice more of the same machine, four times more
    with the same alarm."""
    places = []
    for i, (stop, _) in enumerate(told):
        votes: Counter[str] = Counter()
        for one, _ in told[:i]:
            same = 1 + 2 * (one.asset == stop.asset) + 4 * (one.code == stop.code != "")
            votes[one.reason] += same * (one.kind == stop.kind)
        places.append(sorted(REASONS, key=lambda reason: -votes[reason]).index(stop.reason) + 1)
    return places


def test_the_model_beats_votes_and_the_usual_reason_on_true_reasons_of_simulated_stops(
    told: list[tuple[Stop, Circumstances]],
) -> None:
    model = ReasonModel(REASONS)
    steps = [model.learn(words(stop, noted, PLANNED), stop.reason) for stop, noted in told]
    judged: list[Step] = [step for step in steps if step]
    assert len(judged) == len(told) > 200
    votes = voted(told)
    ours = [step.place for step in judged]
    right = np.mean(np.array(ours) == 1), np.mean(np.array(ours) <= 3)
    plain = np.mean(np.array(votes) == 1), np.mean(np.array(votes) <= 3)
    usual = np.mean([step.usual == 1 for step in judged])
    assert right[0] >= plain[0] + 0.02
    assert right[1] >= plain[1]
    assert right[0] > usual + 0.2
    newest = score(judged)
    assert newest is not None
    assert abs(newest.said - newest.first) < 0.06  # what it says is as often so
