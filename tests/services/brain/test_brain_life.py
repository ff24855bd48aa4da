"""The brain's life on a small plant of its own: learn in a child process, judge, stop, come back."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
from shopfloor.models import toy
from shopfloor.models.bundle import load
from shopfloor.models.columns import DAY, MINUTE, Columns
from shopfloor.models.sealing.folder import MANIFEST, read, write
from shopfloor.models.sealing.manifest import signed
from shopfloor.plant import Asset, AssetPath
from shopfloor.plant.tag import Band, Tag
from shopfloor.services.brain import Brain
from shopfloor.services.brain.cards import card
from shopfloor.services.registry import Registry
from shopfloor.services.registry.words import ModelUnknown

pytestmark = pytest.mark.timeout(600)

START = 20_000 * DAY
LINE = "works/frames/machining/cell"
ROW = "works/smelter/potline/row"


class ToyPlant:
    """A plant file as far as the brain looks at it."""

    def __init__(self, machines: int, pots: int) -> None:
        machine = [Asset(AssetPath.parse(f"{LINE}/m-{i:02d}"), "machine-tool", f"M {i}") for i in range(machines)]
        pot = [Asset(AssetPath.parse(f"{ROW}/p-{i:02d}"), "reduction-pot", f"P {i}") for i in range(pots)]
        self.assets = (*machine, *pot)

    def tags_of(self, asset: Asset) -> tuple[Tag, ...]:
        if asset.type != "machine-tool":
            return ()
        return (Tag("setpoint.offset", writable=True, range=Band(-40.0, 40.0)), Tag("setpoint.speed"))


class ToyReader:
    """Answers from columns in memory as a historian would, up to `now`."""

    def __init__(self, columns: Mapping[str, Columns], now: int) -> None:
        self.columns, self.now = columns, now

    def read(self, tags: Sequence[str], start: int, end: int, *, previous: bool = False) -> pa.Table:
        assert previous or start >= START
        return toy.table(self.columns, start, min(end, self.now), names=tags)

    def latest(self, tags: Sequence[str]) -> pa.Table:
        assets = {tag.rpartition("/")[0] for tag in tags}
        shown = {asset: self.columns[asset] for asset in assets if asset in self.columns}
        return toy.table(shown, self.now - 1, self.now, names=tags)


def columns(days: float, machines: int, pots: int) -> dict[str, Columns]:
    found: dict[str, Columns] = {f"{LINE}/m-{i:02d}": toy.machine(i, days, start=START) for i in range(machines)}
    return found | {f"{ROW}/p-{i:02d}": toy.pot(i, days, start=START) for i in range(pots)}


def wait_for(said, deadline: float = 300.0) -> None:
    end = time.monotonic() + deadline
    while not said():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A brain that has trained on two days, its folder and its reader."""
    folder = tmp_path_factory.mktemp("brain")
    reader = ToyReader(columns(2.2, 8, 8), START + 2 * DAY)
    clock = lambda: reader.now  # noqa: E731
    with registry_at(tmp_path_factory.mktemp("registry"), clock) as registry:
        brain = Brain(ToyPlant(8, 8), reader, folder, clock, registry, every=0.05)
        seen = []
        brain.subscribe(seen.append)
        brain.start()
        wait_for(lambda: brain.status()["state"] in ("ready", "failed"))
        wait_for(lambda: len(brain.predictions()) >= 8 * 5 and seen)
        yield brain, reader, folder, clock, seen
        brain.stop()


def registry_at(folder, clock):
    """A registry of the toy plant's models."""
    return Registry.open(folder, clock, card, lambda: [str(asset.path) for asset in ToyPlant(8, 8).assets])


def test_it_learns_in_a_child_process_and_judges_every_asset(learned):
    brain, _, folder, _, seen = learned
    assert brain.status()["state"] == "ready"
    assert 0 < brain.status()["cpu_s"] < 30
    assert {p["target"] for p in brain.predictions(f"{LINE}/m-00")} == {"dimension", "out_of_tolerance", "tool_life"}
    assert {p["target"] for p in brain.predictions(f"{ROW}/p-00")} == {"pot_unusual", "anode_effect"}
    assert seen
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == [
        "anode_effect", "dimension", "out_of_tolerance", "pot_unusual", "tool_life",
    ]  # fmt: skip


