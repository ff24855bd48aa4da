"""What nobody should ever be given: thousands of damaged, forged and malicious bundles, each refused or harmless."""

import json
import os
import subprocess
import sys
from pathlib import Path

import hostile_bundles
import pytest
import treelite
from shopfloor.models.bundle import RefusedBundle, export, load
from shopfloor.models.sealing import trees
from shopfloor.models.sealing.folder import LARGEST

CORPUS = Path(hostile_bundles.__file__)


def corpus(log: Path, every: int, before: str = "", limit: float = 170) -> subprocess.CompletedProcess[str]:
    """Try the corpus in a process of its own: a crash of it is an answer too."""
    code = f"import sys; sys.path.insert(0, {str(CORPUS.parent)!r}); import hostile_bundles; from pathlib import Path\n"
    code += f"{before}\nhostile_bundles.main(Path({str(log)!r}), {every})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=limit, check=False)


def test_thousands_of_hostile_bundles_are_refused_or_harmless(tmp_path):
    log = tmp_path / "log"
    done = corpus(log, every=9)
    assert done.returncode == 0, f"it ended at {log.read_text().splitlines()[-1]!r}: {done.stderr[-2000:]}"
    said = json.loads(done.stdout)
    assert said["names"] == []
    assert said["changed bytes let through"] == 0
    assert said["refused"] > 3000
    assert done.stderr == "", "a library complained: it saw what it should not have seen"


def test_the_corpus_would_find_a_missing_check(tmp_path):
    log = tmp_path / "log"
    blind = "from shopfloor.models.sealing import trees; trees._check_nodes = lambda *_: None"
    try:
        done = corpus(log, every=9, before=blind, limit=90)
    except subprocess.TimeoutExpired:
        return
    assert done.returncode < 0 or (done.returncode == 0 and json.loads(done.stdout)["names"]) or done.stderr


@pytest.fixture
def folder(tmp_path):
    (sealed,) = [made for name, made in hostile_bundles.bundles(("layers",)).items()]
    return sealed.save(tmp_path / "layers")


def test_a_link_a_pipe_and_a_file_too_large_are_not_read(folder, tmp_path):
    arrays = folder / "arrays.npz"
    moved = arrays.rename(tmp_path / "elsewhere.npz")
    arrays.symlink_to(moved)
    with pytest.raises(RefusedBundle, match=r"layers cannot be read: .*; copy it again"):
        load(folder)
    arrays.unlink()
    os.mkfifo(arrays)
    with pytest.raises(RefusedBundle, match=r"arrays.npz is no file"):
        load(folder)
    arrays.unlink()
    with arrays.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(RefusedBundle, match="it is larger than 64 MB"):
        load(folder)


def test_other_files_and_folders_in_it_are_refused(folder):
    (folder / "notes.txt").write_text("x")
    with pytest.raises(RefusedBundle, match=r"holds 'notes.txt'"):
        load(folder)
    (folder / "notes.txt").unlink()
    (folder / "more.npz").write_bytes(b"x")
    with pytest.raises(RefusedBundle, match=r"holds others than its models need: more.npz"):
        load(folder)
    (folder / "more.npz").unlink()
    (folder / "deep").mkdir()
    with pytest.raises(RefusedBundle, match="layers cannot be read"):
        load(folder)


def test_nothing_at_all_is_one_sentence(tmp_path):
    with pytest.raises(RefusedBundle, match=r"The bundle none cannot be read: No such file"):
        load(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedBundle, match=r"has no manifest.json"):
        load(tmp_path / "empty")
    with pytest.raises(RefusedBundle):
        export(tmp_path / "empty", tmp_path / "copy.shopfloor")
    assert not (tmp_path / "copy.shopfloor").exists()


def test_trees_of_a_later_treelite_are_refused_before_it_warns(tmp_path):
    made = hostile_bundles.bundles(("boosted",))["boosted"]
    data = bytearray(made.files["value.tl"])
    data[4:8] = (999).to_bytes(4, "little")
    with pytest.raises(ValueError, match=rf"treelite 4.999.\d+, which is not {treelite.__version__}"):
        trees.read_forest(bytes(data), 3)
