"""History newest first, truth apart, checkpoints, and the physics at plant scale."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from shopfloor.plant import Batch, Kind
from shopfloor.simulators import lines, truth
from shopfloor.simulators.checkpoint import Checkpoint, CheckpointError
from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.history import NOW, Job, write_history
from shopfloor.simulators.testing import Break, record

START = 1_750_000_000 * 10**9
HOUR = 3600 * 10**9
POTS = ("delta/smelter/potline/row-1/pot-01", "delta/smelter/potline/row-1/pot-02")


def job(folder: Path, line: str = "potline", hours: float = 2.0, chunk: int = 1800) -> Job:
    end = START + round(hours * HOUR)
    return Job(line, POTS, 3, START, end, str(folder / "rec"), str(folder / "state"), chunk=chunk)


def recordings(folder: Path) -> list[Batch]:
    return [Batch.from_bytes(path.read_bytes()) for path in sorted((folder / "rec").glob("*.arrow"))]


def test_history_is_written_newest_first_with_a_manifest(tmp_path):
    rows = write_history(job(tmp_path))
    manifest = json.loads((tmp_path / "rec" / "manifest.json").read_text())
    written = recordings(tmp_path)
    assert manifest["complete"]
    assert manifest["rows_written"] == manifest["rows_expected"] == rows == sum(map(len, written))
    floats = [b for b in written if b.kind is Kind.FLOAT]
    starts = [int(b.time.min()) for b in floats]
    assert starts == sorted(starts, reverse=True)
    assert min(starts) == START
    assert {name.rpartition("/")[0] for b in written for name in b.names} == set(POTS)
    assert not list((tmp_path / "rec").glob("*.tmp"))


def test_live_goes_on_where_history_ends(tmp_path):
    write_history(job(tmp_path))
    line = lines.load("potline")
    simulation = Simulation(line, POTS, 3, START)
    for _ in range(7200):
        simulation.step()
    assert Checkpoint.load(tmp_path / "state" / NOW).to_bytes() == simulation.checkpoint()


def test_an_interrupted_history_goes_on_and_loses_nothing(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    write_history(job(whole))
    write_history(job(cut))
    manifest_path = cut / "rec" / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    files = sorted((cut / "rec").glob("*.arrow"))
    for path in files[len(files) // 2 :]:
        path.unlink()
    kept = files[: len(files) // 2]
    manifest |= {"chunks_done": 2, "files": len(kept), "complete": False}
    manifest["rows_written"] = sum(len(Batch.from_bytes(path.read_bytes())) for path in kept)
    manifest_path.write_text(json.dumps(manifest))
    write_history(job(cut))
    names = [path.name for path in sorted((whole / "rec").glob("*.arrow"))]
    assert [path.name for path in sorted((cut / "rec").glob("*.arrow"))] == names
    for name in names:
        assert (cut / "rec" / name).read_bytes() == (whole / "rec" / name).read_bytes()


def test_truth_is_apart_and_complete(tmp_path):
    write_history(job(tmp_path))
    table = truth.read(tmp_path / "state" / "truth")
    assert table.num_rows == 2 * 240
    hidden = set(lines.load("potline").truth)
    assert hidden <= set(table.column_names)
    seen = {name.rpartition("/")[2] for batch in recordings(tmp_path) for name in batch.names}
    assert not seen & hidden


def test_the_truth_log_of_a_live_line(tmp_path):
    line = lines.load("machining")
    simulation = Simulation(line, ["delta/f/m/c/cnc-01"], 3, START)
    simulation.inject(0, "bearing")
    log = truth.TruthLog(tmp_path)
    for _ in range(200):
        simulation.step()
        log.observe(simulation)
    log.flush(simulation)
    table = truth.read(tmp_path)
    assert table.num_rows == len([n for n in range(200) if (START // 10**9 + n) % truth.EVERY == 0])
    labels = json.loads((tmp_path / "faults.json").read_text())
    assert [(label["asset"], label["fault"]) for label in labels] == [("delta/f/m/c/cnc-01", "bearing")]


def test_a_damaged_checkpoint_says_so(tmp_path):
    path = tmp_path / "x.checkpoint"
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="are no checkpoint"):
        Checkpoint.load(path)
    other = Simulation(lines.load("potline"), POTS, 3, START).checkpoint()
    with pytest.raises(CheckpointError, match="does not fit machining"):
        Simulation.resume(lines.load("machining"), other)


def test_machine_tools_wear_out_and_sometimes_cut_bad_parts():
    cell = record("machining", [f"delta/f/m/c/cnc-{i:02d}" for i in range(8)], seed=4, hours=72)
    table = cell.truth
    wear, tool = table["wear"].to_numpy(), table["tool"].to_numpy()
    changed = np.flatnonzero(np.diff(tool) == 1)
    lives = table["tool_minutes"].to_numpy()[changed]
    assert 150 < len(lives) < 500
    assert 60 < np.median(lives) < 150
    assert 0.1 < np.std(lives) / np.mean(lives) < 0.6
    parts = np.flatnonzero(np.diff(table["last_part"].to_numpy()) == 1) + 1
    bad = np.abs(table["last_dimension"].to_numpy()[parts]) > 30.0
    assert 0.003 < bad.mean() < 0.08
    worn = wear[parts] > 0.24
    assert bad[worn].mean() > 3 * bad[~worn].mean()
    left = truth.remaining_life(table)
    assert np.nanmin(left) >= 0.0
    assert np.isnan(left).mean() < 0.1


def test_pots_have_anode_effects_now_and_then_after_blocked_feeders():
    pots = record("potline", [f"delta/s/p/r/pot-{i:02d}" for i in range(30)], seed=4, hours=96)
    effects = truth.anode_effects(pots.truth)
    assert 0.08 < effects.num_rows / 30 / 4 < 0.5
    assert pc.min(pots.truth["alumina"]).as_py() > 1.3
    metal = pc.mean(pots.truth["efficiency"]).as_py()
    assert 0.92 < metal < 0.96


def test_a_starved_pot_shows_before_its_anode_effect():
    pots = record("potline", list(POTS), seed=4, hours=8, breaks=[Break(0, "feeder_block", 4.0)])
    blocked = pots.start + 4 * HOUR
    effects = truth.anode_effects(pots.truth)
    later = pc.greater(effects["time"].cast("int64"), blocked)
    ours = pc.and_(pc.equal(effects["asset"].cast("string"), POTS[0]), later)
    first = pc.min(effects.filter(ours)["time"]).cast("int64").as_py()
    assert first > blocked + 600 * 10**9
    name = f"{POTS[0]}/resistance"
    rows = []
    for batch in pots.batches:
        if name in batch.names:
            mine = batch.take(batch.tag == batch.names.index(name))
            rows.append((mine.time, mine.value))
    time, value = (np.concatenate(column) for column in zip(*rows, strict=True))
    before = np.nanmean(value[(time > blocked - HOUR) & (time < blocked)])
    warning = np.nanmean(value[(time > first - 600 * 10**9) & (time < first - 60 * 10**9)])
    assert warning > before + 0.1


def test_real_time_never_loads_the_compiler():
    code = (
        "import sys; from shopfloor.simulators import engine, lines;"
        "engine.Simulation(lines.load('machining'), ['a'], 1, 0).step();"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
