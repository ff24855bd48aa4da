"""Replay on a real store: what live judging said is said again to the last bit, and the sums are right."""

import numpy as np
import pytest
from shopfloor.models import toy
from shopfloor.models.bundle import load
from shopfloor.models.columns import DAY, HOUR, MINUTE, SECOND, Steps
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.train import History, seal, train
from shopfloor.plant import Asset, AssetPath
from shopfloor.plant.errors import QuestionError
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.follow import lines
from shopfloor.services.brain.live import Live
from shopfloor.services.brain.replay.again import again
from shopfloor.services.brain.replay.outcome import Costs
from shopfloor.services.brain.replay.replay import Question, Stopped, replay
from shopfloor.services.brain.serving import Group, Opened
from shopfloor.services.historian import Historian
from shopfloor.services.registry import Policy
from shopfloor.services.registry.scores import Scores
from stored_past import Bringing

START = 20_000 * DAY
TRAINED = START + 36 * HOUR
LAST = TRAINED + 5 * HOUR
MACHINES = tuple(f"works/frames/machining/cell/m-{i:02d}" for i in range(4))
POTS = tuple(f"works/metal/potline/hall/p-{i:02d}" for i in range(4))


class Sealed:
    """Serves bundles as a registry would: each is version 1."""

    def __init__(self, bundles):
        self.opened = {target: Opened(bundle, 1, target * 8) for target, bundle in bundles.items()}

    def groups(self, target, assets):
        held = self.opened.get(target)
        return [Group(tuple(range(len(assets))), held)] if held is not None and assets else []

    def champions(self):
        return self.opened


class World:
    """Assets in a real store, judged live as their values came in; what was said is in `scores`."""

    def __init__(self, folder, kind, past, store, scores):
        history = History(START, TRAINED)
        for name, columns in past.items():
            history.add(name, kind, {tag: steps.before(TRAINED) for tag, steps in columns.items()})
        seal(folder / "bundles", train(history, lambda *_: None))
        self.bundles = {p.name: load(p) for p in (folder / "bundles").iterdir()}
        self.assets = [Asset(AssetPath.parse(name), kind, name) for name in past]
        self.past, self.reader, self.scores, self.bringing = past, store.reader, scores, Bringing(store)
        self.now, diary = TRAINED + 40 * SECOND, Diary(folder / "diary")
        self.bringing.bring(past, 0, self.now)
        live = Live(self.reader, lines(self.assets), Sealed(self.bundles), diary, lambda: self.now, scores)
        live.lines[0].cursor = TRAINED - 26 * HOUR
        self.said = []
        while self.now < LAST - 2 * MINUTE:
            self.bringing.bring(past, self.now, self.now + 2 * MINUTE)
            self.now += 2 * MINUTE
            self.said += live.tick()
        diary.close()

    def recorded(self, target, asset, since=TRAINED):
        return self.scores.recorded(target.replace("_", "-"), 1, asset, since, LAST, 10_000)


def world_of(folder, kind, past):
    with Historian.open(folder / "store") as store, Scores.open(folder / "registry") as scores:
        yield World(folder, kind, past, store, scores)


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """Four machines, a day and a half learned, five hours judged live."""
    past = {name: toy.machine(i, 1.8, start=START) for i, name in enumerate(MACHINES)}
    yield from world_of(tmp_path_factory.mktemp("machines"), MACHINE, past)


@pytest.fixture(scope="module")
def pots(tmp_path_factory):
    """Four pots; one is starved."""
    past = {name: toy.pot(i, 1.8, start=START, starved_from=None if i else TRAINED) for i, name in enumerate(POTS)}
    yield from world_of(tmp_path_factory.mktemp("pots"), POT, past)


@pytest.mark.parametrize("target", ["dimension", "out_of_tolerance", "tool_life"])
def test_every_live_prediction_of_a_machine_is_made_again_to_the_last_bit(machines, target):
    several = machines.recorded(target, MACHINES[1])
    assert len(several) > 180
    for said in several[::29]:
        found = again(machines.reader, machines.assets, machines.bundles[target], said)
        assert (found.equal, found.why, found.anew) == (True, "", (said.value, said.low, said.high))


def test_every_live_prediction_of_a_pot_is_made_again_to_the_last_bit(pots):
    for target in ("pot_unusual", "anode_effect"):
        several = [s for s in pots.recorded(target, POTS[2]) if s.value is not None]
        assert several or pots.bundles[target].manifest.state != "ready"
        for said in several[::60]:
            found = again(pots.reader, pots.assets, pots.bundles[target], said)
            assert (found.equal, found.why) == (True, "")