def test_every_ready_prediction_has_an_interval_and_reasons(learned):
    brain, *_ = learned
    for p in brain.predictions():
        if p["status"] != "unknown":
            assert p["low"] <= p["value"] <= p["high"]
            assert p["reasons"], p
            assert all(r["sentence"] and r["code"] and r["tag"] for r in p["reasons"])


def test_every_number_is_explained_and_advice_says_honestly_what_is_not_known(learned):
    brain, *_ = learned
    for p in brain.predictions():
        if p["value"] is None:
            with pytest.raises(ModelUnknown, match=f"no prediction '{p['target']}' of {p['asset']} now"):
                brain.explain(p["asset"], p["target"])
            continue
        said = brain.explain(p["asset"], p["target"])
        assert abs(said["gap"]) < 1e-9
        assert sum(group["contribution"] for group in said["groups"]) == pytest.approx(said["value"] - said["usual"])
        advice = brain.advise(p["asset"], p["target"], None, None)
        assert advice["changes"] == []
        assert len(advice["left_out"]) == (4 if "/m-" in p["asset"] else 3)


def test_models_show_scores_beside_baselines_and_the_split(learned):
    brain, *_ = learned
    cards = {card["target"]: card for card in brain.models()}
    assert cards["dimension"]["coverage"]["nominal"] == 0.9
    assert all("unseen" in card["sentence"] or card["state"] == "ready" for card in cards.values())
    assert (
        "never" in cards["tool_life"]["split"] or "had learned from the other machines" in cards["tool_life"]["split"]
    )
    assert any(m["beats"] and m["baseline"] is not None for m in cards["dimension"]["metrics"])


def test_it_goes_on_with_new_data_and_writes_a_diary(learned):
    brain, reader, *_ = learned
    asset = f"{LINE}/m-00"
    before = brain.predictions(asset)[0]["time"]
    reader.now += 20 * MINUTE
    wait_for(lambda: brain.predictions(asset)[0]["time"] > before + 10 * 60_000)
    past = brain.history(asset, "dimension", START, reader.now)
    assert len(past["time"]) >= 10
    assert past["time"] == sorted(past["time"])


def test_what_live_judging_saw_is_compared_with_training(learned):
    brain, reader, _, clock, _ = learned
    reader.now += 10 * MINUTE
    wait_for(lambda: all(len(brain._recent.of(kind)[0]) for kind in ("machine-tool", "reduction-pot")))
    for name in ("dimension", "anode-effect"):
        said = brain.drift(name, 1)
        assert said["rows"] > 0
        assert "needed to compare" in said["sentence"] or len(said["features"]) > 20
    assert said["time"] <= clock() / 1e6


def test_silent_assets_are_unknown_without_a_number(learned):
    brain, reader, _, _, _ = learned
    gone = f"{ROW}/p-07"
    kept = reader.columns.pop(gone)
    wait_for(lambda: {p["status"] for p in brain.predictions(gone)} == {"unknown"})
    assert all(p["value"] is None and "No data" in p["sentence"] for p in brain.predictions(gone))
    reader.columns[gone] = kept


def test_a_second_start_loads_bundles_and_remembers(learned, tmp_path):
    brain, reader, folder, clock, _ = learned
    copied(folder, tmp_path / "brain")
    with registry_at(tmp_path / "registry", clock) as registry:
        again = Brain(
            ToyPlant(8, 8), reader, tmp_path / "brain", clock, registry, history_complete=lambda: False, every=0.05
        )
        again.start()
        wait_for(lambda: again.status()["state"] == "ready", 10)
        wait_for(lambda: len(again.predictions()) >= 8 * 5 - 2, 10)
        again.stop()
        assert {(m["name"], m["version"], m["scope"]) for m in again.models()} == {
            (m["name"], 1, "*") for m in brain.models()
        }
        assert all(e.by == "system: first model" for e in registry.state.events if e.what == "champion")


def test_a_changed_bundle_is_refused_and_waits_for_training(learned, tmp_path, caplog):
    _, reader, folder, clock, _ = learned
    copied(folder, tmp_path / "brain")
    damage(tmp_path / "brain" / "tool_life" / "value.tl")
    with registry_at(tmp_path / "registry", clock) as registry:
        brain = Brain(
            ToyPlant(8, 8), reader, tmp_path / "brain", clock, registry, history_complete=lambda: False, every=0.05
        )
        brain.start()
        wait_for(lambda: "changed after sealing" in caplog.text)
        wait_for(lambda: len(registry.state.places) == 4)
        assert brain.status()["state"] == "waiting"
        brain.stop()


