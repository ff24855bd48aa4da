"""Bundles: equal to what was trained, loaded without scikit-learn, refused when anything about them is wrong."""

import json
import subprocess
import sys

import numpy as np
import pytest
import treelite
from shopfloor.models import toy
from shopfloor.models.bundle import RefusedBundle, check_topology, load
from shopfloor.models.columns import DAY
from shopfloor.models.features import PART_FEATURES, POT_FEATURES
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.scorer import score
from shopfloor.models.testing import check_model
from shopfloor.models.train import History, TooLittleHistory, seal, train

START = 20_000 * DAY


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    history = History(START, START + 2 * DAY)
    for i in range(6):
        history.add(f"m{i}", MACHINE, toy.machine(i, 2, start=START))
        history.add(f"p{i}", POT, toy.pot(i, 2, start=START))
    where = tmp_path_factory.mktemp("bundles")
    seal(where, train(history, lambda *_: None))
    return where


@pytest.mark.parametrize("target", ["dimension", "out_of_tolerance", "tool_life", "pot_unusual", "anode_effect"])
def test_every_model_passes_the_checks(folder, target):
    features = PART_FEATURES if target in ("dimension", "out_of_tolerance", "tool_life") else POT_FEATURES
    check_model(load(folder / target, features))


def test_a_missing_value_widens_nothing_into_an_error(folder):
    bundle = load(folder / "dimension")
    said = score(bundle, np.full((2, len(PART_FEATURES)), np.nan, np.float32))
    assert np.all(said.low <= said.high)


@pytest.mark.parametrize(
    ("field", "value"), [("cleft", 0), ("cleft", 10_000), ("cright", -7), ("split_index", 9_999), ("threshold", np.nan)]
)
def test_trees_that_would_loop_or_leave_their_bounds_are_refused(folder, field, value):
    model = treelite.Model.deserialize_bytes((folder / "dimension" / "value.tl").read_bytes())
    tree = model.get_tree_accessor(3)
    column = tree.get_field(field).copy()
    column[0] = value
    tree.set_field(field, column)
    with pytest.raises(RefusedBundle, match="Tree 3"):
        check_topology(model, len(PART_FEATURES), "dimension")


@pytest.mark.parametrize("name", ["value.tl", "spread.tl", "arrays.npz", "manifest.json"])
def test_a_changed_or_missing_file_is_refused(folder, tmp_path, name):
    for path in (folder / "dimension").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-3])
    with pytest.raises(RefusedBundle):
        load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(RefusedBundle):
        load(tmp_path)


def test_a_bundle_cannot_name_files_elsewhere_or_other_features(folder, tmp_path):
    with pytest.raises(RefusedBundle, match="other features"):
        load(folder / "dimension", POT_FEATURES)
    for path in (folder / "dimension").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    card = json.loads((tmp_path / "manifest.json").read_text())
    card["files"]["../secret.npz"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(card))
    with pytest.raises(RefusedBundle, match="secret"):
        load(tmp_path)


def test_scoring_needs_no_scikit_learn(folder):
    code = (
        "import sys; from pathlib import Path; import shopfloor.services.brain;"
        "from shopfloor.models.bundle import load;"
        f"load(Path({str(folder / 'tool_life')!r})); assert 'sklearn.ensemble' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_too_little_history_is_one_sentence():
    history = History(0, DAY)
    history.add("works/line/m-00", MACHINE, toy.machine(0, 0.2))
    with pytest.raises(TooLittleHistory, match=r"\d+ measured parts and 0 h of pots, too little to learn from"):
        train(history, lambda *_: None)