@pytest.mark.parametrize("target", ["dimension", "tool_life"])
def test_at_full_speed_the_same_is_said_as_live(machines, target):
    from shopfloor.services.brain.replay.windows import Judge, Spent, machine_windows

    judge = Judge([Opened(machines.bundles[target])], Spent())
    found = machine_windows(machines.reader, machines.assets[1], (TRAINED, LAST), judge, {}, lambda _: None)
    live = {s.window_end: (s.value, s.low, s.high) for s in machines.recorded(target, MACHINES[1])}
    fast = {e: c for e, *c in zip(found.end.tolist(), *(column.tolist() for column in found.said[0]), strict=True)}
    assert len(live) > 180
    assert all(tuple(fast[end]) == said for end, said in live.items())


def test_at_full_speed_pots_say_the_same_as_live(pots):
    from shopfloor.services.brain.replay.windows import Judge, Spent, pot_windows

    target = next(t for t in ("pot_unusual", "anode_effect") if pots.bundles[t].manifest.state == "ready")
    judge = Judge([Opened(pots.bundles[target])], Spent())
    found = {w.asset: w for w in pot_windows(pots.reader, pots.assets, (TRAINED, LAST), judge, {}, lambda _: None)}
    for pot in POTS:
        live = {s.window_end: s.value for s in pots.recorded(target, pot)}
        fast = dict(zip(found[pot].end.tolist(), found[pot].said[0][0].tolist(), strict=True))
        both = live.keys() & fast.keys()
        assert len(both) > 100
        assert all(live[end] == fast[end] for end in both)


def test_truths_and_sums_are_those_of_the_store(machines):
    card = machines.bundles["dimension"].manifest
    question = Question("*", TRAINED, LAST, Costs(2.0, 30.0))
    told = []
    models = [Opened(machines.bundles["dimension"], 2), Opened(machines.bundles["dimension"], 1)]
    found = replay(
        machines.reader, machines.assets, models, question, {}, Policy(), lambda *p: told.append(p)
    )  # fmt: skip
    probed = sum(len(t["probe.part"].changes().before(LAST).since(TRAINED).time) - 1 for t in machines.past.values())
    evidence, own = found.evidence, found.own
    assert abs(evidence.exact - probed) <= 2 * len(MACHINES)
    assert (evidence.number, evidence.against, evidence.difference) == (2, 1, 0.0)
    assert own.hits + own.misses + own.false + own.quiet == evidence.windows
    assert abs(evidence.coverage - card.coverage) < 0.12
    assert own.cost == 2.0 * own.alarms_false + 30.0 * (own.events - own.caught)
    assert (found.other.number, found.other.alarms) == (1, own.alarms)
    assert told[-1] == (len(MACHINES) * (LAST - TRAINED),) * 2
    assert told == sorted(told)


def test_tool_changes_are_events_with_a_lead(machines):
    question = Question(MACHINES[0].rpartition("/")[0], TRAINED, LAST)
    found = replay(machines.reader, machines.assets, [Opened(machines.bundles["tool_life"])], question, {}, Policy())
    own = found.own
    assert own.events >= 3
    assert own.caught >= own.events // 2
    assert 0 < own.lead_median < 60
    assert found.evidence.censored > 0
    assert found.other is None


def test_anode_effects_are_events(pots):
    question = Question("*", START + DAY, LAST)
    bundle = pots.bundles["anode_effect"]
    found = replay(pots.reader, pots.assets, [Opened(bundle)], question, {}, Policy())
    assert found.own.events > 0
    assert found.own.hits + found.own.misses > 0 or bundle.manifest.state != "ready"


def test_a_replay_can_be_stopped(machines):
    asked = iter([False, False, True])
    question = Question("*", TRAINED, LAST)
    with pytest.raises(Stopped):
        replay(machines.reader, machines.assets, [Opened(machines.bundles["dimension"])], question, {}, Policy(),
               stop=lambda: next(asked))  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "start", "end", "said"),
    [("*", 5, 5, "later end"), ("*", 0, 500 * DAY, "400 days"), ("other/place", 0, DAY, "No asset of other/place")],
)
def test_a_question_that_cannot_be_asked_is_refused(machines, scope, start, end, said):
    with pytest.raises(QuestionError, match=said):
        replay(machines.reader, machines.assets, [Opened(machines.bundles["dimension"])],
               Question(scope, start, end), {}, Policy())  # fmt: skip


def test_what_came_late_is_told(machines):
    """It brings a value that live judging never saw, to a machine that no other test compares."""
    said = machines.recorded("dimension", MACHINES[3])[150]
    assert again(machines.reader, machines.assets, machines.bundles["dimension"], said).equal
    late = Steps(np.array([said.window_end - 20 * SECOND], np.int64), np.array([99.0]))
    machines.bringing.bring({MACHINES[3]: {"spindle.power": late}})
    found = again(machines.reader, machines.assets, machines.bundles["dimension"], said)
    assert not found.equal
    assert "after the prediction was made" in found.why
    assert "spindle.power now" in found.features
    assert not [name for name in found.features if name.startswith("vibration")]
