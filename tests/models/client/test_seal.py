"""A fitted estimator and its rows become a bundle that a server can judge live; everything wrong is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_server import Running, running
from shopfloor.models.bundle import load
from shopfloor.models.client import Dataset, dataset, scrap
from shopfloor.models.client.seal import seal
from shopfloor.models.learn import Learned, Roles, train
from shopfloor.models.sealing.golden import check_golden
from shopfloor.models.spec import FeatureSpec
from shopfloor.models.streaming import StreamSpec, describe, streamed
from shopfloor.models.unfold import CannotCompile
from shopfloor.plant import ShopfloorError
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from strained import TAGS, S, feed

NOON = 1_790_000_000 * S
HOURS = 4
MEMORY = StreamSpec.of(TAGS, every=10, hold=60, lookback=300, remembered=TAGS)
COARSE = StreamSpec.of(TAGS, every=20, hold=60, lookback=300)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Three machines for six hours, 10 s apart; a part is bad after its machine drew much power for two minutes."""
    with running(tmp_path_factory.mktemp("seal")) as server:
        feed(server, NOON, NOON + HOURS * 3600 * S)
        yield server


@pytest.fixture(scope="module")
def rows(server: Running) -> tuple[Dataset, Dataset]:
    """Moments before bad parts, and quiet ones: the earlier and the later."""
    return asked(server).split(0.6)


def asked(server: Running, spec: StreamSpec | None = MEMORY, hop: str = "10s") -> Dataset:
    return dataset(
        scrap("part.count"), tags=TAGS, spec=spec, start=NOON, end=NOON + HOURS * 3600 * S, before="1min", hop=hop,
        after="2min", url=server.url,
    )  # fmt: skip


def test_an_estimator_with_memory_is_sealed_with_windows_that_prove_its_features(rows: tuple[Dataset, Dataset]) -> None:
    earlier, later = rows
    model = RandomForestClassifier(10, max_depth=5, random_state=0).fit(earlier.x, earlier.y)
    made = seal(model, None, later, name="bad-part", unit="", text="Bad parts, from power and heat.")
    manifest = made.bundle.manifest
    assert (manifest.kind, manifest.name, manifest.rows) == ("probability", "bad-part", len(later))
    assert streamed(manifest) == MEMORY
    check_golden(made.bundle, describe(MEMORY))
    (metric,) = manifest.metrics
    assert metric["beats"]
    assert later.sha in manifest.lineage.source
    assert manifest.data_start == later.time.min()
    assert manifest.split.startswith(f"{len(later)} moments of 3 assets from 2026-09-")


@pytest.fixture(scope="module")
def learned(server: Running) -> tuple[Learned, Dataset]:
    """What training learned from the earlier windows, and the later ones."""
    earlier, later = asked(server, None, hop="1min").split(0.6)
    return train(earlier.table(), Roles("label", run="window", time="time", ignore=("asset",)), budget_s=1), later


def test_what_training_learned_is_sealed_with_the_rows_of_live_judging(
    learned: tuple[Learned, Dataset], tmp_path: Path
) -> None:
    model, later = learned
    made = seal(model, None, later, name="bad-part")
    spec = streamed(made.bundle.manifest)
    assert spec is not None
    assert spec.features == model.spec
    assert made.bundle.manifest.classes == ["quiet", "scrap"]
    check_golden(load(made.save(tmp_path / "b.shopfloor")), describe(spec))
    assert made.bundle.manifest.metrics[0]["beats"]


def test_what_training_abstains_from_or_learned_elsewhere_is_not_sealed(learned: tuple[Learned, Dataset]) -> None:
    model, later = learned
    for changed, sentence in (
        (
            replace(model, abstains="it knows nothing."),
            "The training abstains, so nothing is deployed: it knows nothing",
        ),
        (replace(model, task="novelty"), "fit LedoitWolf on data.x"),
        (replace(model, spec=FeatureSpec.plain(("load",))), "It was learned from load, which are no tags"),
    ):
        with pytest.raises(CannotCompile, match=sentence):
            seal(changed, None, later, name="x")


