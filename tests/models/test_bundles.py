"""Bundles: equal to what was trained, loaded without scikit-learn, refused when anything about them is wrong."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import treelite
from hostile_bundles import resealed
from shopfloor.models import toy, train_pots
from shopfloor.models.bundle import RefusedBundle, export, load, verify
from shopfloor.models.columns import DAY, HOUR
from shopfloor.models.features import PART_FEATURES, POT_FEATURES
from shopfloor.models.features.window import DESCRIBE
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.scorer import score
from shopfloor.models.sealing.trees import read_forest
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


@pytest.mark.parametrize(("target", "kind", "rows"), [("dimension", MACHINE, 4), ("anode_effect", POT, 12)])
def test_raw_windows_prove_the_feature_code(folder, target, kind, rows):
    bundle = load(folder / target, describe=DESCRIBE[kind])
    windows = bundle.arrays["golden.window"]
    described = DESCRIBE[kind](windows)
    assert (len(windows), described.shape) == (4, (rows, len(bundle.manifest.features)))
    assert np.isfinite(described).any(axis=1).all()
    for column in (0, 3):
        with pytest.raises(RefusedBundle, match="golden windows give other features"):
            load(folder / target, describe=lambda w, at=column: _bent(DESCRIBE[kind](w), at))


def _bent(rows, column):
    """The smallest change there is, of one feature of one row."""
    rows[-1, column] = np.nextafter(rows[-1, column], np.float32(np.inf))
    return rows


@pytest.mark.parametrize("kind", [MACHINE, POT])
@pytest.mark.parametrize("windows", [np.zeros((0, 0, 0)), np.zeros((2, 40, 7)), np.full((1, 40, 61), np.nan)])
def test_windows_of_something_else_are_refused(kind, windows):
    with pytest.raises(ValueError, match="none of parts or bins"):
        DESCRIBE[kind](windows)


def test_a_missing_value_widens_nothing_into_an_error(folder):
    bundle = load(folder / "dimension")
    said = score(bundle, np.full((2, len(PART_FEATURES)), np.nan, np.float32))
    assert np.all(said.low <= said.high)


@pytest.mark.parametrize(
    ("field", "value"), [("cleft", 0), ("cleft", 10_000), ("cright", -7), ("split_index", 9_999), ("threshold", np.nan)]
)
def test_trees_that_would_loop_or_leave_their_bounds_are_refused(folder, field, value):
    wrong = {"cleft": "child", "cright": "child", "split_index": "feature", "threshold": "threshold"}
    model = treelite.Model.deserialize_bytes((folder / "dimension" / "value.tl").read_bytes())
    tree = model.get_tree_accessor(3)
    column = tree.get_field(field).copy()
    column[0] = value
    tree.set_field(field, column)
    with pytest.raises(ValueError, match=wrong[field]):
        read_forest(model.serialize_bytes(), len(PART_FEATURES))


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
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "manifest.json").write_bytes(resealed(files, files=card["files"])["manifest.json"])
    with pytest.raises(RefusedBundle, match="secret"):
        load(tmp_path)


def test_a_bundle_of_the_first_format_asks_for_training_in_one_sentence(folder, tmp_path):
    old = json.loads((folder / "dimension" / "manifest.json").read_text())
    kept = {name: old[name] for name in ("name", "target", "features", "files")}
    (tmp_path / "manifest.json").write_text(json.dumps({**kept, "format": 1}, indent=1, sort_keys=True))
    with pytest.raises(RefusedBundle, match=r"is of format 1, this version reads 2 and 3: train again\.$"):
        load(tmp_path)


def test_the_same_training_gives_the_same_identity(folder, tmp_path):
    again = History(START, START + 2 * DAY)
    for i in range(6):
        again.add(f"m{i}", MACHINE, toy.machine(i, 2, start=START))
        again.add(f"p{i}", POT, toy.pot(i, 2, start=START))
    for target in seal(tmp_path, train(again, lambda *_: None)):
        first, second = verify(folder / target), verify(tmp_path / target)
        assert first.sha == second.sha
        assert first.seal != second.seal, "they were trained at two moments"


def test_one_file_is_the_same_bundle_as_its_folder(folder, tmp_path):
    one = export(folder / "tool_life", tmp_path / "tool_life.shopfloor")
    back = export(one, tmp_path / "back")
    again = export(back, tmp_path / "again.shopfloor")
    assert one.read_bytes() == again.read_bytes()
    assert verify(one) == verify(back) == verify(folder / "tool_life")
    with zipfile.ZipFile(one) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["arrays.npz", "manifest.json", "spread.tl", "value.tl"]


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


def test_an_hour_of_pots_is_too_little_and_says_so():
    line = _line(1, anode_effects=True)
    rows = train_pots.moments(line.potline(), lambda *_: None)
    for learn in (train_pots.pot_unusual, train_pots.anode_effect):
        with pytest.raises(TooLittleHistory, match=r"holds \d+ calm moments of 4 pots"):
            learn(*rows, START)


def test_pots_without_any_anode_effect_still_teach_what_is_unusual():
    said = []
    found = train(_line(20, anode_effects=False), lambda _, sentence: said.append(sentence))
    assert [model.manifest.target for model in found] == ["pot_unusual"]
    assert [s for s in said if s.startswith("The history holds no anode effect, or nothing else:")]


def _line(hours, *, anode_effects):
    """The history of four pots."""
    history = History(START, START + hours * HOUR)
    for i in range(4):
        tags = toy.pot(i, hours / 24, start=START)
        if not anode_effects:
            tags = {name: steps for name, steps in tags.items() if name not in ("state", "anode_effect")}
        history.add(f"p{i}", POT, tags)
    return history
