"""The brain's life on a small plant of its own: learn in a child process, judge, stop, come back."""

import shutil
import time
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
from shopfloor.models import toy
from shopfloor.models.columns import DAY, MINUTE, Columns
from shopfloor.plant import Asset, AssetPath
from shopfloor.services.brain import Brain

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
    brain = Brain(ToyPlant(8, 8), reader, folder, clock, every=0.05)
    seen = []
    brain.subscribe(seen.append)
    brain.start()
    wait_for(lambda: brain.status()["state"] in ("ready", "failed"))
    wait_for(lambda: len(brain.predictions()) >= 8 * 5)
    yield brain, reader, folder, clock, seen
    brain.stop()


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


def test_silent_assets_are_unknown_without_a_number(learned):
    brain, reader, _, _, _ = learned
    gone = f"{ROW}/p-07"
    kept = reader.columns.pop(gone)
    wait_for(lambda: {p["status"] for p in brain.predictions(gone)} == {"unknown"})
    assert all(p["value"] is None and "No data" in p["sentence"] for p in brain.predictions(gone))
    reader.columns[gone] = kept


def test_a_second_start_loads_bundles_and_remembers(learned, tmp_path):
    _, reader, folder, clock, _ = learned
    shutil.copytree(folder, tmp_path / "brain")
    again = Brain(ToyPlant(8, 8), reader, tmp_path / "brain", clock, history_complete=lambda: False, every=0.05)
    again.start()
    wait_for(lambda: again.status()["state"] == "ready", 10)
    wait_for(lambda: len(again.predictions()) >= 8 * 5 - 2, 10)
    again.stop()


def test_a_changed_bundle_is_refused_and_waits_for_training(learned, tmp_path, caplog):
    _, reader, folder, clock, _ = learned
    shutil.copytree(folder, tmp_path / "brain")
    trees = tmp_path / "brain" / "tool_life" / "value.tl"
    sealed = trees.read_bytes()
    trees.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    brain = Brain(ToyPlant(8, 8), reader, tmp_path / "brain", clock, history_complete=lambda: False, every=0.05)
    brain.start()
    wait_for(lambda: "changed after sealing" in caplog.text)
    assert brain.status()["state"] == "waiting"
    brain.stop()
