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
from shopfloor.services.brain.cards import card
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.follow import lines
from shopfloor.services.brain.live import Live
from shopfloor.services.brain.serving import Fixed, Registered
from shopfloor.services.registry import Registry
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


def judged(past, serving, folder, during):
    """(asset, target, time) of everything that is said in six hours, and the parts it was said of."""
    reader = MemoryReader(dict(past), START + 2 * DAY)
    diary = Diary(folder)
    assets = [Asset(AssetPath.parse(name), MACHINE, name) for name in NAMES]
    live = Live(reader, lines(assets), serving, diary, lambda: reader.now)
    live.lines[0].cursor = START + 2 * DAY - HOUR
    said = []
    with during:
        while reader.now < START + 2 * DAY + 6 * HOUR:
            reader.now += 2 * MINUTE
            said += live.tick()
    diary.close()
    return said


class Busy:
    """Does something again and again in a thread, while the line is judged."""

    def __init__(self, act):
        self.act, self.count, self.over = act, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.02):
            self.act(self.count)
            self.count += 1

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def same_windows(busy, quiet):
    """Every window once, by one of two models, and none without a value."""
    windows = [(p["asset"], p["target"], p["time"]) for p in busy]
    assert len({p["trained_at"] for p in busy if p["target"] == "dimension"}) == 2, "nothing was swapped in between"
    assert len(windows) > 500
    assert sorted(windows) == sorted((p["asset"], p["target"], p["time"]) for p in quiet)
    assert len(windows) == len(set(windows))
    assert all(p["value"] is not None for p in busy)


@pytest.fixture(scope="module")
def quiet(past, sealed, tmp_path_factory):
    bundles = Fixed({name: load(sealed[0] / name) for name in ("dimension", "tool_life")})
    return judged(past, bundles, tmp_path_factory.mktemp("quiet"), nullcontext())


def test_a_swap_drops_and_repeats_no_window(past, sealed, quiet, tmp_path):
    bundles = {name: load(sealed[0] / name) for name in ("dimension", "tool_life")}

    def swap(count):
        bundles["dimension"] = load(sealed[(count + 1) % 2] / "dimension")

    swapping = Busy(swap)
    same_windows(judged(past, Fixed(bundles), tmp_path, swapping), quiet)
    assert swapping.count > 2


def test_promotions_and_rollbacks_drop_and_repeat_no_window(past, sealed, quiet, tmp_path):
    with Registry.open(tmp_path / "registry", lambda: START, card, lambda: NAMES) as registry:
        for name in ("dimension", "tool_life"):
            registry.begin_with(registry.submit(sealed[0] / name, "test"), "*")
        number = registry.submit(sealed[1] / "dimension", "test").number

        def move(count):
            if count % 2:
                registry.roll_back("dimension", "*", "anna", "worse")
            else:
                registry.promote("dimension", number, "*", "anna", "a trial", override=True)

        moving = Busy(move)
        serving = Registered(registry, dict.fromkeys(("dimension", "tool_life"), NAMES))
        same_windows(judged(past, serving, tmp_path / "busy", moving), quiet)
        assert moving.count > 2
