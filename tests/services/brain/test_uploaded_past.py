"""Uploaded bundles over a real store, minute by minute: nothing dropped, and replay says the same to the last bit."""

import itertools
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import uploaded
from shopfloor.models.columns import HOUR, SECOND
from shopfloor.models.sealing.canonical import pack
from shopfloor.models.streaming import StreamSpec
from shopfloor.plant import Asset, AssetPath, Batch
from shopfloor.services.brain.cards import card, opened
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.replay.again import again
from shopfloor.services.brain.replay.replay import Question, replay
from shopfloor.services.brain.serving import Opened
from shopfloor.services.brain.streams.streams import Streams
from shopfloor.services.historian import Historian
from shopfloor.services.registry import Label, Policy, Registry
from shopfloor.services.registry.arrival import arrive
from uploaded import PRESSES, TAGS, made

START = 472_222 * HOUR
SPEC = StreamSpec.of(TAGS, every=10, hold=30, settle=5, lookback=600, remembered=("ram.force",))
OTHER = StreamSpec.of(TAGS, every=20, hold=30, settle=5, lookback=300)
ASSETS = [Asset(AssetPath.parse(path), "press", path) for path in PRESSES]
EVERYWHERE = "works"


class World:
    """A store, a registry and a clock that the test moves; `tick` brings what became true and judges."""

    def __init__(self, folder, store, registry, diary):
        self.store, self.registry, self.diary, self.now, self.sequence, self.values = (
            store,
            registry,
            diary,
            START,
            0,
            0,
        )
        registry.clock = lambda: self.now
        self.begin()

    def begin(self):
        """As after a restart of the server."""
        self.streams = Streams(self.store.reader, self.registry, self.diary, lambda: self.now)

    def bring(self, batch):
        self.sequence += 1
        self.values += len(batch)
        self.store.ingest("edge", self.sequence, "s", self.values, batch)

    def tick(self, seconds):
        before, self.now = self.now, self.now + seconds * SECOND
        self.bring(uploaded.batch(before, self.now))
        return self.streams.tick()

    def upload(self, *args, **more):
        return arrive(self.registry, pack(dict(sorted(made(*args, **more).files.items()))), EVERYWHERE, "Anna", "")

    def promote(self, name, number=1):
        self.registry.promote(name, number, EVERYWHERE, "Anna", "a trial", override=True)

    def recorded(self, name, number=1, asset=PRESSES[0]):
        return self.registry.scores.recorded(name, number, asset, 0, 1 << 62, 10_000)[::-1]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with (
        Historian.open(folder / "store") as store,
        Registry.open(folder / "registry", lambda: START, card, lambda: PRESSES) as registry,
    ):
        diary = Diary(folder / "diary")
        yield World(folder, store, registry, diary)
        diary.close()


@pytest.fixture(scope="module")
def lived(world):
    """Forty minutes with two versions over different streams, a restart and a gap; a promotion in between."""
    rng = np.random.default_rng(0)
    world.tick(3)
    world.upload("lived", spec=SPEC)
    world.promote("lived")
    world.upload("lived", spec=OTHER, seed=1)
    begun = world.now
    while world.now < begun + 2400 * SECOND:
        world.tick(int(rng.integers(1, 40)))
        if rng.random() < 0.1:
            world.begin()
    return world


def test_every_moment_is_recorded_once_across_restarts(lived):
    for number, every in ((1, 10), (2, 20)):
        times = [one.window_end for one in lived.recorded("lived", number)]
        assert len(times) > 2300 // every
        assert {b - a for a, b in itertools.pairwise(times)} == {every * SECOND}


def test_each_recorded_prediction_is_made_anew_to_the_last_bit(lived):
    for number in (1, 2):
        version = lived.registry.state.version("lived", number)
        bundle = opened(lived.registry.bundles.at(version.sha))
        several = lived.recorded("lived", number, PRESSES[1])
        for said in (several[0], several[1], *several[5::23], several[-1]):
            found = again(lived.store.reader, ASSETS, bundle, said)
            assert (found.equal, found.why) == (True, ""), found


