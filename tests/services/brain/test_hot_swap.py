"""Another model takes over while a line runs: every window is judged, by one model or the other."""

import threading
from contextlib import nullcontext

import pytest
from shopfloor.models import toy
from shopfloor.models.bundle import load
from shopfloor.models.columns import DAY, HOUR, MINUTE
from shopfloor.models.inputs import MACHINE
from shopfloor.models.train import History, seal, train
from shopfloor.plant import Asset, AssetPath
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.follow import lines
from shopfloor.services.brain.live import Live
from shopfloor.services.brain.serving import Fixed
from simulated_past import MemoryReader

START = 20_000 * DAY
NAMES = tuple(f"works/frames/machining/cell/m-{i:02d}" for i in range(4))


@pytest.fixture(scope="module")
def past():
    return {name: toy.machine(i, 2.5, start=START) for i, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def sealed(past, tmp_path_factory):
    """Two folders of bundles of the same targets, trained on different days."""
    several = []
    for days in (1.5, 2.0):
        history = History(START, START + int(days * DAY))
        for name, columns in past.items():
            history.add(name, MACHINE, {tag: steps.before(history.end) for tag, steps in columns.items()})
        folder = tmp_path_factory.mktemp("bundles")
        seal(folder, train(history, lambda *_: None))
        several.append(folder)
    return several


def judged(past, bundles, folder, during):
    """(asset, target, time) of everything that is said in six hours, and the parts it was said of."""
    reader = MemoryReader(dict(past), START + 2 * DAY)
    diary = Diary(folder)
    assets = [Asset(AssetPath.parse(name), MACHINE, name) for name in NAMES]
    live = Live(reader, lines(assets), Fixed(bundles), diary, lambda: reader.now)
    live.lines[0].cursor = START + 2 * DAY - HOUR
    said = []
    with during:
        while reader.now < START + 2 * DAY + 6 * HOUR:
            reader.now += 2 * MINUTE
            said += live.tick()
    diary.close()
    return said


class Swapping:
    """Loads and proves one bundle after the other in a thread, and puts each in its place while the line is judged."""

    def __init__(self, bundles, folders):
        self.bundles, self.folders, self.swaps = bundles, folders, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            for folder in self.folders:
                self.bundles["dimension"] = load(folder / "dimension")
                self.swaps += 1

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def test_a_swap_drops_and_repeats_no_window(past, sealed, tmp_path):
    first, second = sealed
    bundles = {"dimension": load(first / "dimension"), "tool_life": load(first / "tool_life")}
    quiet = judged(past, dict(bundles), tmp_path / "quiet", nullcontext())
    swapping = Swapping(bundles, [second, first])
    busy = judged(past, bundles, tmp_path / "busy", swapping)
    windows = [(p["asset"], p["target"], p["time"]) for p in busy]
    assert swapping.swaps > 2
    assert len({p["trained_at"] for p in busy if p["target"] == "dimension"}) == 2, "nothing was swapped in between"
    assert len(windows) > 500
    assert sorted(windows) == sorted((p["asset"], p["target"], p["time"]) for p in quiet)
    assert len(windows) == len(set(windows))
    assert all(p["value"] is not None for p in busy)
