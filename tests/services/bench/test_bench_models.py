"""How fast models are asked: every window is scored, far cheaper than one by one, and the page tells it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shopfloor.models.scorer import score
from shopfloor.models.toy_model import ToyModel, toy_model
from shopfloor.services.bench.models import live
from shopfloor.services.bench.models.page import PAGE
from shopfloor.services.bench.models.run import parts


@pytest.fixture(scope="module")
def model() -> ToyModel:
    return toy_model()


def test_every_window_is_scored_after_it_came(model: ToyModel) -> None:
    late, cpu = live.arrivals(model, 0.3)
    assert (len(late), late.min() > 0) == (300, True)
    assert 1 <= len(cpu) <= 300


def test_together_costs_a_fraction_of_scikit_learn_one_by_one_and_says_the_same(model: ToyModel) -> None:
    assert live.together(model, 0.3) >= 15 * live.alone(model, 0.3)
    golden = model.sealed.bundle.arrays["golden"][:5]
    said = [model.alone(row[None]) for row in golden]
    assert np.allclose(score(model.sealed.bundle, golden).value, said, rtol=1e-9)


def test_the_page_has_a_part_without_a_data_set(
    model: ToyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SPENT_S", 0.1)
    monkeypatch.setattr(live, "toy_model", lambda: model)
    PAGE.publish(list(parts(["live"], 0.1)), tmp_path, "shopfloor bench models live")
    (part,) = json.loads((tmp_path / "models.json").read_text())["parts"]
    measured = {row["measure"]: row["value"] for row in part["summary"]}
    assert measured["windows scored"] == 100
    assert "p99 from arrival to score at 1,000 windows/s (ms) |" in (tmp_path / "models.md").read_text()