def test_a_prediction_whose_values_changed_says_which_features_differ(lived):
    said = lived.recorded("lived", 1, PRESSES[2])[-3]
    version = lived.registry.state.version("lived", 1)
    at = said.window_end - 3 * SECOND
    lived.bring(Batch((f"{PRESSES[2]}/oil.temperature",), np.zeros(1, np.int32), np.array([said.window_end]),
                      np.array([99.0]), np.zeros(1, np.uint32)))  # fmt: skip
    found = again(lived.store.reader, ASSETS, opened(lived.registry.bundles.at(version.sha)), said)
    assert (found.equal, found.features) == (False, ("oil.temperature",)), at
    assert "came, or were changed, after" in found.why


def test_a_replay_says_what_was_said_live_beside_the_other_version(lived):
    models = [
        Opened(opened(lived.registry.bundles.at(v.sha)), v.number, v.sha)
        for v in (lived.registry.state.version("lived", n) for n in (1, 2))
    ]
    several = lived.recorded("lived", 1)
    span = (several[30].window_end, several[-30].window_end)
    label = Label("lived", PRESSES[0], 0.5, 0.5, span[1], start=span[0], end=span[1])
    found = replay(
        lived.store.reader,
        ASSETS,
        models,
        Question(EVERYWHERE, *span),
        {PRESSES[0]: [label]},
        Policy(),
        lambda *_: None,
    )
    kept = [one for one in several if span[0] <= one.window_end < span[1]]
    assert (found.assets, found.own.windows) == (3, 3 * len(kept))
    assert found.evidence.windows == len(kept)
    assert found.evidence.loss is not None
    beside = {one.window_end: one.value for one in lived.recorded("lived", 2)}
    both = [(abs(one.value - 0.5), abs(beside[one.window_end] - 0.5)) for one in kept if one.window_end in beside]
    assert found.evidence.exact == len(both)
    assert (found.evidence.loss, found.evidence.loss_against) == pytest.approx(tuple(np.mean(both, axis=0)), abs=1e-12)


def test_promotions_and_rollbacks_drop_and_repeat_no_moment(world):
    for seed in (0, 1):
        world.upload("swapped", spec=SPEC, seed=seed)
    world.promote("swapped")
    over, count = threading.Event(), [0]

    def swap():
        while not over.wait(0.01):
            world.promote("swapped", 2)
            world.registry.roll_back("swapped", EVERYWHERE, "Anna", "worse")
            world.registry.shadow("swapped", 2, EVERYWHERE, "Anna", "again")
            count[0] += 1

    thread, begun, said = threading.Thread(target=swap), world.now, []
    thread.start()
    while world.now < begun + 1200 * SECOND:
        said += [(p["asset"], p["time"], p["version"]) for p in world.tick(10) if p["target"] == "swapped"]
    over.set()
    thread.join()
    moments = [(asset, time) for asset, time, _ in said]
    assert len(moments) == len(set(moments)) == 3 * len({time for _, time in moments})
    times = sorted({time for _, time in moments})
    assert {b - a for a, b in itertools.pairwise(times)} == {10_000.0}
    assert {version for *_, version in said} == {1, 2}
    assert count[0] > 5


def test_a_version_on_other_assets_is_judged_at_once_and_the_others_go_on(world):
    spec = StreamSpec.of(TAGS, every=1, hold=30, settle=5, lookback=300, remembered=("ram.force",))
    one = made("narrow", spec=spec)
    arrive(world.registry, pack(dict(sorted(one.files.items()))), PRESSES[0], "Anna", "")
    world.registry.promote("narrow", 1, PRESSES[0], "Anna", "a trial")
    for _ in range(5):
        world.tick(10)
    world.tick(1)
    said = [world.tick(1) for _ in range(3)]
    world.upload("wide", spec=spec)
    said += [world.tick(1)]
    assert {a for a in PRESSES if world.recorded("wide", asset=a)} == set(PRESSES)
    said += [world.tick(1) for _ in range(60)]
    while world.now // SECOND % 10 != 3:
        said += [world.tick(1)]
    world.upload("third", spec=spec)
    said += [world.tick(1)]
    assert {a for a in PRESSES if world.recorded("third", asset=a)} == set(PRESSES)
    moments = [p["time"] for several in said for p in several if (p["target"], p["asset"]) == ("narrow", PRESSES[0])]
    assert len(moments) == len(set(moments)) == len(said)
    assert {b - a for a, b in itertools.pairwise(sorted(set(moments)))} == {1_000.0}
