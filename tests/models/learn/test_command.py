"""`shopfloor train` as a person runs it."""

import csv
import os

import numpy as np
import pytest
from shopfloor.services.bench.models import loaders, page, sets
from shopfloor.services.cli import main


@pytest.fixture
def parts(tmp_path):
    random = np.random.default_rng(0)
    file = tmp_path / "parts.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["machine", "when", "load", "kind", "size"])
        for machine in range(24):
            for minute in range(30):
                load = random.normal()
                row = [f"m{machine}", f"2026-01-{1 + machine:02d}T08:{minute:02d}:00", load, random.choice(["x", "y"])]
                writer.writerow([*row, 2.0 * load + random.normal() * 0.1])
    return file


def test_a_table_becomes_a_card(parts, capsys):
    arguments = ["train", str(parts), "--target", "size", "--asset", "machine", "--time", "when", "--budget", "3"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "grouped by machine" in told.out
    assert "Beats the trivial rule" in told.out
    assert "100%" in told.err
    assert "<svg" in (parts.parent / "parts.card.html").read_text()


def test_a_mistake_is_one_sentence(parts, capsys):
    assert main(["train", str(parts), "--target", "siz", "--asset", "machine"]) == 2
    assert main(["train", str(parts.parent / "none.csv"), "--target", "size"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2:] == [
        "The table has no column 'siz'. Did you mean 'size'?",
        f"{parts.parent / 'none.csv'} does not exist: expected a CSV or Parquet file.",
    ]


def test_an_absent_data_set_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SHOPFLOOR_DATA", str(tmp_path))
    assert main(["bench", "models", "cmapss"]) == 2
    assert "set SHOPFLOOR_DATA" in capsys.readouterr().err


def test_a_page_says_which_bars_are_missed():
    part = {"name": "ai4i", "looked": "", "data": "0", "seconds": 1.0}
    part["summary"] = [sets.row("AP", 0.9, ">= 0.88", kept=True), sets.row("F1", 0.8, ">= 0.84", kept=False)]
    told = page.PAGE.table(part)
    assert "| 0.9 | >= 0.88 | kept |" in told
    assert "| 0.8 | >= 0.84 | **missed** |" in told


@pytest.mark.skipif("SHOPFLOOR_DATA" not in os.environ, reason="the public data sets are not here")
def test_the_loaders_read_the_published_files():
    assert len(loaders.cmapss(loaders.folder("cmapss"), "train", "FD001")["engine"]) == 20_631
    assert loaders.tep(loaders.folder("tep"), "d00")["variable 52"].shape == (500,)
    assert len(loaders.cnc(loaders.folder("cnc_mill"))["row"]) == 25_286