def test_a_number_and_what_is_unusual(rows: tuple[Dataset, Dataset]) -> None:
    earlier, later = rows
    heat = later.windows[:, -1, 1]
    made = seal(Ridge().fit(later.x[::2], heat[::2]), None, later.labelled(heat), name="heat", unit="°C")
    assert (made.bundle.manifest.kind, made.bundle.manifest.metrics[0]["unit"]) == ("regression", "°C")
    plain = StreamSpec.of(TAGS, every=10, hold=60, lookback=300)
    quiet = earlier.under(plain).x[earlier.y == 0]
    usual = seal(LedoitWolf().fit(quiet), plain, later, name="unusual")
    assert usual.bundle.manifest.kind == "novelty"
    spec, model = MEMORY, Ridge().fit(later.x, heat)
    assert seal(model, spec, (later.x, heat), name="heat").bundle.manifest.spec == spec.to_json()


@pytest.mark.parametrize(
    ("make", "spec", "change", "sentence"),
    [
        (lambda d: KNeighborsClassifier().fit(d.x, d.y), None, None, "KNeighborsClassifier cannot be compiled"),
        (lambda _: RandomForestClassifier(), None, None, "RandomForestClassifier is not fitted"),
        (lambda _: "a model", None, None, "str is no estimator"),
        (lambda d: Ridge().fit(d.x[:, :3], d.y), None, None, "fitted on 3 features, the specification has 14"),
        (lambda d: Ridge().fit(d.x, d.y), "10s", None, "spec is a str"),
        (lambda d: Ridge().fit(d.x, d.y), None, lambda d: d.x, "data is a ndarray"),
        (lambda d: Ridge().fit(d.x, d.y), None, lambda d: (d.x, d.y), "give the stream specification"),
        (lambda d: Ridge().fit(d.x, d.y), MEMORY, lambda d: (d.x.astype(float), d.y), "are float64"),
        (lambda d: LogisticRegression().fit(d.x, d.y), None, lambda d: d.labelled(d.y + 5), "model has not seen"),
        (lambda d: Ridge().fit(d.x, d.y), None, lambda d: d.labelled(["x"] * len(d)), "Ridge cannot be sealed"),
        (lambda d: Ridge().fit(d.x, d.y), COARSE, None, "ask for them anew"),
        (lambda d: Ridge().fit(d.x, d.y), None, lambda d: d.take(np.arange(0)), "no rows to calibrate with"),
        (lambda d: Ridge().fit(np.nan_to_num(d.x), d.y), None, "gap", "put a SimpleImputer before it"),
    ],
)  # fmt: skip
def test_what_cannot_be_sealed_is_one_sentence(
    rows: tuple[Dataset, Dataset], make: Any, spec: Any, change: Any, sentence: str
) -> None:
    earlier, later = rows
    if change == "gap":
        later = later.take(np.arange(len(later)))
        later.x[3, 0] = np.nan
    elif change is not None:
        later = change(later)
    with pytest.raises(ShopfloorError, match=sentence) as caught:
        seal(make(earlier), spec, later, name="x")
    assert len(str(caught.value).splitlines()) == 1


def test_a_data_frame_with_other_columns_is_named(rows: tuple[Dataset, Dataset]) -> None:
    import pandas as pd

    earlier, later = rows
    names = list(MEMORY.features.names)
    right = Ridge().fit(pd.DataFrame(earlier.x, columns=names), earlier.y)
    with pytest.raises(CannotCompile, match=r"fitted on 'spindle.power now' where .* has 'spindle.power fast'"):
        seal(
            Ridge().fit(pd.DataFrame(earlier.x, columns=["spindle.power now", *names[1:]]), earlier.y),
            None,
            later,
            name="x",
        )
    assert seal(right, None, later, name="x").bundle.manifest.features == names
