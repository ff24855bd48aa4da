"""What would help is tried in the simulator: the tool offset is varied for days, a model learns, a change is advised,
and the same machine cuts its next part with it, and without it.
"""

from collections.abc import Mapping

import numpy as np
import pytest
from shopfloor.models.advise.counterfactual import Found, Goal, counterfactual
from shopfloor.models.advise.levers import Limits, controls
from shopfloor.models.bundle import load
from shopfloor.models.columns import DAY, HOUR, SECOND, Steps
from shopfloor.models.features import part_features
from shopfloor.models.inputs import MACHINE
from shopfloor.models.parts import finished
from shopfloor.models.scorer import score
from shopfloor.models.train import History, seal, train
from shopfloor.simulators import lines
from shopfloor.simulators.batch import BatchRunner
from shopfloor.simulators.engine import Checkpoint, Simulation
from shopfloor.simulators.plants import assets_of
from simulated_past import END, columns_of

OFFSET = "setpoint.offset"
PHYSICS = lines.load("machining")
GOAL = Goal(-22.0, 22.0)


def resumed(point: Checkpoint, machine: str, offset: float | None) -> BatchRunner:
    """The machine from a checkpoint on, with this offset from now on."""
    simulation = Simulation.resume(PHYSICS, point)
    if offset is not None:
        simulation.write(machine, OFFSET, offset)
    return BatchRunner(simulation.snapshot(), PHYSICS)


def lived(machine: str, start: int, end: int, seed: int, every: int) -> tuple[Mapping[str, Steps], Checkpoint]:
    """A machine whose offset somebody changes now and then, and the machine at the end of it."""
    rng = np.random.default_rng(seed)
    point, pieces = Simulation(PHYSICS, [machine], 11, start).snapshot(), []
    for at in range(start, end, every):
        run = resumed(point, machine, float(np.round(rng.uniform(-25.0, 25.0), 1)))
        (rows,), _ = run.report(min(every, end - at) // SECOND, 600, 30)
        pieces.append(columns_of(PHYSICS, rows))
        point = run.checkpoint()
    joined = {
        name: Steps(np.concatenate([p[name].time for p in pieces]), np.concatenate([p[name].value for p in pieces]))
        for name in pieces[0]
    }
    return joined, point


def next_part(point: Checkpoint, machine: str, offset: float | None) -> float:
    """True dimension of the first part that is cut as a whole from now on."""
    _, hidden = resumed(point, machine, offset).report(2 * 3600, 600, 1)
    truth = dict(zip(PHYSICS.truth, hidden[0].T, strict=True))
    finished_at = np.flatnonzero(np.diff(truth["last_part"]) != 0) + 1
    return float(truth["last_dimension"][finished_at[1]])


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """From eight machines, five days."""
    start, folder = END - 5 * DAY, tmp_path_factory.mktemp("bundles")
    history = History(start, END)
    for i, machine in enumerate(assets_of("machining", 8)):
        history.add(machine, MACHINE, lived(machine, start, END, i, 5 * HOUR)[0])
    seal(folder, train(history, lambda *_: None))
    return load(folder / "dimension")


def test_the_next_part_is_as_good_as_was_promised(learned):
    promised, done, left = [], [], []
    for i, machine in enumerate(assets_of("machining", 20)[8:]):
        for k in range(8):
            world, point = lived(
                machine, END - DAY, END + (2 * k * 60 + 10 * i) * 60 * SECOND, 100 + 12 * i + k, 3 * HOUR
            )
            parts = finished(world)
            row = part_features(parts, np.array([len(parts) - 1]))[0]
            usable, _ = controls(learned, row, {OFFSET: Limits(-40.0, 40.0, 0.1)})
            found = counterfactual(learned, row, usable, GOAL)
            if isinstance(found, Found) and found.changes:
                promised.append(found)
                done.append(next_part(point, machine, found.changes[0].after))
                left.append(next_part(point, machine, None))
                assert score(learned, row[None]).high[0] > 22.0 or score(learned, row[None]).low[0] < -22.0
    assert len(promised) >= 12
    low, high = (np.array([getattr(one, end) for one in promised]) for end in ("low", "high"))
    assert np.mean((done >= low) & (done <= high)) >= 0.9
    assert np.mean(np.abs(done) <= 22.0) >= 0.9
    assert np.mean(np.abs(done)) < np.mean(np.abs(left))