def damage(file):
    """Change one bit of a sealed file."""
    sealed = file.read_bytes()
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_models_learned_again_are_compared_and_proposed_and_their_truths_come(learned):
    brain, reader, *_ = learned
    registry = brain._registry
    assert "has begun" in brain.train_again()
    wait_for(lambda: all(places["*"].proposed for places in registry.state.places.values()))
    number = {name: places["*"].proposed for name, places in registry.state.places.items()}
    reader.now += 40 * MINUTE
    wait_for(lambda: registry.scores.health("dimension", number["dimension"], "*")[0] > 8 * 10, 60)
    wait_for(lambda: registry.scores.health("anode-effect", number["anode-effect"], "*")[0] >= 6, 60)
    assert {m["version"] for m in brain.models()} == {1}
    reader.now += 40 * MINUTE
    wait_for(lambda: len(registry.scores.labelled("dimension", number["dimension"], 1, "*")) >= 8, 60)
    wait_for(lambda: len(registry.scores.labelled("anode-effect", number["anode-effect"], 1, "*")) >= 6, 60)
    lives = registry.evidence("tool-life", number["tool-life"], "*")
    assert lives.censored > 0
    assert lives.errors == 0.0
    evidence = registry.evidence("dimension", number["dimension"], "*")
    assert evidence.against == 1
    assert evidence.exact == evidence.windows
    assert abs(evidence.difference) < 1.0, "both have learned from the same"


def test_a_promotion_speaks_at_the_next_look_and_a_rollback_goes_back(learned, tmp_path):
    _, reader, folder, clock, _ = learned
    copied(folder, tmp_path / "brain")
    with registry_at(tmp_path / "registry", clock) as registry:
        brain = Brain(ToyPlant(8, 8), reader, tmp_path / "brain", clock, registry, every=0.05)
        brain.start()
        wait_for(lambda: brain.status()["state"] == "ready", 20)
        number = registry.submit(sealed_again(tmp_path / "brain" / "dimension", tmp_path), "anna").number
        for step, expected in (
            (lambda: registry.promote("dimension", number, f"{LINE}/m-01", "anna", "a trial", override=True), number),
            (lambda: registry.roll_back("dimension", f"{LINE}/m-01", "anna", "worse"), 1),
        ):
            step()
            reader.now += 5 * MINUTE
            wait_for(lambda e=expected: versions(brain, "m-01") == {e}, 30)
            wait_for(lambda: versions(brain, "m-02") == {1}, 30)
        brain.stop()


def test_a_champion_damaged_on_disk_gives_way_to_the_one_before_it(learned, tmp_path):
    _, reader, folder, clock, _ = learned
    copied(folder, tmp_path / "brain")
    with registry_at(tmp_path / "registry", clock) as registry:
        first = registry.submit(tmp_path / "brain" / "dimension", "test")
        registry.begin_with(first, "*")
        second = registry.submit(sealed_again(tmp_path / "brain" / "dimension", tmp_path), "test")
        registry.promote("dimension", 2, "*", "anna", "a trial", override=True)
        damage(registry.bundles.at(second.sha) / "value.tl")
        brain = Brain(
            ToyPlant(8, 8), reader, tmp_path / "brain", clock, registry, history_complete=lambda: False, every=0.05
        )
        brain.start()
        wait_for(lambda: brain.status()["state"] == "ready", 20)
        assert {m["name"]: m["version"] for m in brain.models()}["dimension"] == 1
        brain.stop()


def copied(folder, to):
    """A copy of the folder of a brain at work; what it is just writing is left out."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("*.new", "again"))


def versions(brain, machine):
    """The versions that spoke last of a machine's parts."""
    return {p.get("version") for p in brain.predictions(f"{LINE}/{machine}") if p["target"] == "dimension"}


def sealed_again(folder, place):
    """The same model with another address: its card says that it was trained a little later."""
    files = read(folder)
    card = replace(load(folder).manifest, trained_at=load(folder).manifest.trained_at + 1)
    _, content = signed(card, {name: data for name, data in files.items() if name != MANIFEST})
    return write(place / "again", {**files, MANIFEST: content})
